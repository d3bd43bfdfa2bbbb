"""Runs without folders: what a bundle keeps, and what it does about damage."""

import random
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from safetensors.numpy import save

from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.predictions import mistakes
from mnist_core.models import make_config
from mnist_core.runs.bundle import read_bundle, write_bundle
from mnist_core.runs.columns import CONFIDENCE_STEPS, LEFT_OUT
from mnist_core.runs.store import RunStore
from tests.stores import make_labels, make_run


@pytest.fixture
def other(tmp_path):
    """The store in which the runs were trained."""
    store = RunStore(tmp_path / "other")
    make_labels(store, test=1000)
    return store


@pytest.fixture
def runs(other):
    """Three finished runs with all that a bundle keeps; the last one diverged at once."""
    draw = np.random.default_rng(1998)
    done = [make_run(other, make_config("lenet5", "grid", lr=r), created=1.0) for r in (0.01, 0.1)]
    for run in done:
        logits = draw.normal(0, 4, (10_000, 10)).astype(np.float16)
        logits[np.arange(10_000), np.arange(10_000) % 10] += 4
        run.folder.write_logits({"validation": logits, "test": logits[:1000]})
        tensors = {"conv2.weight": draw.normal(size=(16, 6, 5, 5)).astype(np.float32)}
        tensors["conv1.weight"] = draw.normal(size=(6, 1, 5, 5)).astype(np.float32)
        weights = run.folder.write_weights(3, save(tensors))
        run.folder.write_summary(replace(run.summary, **weights))
        steps = [{"epoch": 1, "step": 5 * i, "loss": draw.random()} for i in range(1, 4)]
        run.folder.write_history([_drawn(row, draw) for row in run.history], steps)
    gone = make_run(
        other, make_config("lenet5", "grid", lr=1), state="diverged", epochs=0, created=1.0
    )
    return [other.get(run.id) for run in (*done, gone)]


def _drawn(row, draw):
    """Figures that need every bit of a double."""
    return row | {name: draw.random() for name in row if name != "epoch"}


@pytest.fixture
def bundle(store, other, runs):
    path = store.bundle_path("MNIST")
    write_bundle(path, runs, {run.id: mistakes(other, run) for run in runs})
    return path


def test_everything_comes_back(store, other, bundle, runs):
    for run in runs:
        kept = store.get(run.id)
        assert kept.config == run.config and kept.state == run.state
        assert kept.history == run.history and kept.summary == run.summary.without(*LEFT_OUT)
        single = [float(np.float32(row["loss"])) for row in run.step_losses]
        assert [row["loss"] for row in kept.step_losses] == single
        assert [(r["epoch"], r["step"]) for r in kept.step_losses] == [
            (r["epoch"], r["step"]) for r in run.step_losses
        ]
        assert not kept.has_weights


def test_mistakes_and_kernels_come_back(store, other, bundle, runs):
    for run in runs[:2]:
        kept, worked_out = mistakes(store, store.get(run.id)), mistakes(other, run)
        assert 0 < len(kept.index) < 1000
        assert (kept.index == worked_out.index).all() and (kept.answer == worked_out.answer).all()
        assert np.abs(kept.confidence - worked_out.confidence).max() <= 0.5001 / CONFIDENCE_STEPS
        assert [a.dtype for a in vars(kept).values()] == ["int32", "uint8", "float32"]
        kernels = store.get(run.id).first_kernels()
        assert kernels.shape == (6, 5, 5) and (kernels == run.first_kernels()).all()
    diverged = store.get(runs[2].id)
    assert mistakes(store, diverged) is None and diverged.first_kernels() is None


def test_a_bundle_of_bundled_runs_is_the_same(store, bundle, runs):
    content, kept = bundle.read_bytes(), list(read_bundle(bundle).runs.values())
    write_bundle(bundle, kept, {run.id: run.mistakes() for run in kept})
    assert bundle.read_bytes() == content


def test_a_run_that_gets_all_images_right_has_no_mistakes(store, other, runs):
    path, none = store.bundle_path("MNIST"), np.array([])
    nothing = type(mistakes(other, runs[0]))(none.astype(np.int32), none.astype(np.uint8), none)
    write_bundle(path, runs[:1], {runs[0].id: nothing})
    assert len(store.get(runs[0].id).mistakes().index) == 0


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
    before = store.get(runs[1].id)
    write_bundle(bundle, [runs[2], runs[1]], {})
    assert list(read_bundle(bundle).runs) == [runs[2].id, runs[1].id]
    assert before.history == runs[1].history and len(before.mistakes().index)  # as it was
    bundle.unlink()
    assert read_bundle(bundle).runs == {} and store.list() == ([], [])


def changed(bundle, column, values):
    """Writes the file again with other values in one column."""
    table = pq.read_table(bundle)
    place = table.schema.get_field_index(column)
    kind = table.schema.field(place).type
    rewrite(bundle, table.set_column(place, column, pa.array(values, kind)))


