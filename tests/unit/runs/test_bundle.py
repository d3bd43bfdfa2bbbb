"""Runs without folders: what a bundle keeps, and what it does about damage."""

import json

import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.models import make_config
from mnist_core.runs.bundle import bundled, read_bundle, write_bundle
from mnist_core.runs.store import RunStore
from tests.stores import make_run


@pytest.fixture
def runs(tmp_path):
    """Three finished runs of another store, one of them diverged."""
    other = RunStore(tmp_path / "other")
    done = [make_run(other, make_config("lenet5", "grid", lr=lr)) for lr in (0.01, 0.1)]
    done[0].folder.write_history(done[0].history, [{"epoch": 1, "step": 5, "loss": 0.1 + 0.2}])
    gone = make_run(other, make_config("lenet5", "grid", lr=1), state="diverged", epochs=0)
    return [other.get(done[0].id), done[1], gone]


@pytest.fixture
def bundle(store, runs):
    write_bundle(store.bundle, [bundled(run) for run in runs])
    return store.bundle


def test_every_figure_comes_back_to_the_bit(store, bundle, runs):
    for run in runs:
        kept = store.get(run.id)
        assert kept.config == run.config and kept.state == run.state
        assert kept.history == run.history and kept.step_losses == run.step_losses
        assert not kept.has_weights and run.summary.without("weights_bytes") == kept.summary


def test_the_store_lists_and_finds_them_like_any_run(store, bundle, runs):
    own = make_run(store, make_config("medium"))
    listed, damaged = store.list()
    assert {run.id for run in listed} == {own.id, *(run.id for run in runs)} and not damaged
    assert store.find(runs[0].config).id == runs[0].id
    assert store.find_folder(runs[0].config) is None
    with pytest.raises(NotFound, match="has no weights"):
        store.get(runs[0].id).weights()
    with pytest.raises(NotFound):
        store.get(runs[0].id).logits()


def test_a_folder_takes_precedence_over_the_bundle(store, bundle, runs):
    own = make_run(store, runs[0].config, state="paused", epochs=1)
    assert store.find(runs[0].config).state == "paused"
    assert [run.state for run in store.list()[0] if run.id == own.id] == ["paused"]


def test_a_bundle_written_anew_is_read_anew(store, bundle, runs):
    assert len(read_bundle(bundle)[0]) == 3
    write_bundle(bundle, [bundled(runs[1])])
    assert [run.id for run in read_bundle(bundle)[0]] == [runs[1].id]
    bundle.unlink()
    assert read_bundle(bundle) == ([], [])


@pytest.mark.parametrize(
    "damage",
    [
        lambda line: line[: len(line) // 2],
        lambda line: "[]",
        lambda line: line.replace('"lr":0.1', '"lr":"fast"'),
        lambda line: line.replace('"epochs_done":3', '"epochs_done":2'),
        lambda line: json.dumps(json.loads(line) | {"history": [[1, 2]]}),
        lambda line: json.dumps(json.loads(line) | {"history": None}),
        lambda line: json.dumps(json.loads(line) | {"summary": {"state": "running"}}),
        lambda line: "[" * 100_000,
        lambda line: "\x00\ufffd",
    ],
)
def test_a_damaged_line_is_one_sentence_and_the_others_are_read(bundle, runs, damage):
    lines = bundle.read_text(encoding="utf-8").splitlines()
    lines[2] = damage(lines[2])
    bundle.write_text("\n".join(lines), encoding="utf-8")
    found, damaged = read_bundle(bundle)
    assert [run.id for run in found] == [runs[0].id, runs[2].id]
    assert len(damaged) == 1 and "line 3 is damaged and was left out" in damaged[0].reason


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"{}\n{}", b'{"format":"other"}\n', b"null"])
def test_a_file_that_is_no_bundle_is_one_sentence(store, content):
    store.root.mkdir()
    store.bundle.write_bytes(content)
    runs, damaged = store.list()
    assert runs == [] and len(damaged) == 1 and "grid.jsonl is damaged" in damaged[0].reason


def test_only_a_finished_run_can_be_bundled(store):
    with pytest.raises(LabError, match="only a finished run"):
        bundled(make_run(store, state="paused"))