def rewrite(bundle, table):
    with pq.ParquetWriter(bundle, table.schema, store_schema=False) as writer:
        writer.write_table(table)
        writer.add_key_value_metadata({"format": "mnist-lab runs 1"})


@pytest.mark.parametrize(
    "column, value, words",
    [
        ("lr", 0.02, "its config is another run's"),
        ("lr", float("nan"), "lr: nan was given"),
        ("lr", None, "lr: None was given"),
        ("id", None, "another run's"),
        ("dataset", "Unknown", "dataset: 'Unknown' was given"),
        ("state", "running", "it is not finished"),
        ("state", "odd", "its state is 'odd'"),
        ("test_accuracy", float("inf"), "test_accuracy is 'inf'"),
        ("epochs_done", None, "epochs_done is 'None'"),
        ("versions", "[" * 100_000, ""),
        ("versions", "{", ""),
    ],
)
def test_a_damaged_run_is_one_sentence_and_the_others_are_read(bundle, runs, column, value, words):
    values = pq.read_table(bundle)[column].to_pylist()
    changed(bundle, column, [values[0], value, values[2]])
    found = read_bundle(bundle)
    assert list(found.runs) == [runs[0].id, runs[2].id]
    assert [damaged.path for damaged in found.damaged] == [bundle]
    assert "MNIST.parquet: run 2 is damaged and was left out" in found.damaged[0].reason
    assert words in found.damaged[0].reason


def test_a_column_that_came_later_has_its_default_in_an_older_file(bundle, runs):
    table = pq.read_table(bundle).drop_columns(["shift", "engine"])
    rewrite(bundle, table.append_column("later", pa.array([1, 2, 3])))
    found = read_bundle(bundle)
    assert not found.damaged and [r.config for r in found.runs.values()] == [r.config for r in runs]
    assert [run.summary.engine for run in found.runs.values()] == [None] * 3


def test_many_damaged_runs_are_a_few_sentences(bundle, other, store):
    many = [make_run(other, make_config("lenet5", seed=seed)) for seed in range(5)]
    write_bundle(bundle, many, {})
    changed(bundle, "seed", [0, 9, 9, 9, 9])
    reasons = [damaged.reason for damaged in store.list()[1]]
    assert len(reasons) == 4 and "run 4" in reasons[2] and "1 more" in reasons[3]


@pytest.mark.parametrize(
    "column, value, ask",
    [
        ("history_train_loss", [1.0, float("nan"), 1.0], lambda run: run.history),
        ("history_train_loss", [1.0], lambda run: run.history),
        ("history_lr", None, lambda run: run.history),
        ("step_loss", [0.1], lambda run: run.step_losses),
        ("wrong", b"\x80", lambda run: run.mistakes()),
        ("wrong_answer", None, lambda run: run.mistakes()),
        ("kernels", [1.0], lambda run: run.first_kernels()),
        ("kernel_side", 0, lambda run: run.first_kernels()),
        ("kernels", [float("inf")] * 150, lambda run: run.first_kernels()),
    ],
)
def test_damage_to_what_is_read_later_is_a_sentence_and_the_others_are_read(
    bundle, column, value, ask
):
    values = pq.read_table(bundle)[column].to_pylist()
    changed(bundle, column, [value, *values[1:]])
    first, second, _ = read_bundle(bundle).runs.values()
    with pytest.raises(LabError, match="is damaged"):
        ask(first)
    ask(second)


def test_no_changed_byte_is_more_than_a_sentence(store, bundle, runs):
    """What is read is what was written, or the file is damaged, in a sentence."""
    content, draw, wrong = bundle.read_bytes(), random.Random(1998), 0
    for _ in range(300):
        bundle.unlink()  # the new content is read, whatever the clock says
        changed_byte = bytearray(content)
        changed_byte[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
        bundle.write_bytes(changed_byte)
        for run in read_bundle(bundle).runs.values():
            for ask in (lambda r: r.history, lambda r: r.mistakes(), lambda r: r.first_kernels()):
                try:
                    ask(run)
                except LabError:
                    wrong += 1
    assert wrong


@pytest.mark.parametrize("content", [b"", b"\xff\xfe", b"PAR1PAR1", b"PAR1" * 100])
def test_a_file_that_is_no_bundle_is_one_sentence(store, content):
    store.bundle_path("MNIST").parent.mkdir(parents=True)
    store.bundle_path("MNIST").write_bytes(content)
    runs, damaged = store.list()
    assert runs == [] and len(damaged) == 1 and "grid/MNIST.parquet is damaged" in damaged[0].reason


def test_somebody_elses_parquet_file_is_one_sentence(store, bundle):
    pq.write_table(pa.table({"id": ["mnist-lenet5-0123456789"]}), bundle)
    assert "it is no file of runs" in store.list()[1][0].reason


def test_only_a_finished_run_can_be_bundled(store):
    with pytest.raises(LabError, match="only a finished run"):
        write_bundle(store.bundle_path("MNIST"), [make_run(store, state="paused")], {})
