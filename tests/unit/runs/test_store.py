"""The run store: whole files or none, ids that name no paths, damage that stays where it is."""

import json
import os
import shutil
from dataclasses import replace

import numpy as np
import pytest
from safetensors.numpy import save as tensors_to_bytes

from mnist_core import files
from mnist_core.config import RunConfig
from mnist_core.errors import InputError, LabError, NotFound
from mnist_core.models import make_config
from mnist_core.runs import store as store_module
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from tests.stores import damage, make_run

CONFIG = make_config("lenet5")


def done(store, config=CONFIG, **figures):
    figures = {"state": "done", "epochs_done": 50, "created": 1.0, **figures}
    return store.create(config, Summary(**figures))


@pytest.mark.parametrize(
    "given", ["../../etc/passwd", "a/b-0123456789", "..", "", "x", None, 3, "a" * 200, "mnist\n"]
)
def test_an_id_from_outside_never_names_a_path(store, given):
    with pytest.raises(InputError, match="run: .* was given; allowed is an id such as"):
        store.get(given)


def test_a_run_that_is_not_there(store):
    with pytest.raises(NotFound, match="there is no mnist-lenet5-0123456789 in"):
        store.get("mnist-lenet5-0123456789")


def test_an_empty_or_missing_store_has_no_runs(store):
    assert store.list() == ([], [])


DAMAGE = {
    "no config": ("config.json", None),
    "half a config": ("config.json", b'{"dataset": "MN'),
    "another run's config": ("config.json", json.dumps(CONFIG.replace(seed=9).to_dict()).encode()),
    "no object": ("config.json", b"[]"),
    "nested too deep": ("config.json", b"[" * 100_000),
    "no text": ("summary.json", b"\xff\xfe\x00"),
    "no summary": ("summary.json", None),
    "no state": ("summary.json", b'{"state": 1}'),
    "a word for a number": ("summary.json", b'{"state": "done", "test_accuracy": "high"}'),
    "infinite": ("summary.json", b'{"state": "done", "test_accuracy": Infinity}'),
    "true for a number": ("summary.json", b'{"state": "done", "seconds": true}'),
    "odd process": ("summary.json", b'{"state": "running", "process": {"pid": "x"}}'),
    "no time": ("summary.json", b'{"state": "done", "created": null}'),
    "beyond all numbers": ("summary.json", b'{"state": "done", "macs": 1' + b"0" * 400 + b"}"),
    "negative pid": (
        "summary.json",
        b'{"state": "running", "process": {"pid": -1, "started": 1, "host": "x"}}',
    ),
    "half a letter": ("summary.json", b'{"state": "done", "note": "\\ud800"}'),
    "path": ("summary.json", b'{"state": "done", "weights": "../../x"}'),
    "list for text": ("summary.json", b'{"state": "done", "note": []}'),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_a_damaged_folder_leaves_the_others_alone(store, case):
    healthy = done(store, CONFIG.replace(seed=2))
    name, content = DAMAGE[case]
    path = done(store).path / name
    path.unlink() if content is None else path.write_bytes(content)
    runs, damaged = store.list()
    assert [run.id for run in runs] == [healthy.id]
    assert len(damaged) == 1 and CONFIG.id in damaged[0].reason and "\n" not in damaged[0].reason
    with pytest.raises(LabError, match="is damaged and was left out"):
        store.get(CONFIG.id)


def test_a_new_run_sets_a_damaged_folder_aside(store):
    path = done(store).path
    (path / "config.json").write_text("half")
    (path / "resume.pt").write_text("precious")
    assert done(store).state == "done"
    aside = [p for p in store.root.iterdir() if p.name.startswith("damaged.")]
    assert len(aside) == 1 and (aside[0] / "resume.pt").read_text() == "precious"
    assert len(store.list()[0]) == 1


def test_a_store_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(LabError, match="could not be written .* MNIST_CHECKPOINTS"):
        done(RunStore(tmp_path / "file" / "store"))
    with pytest.raises(LabError, match="could not be written .* MNIST_CHECKPOINTS"):
        RunStore(tmp_path / "file" / "store").lock(CONFIG.id)


@pytest.mark.parametrize(
    "tensors",
    [
        {},
        {"test": np.zeros((3, 10), np.float16)},
        {"validation": np.zeros((3, 9), np.float16), "test": np.zeros((3, 10), np.float16)},
        {"validation": np.zeros((3, 10), np.float32), "test": np.zeros((3, 10), np.float16)},
        {"validation": np.full((3, 10), np.nan, np.float16), "test": np.zeros((3, 10), np.float16)},
        {"validation": np.zeros((0, 10), np.float16), "test": np.zeros((3, 10), np.float16)},
    ],
)
def test_damaged_logits_and_labels_are_one_sentence(store, tensors):
    run = done(store, data_fingerprint="0123456789abcdef")
    content = tensors_to_bytes(tensors)
    (run.path / "logits.safetensors").write_bytes(content)
    with pytest.raises(LabError, match="is damaged"):
        run.logits()
    files.write_bytes(store.labels_path("MNIST", "0123456789abcdef"), content)
    with pytest.raises(LabError, match="is damaged"):
        store.labels(run)


def test_a_run_appears_whole(store, monkeypatch):
    """Killed between its two first files, a new run leaves nothing behind that counts."""

    class Killed(BaseException):
        pass

    rename, written = os.replace, []

    def kill_at_second(source, target):
        written.append(target)
        if len(written) == 2:
            raise Killed
        rename(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", kill_at_second)
        with pytest.raises(Killed):
            done(store)
    assert len(written) == 2 and store.list() == ([], [])


def test_labels_are_kept_once_per_data_set(store):
    run = done(store, data_fingerprint="0123456789abcdef")
    labels = {"validation": np.arange(10), "test": np.arange(5)}
    store.write_labels("MNIST", "0123456789abcdef", labels)
    assert (store.labels(run)["test"] == np.arange(5)).all()
    other = done(store, RunConfig(), data_fingerprint="../../../etc/pass")
    with pytest.raises(NotFound, match="does not say which data"):
        store.labels(other)


def test_a_torn_temporary_file_is_no_run(store):
    run = done(store)
    (run.path / ".summary.json.abc").write_text("half")
    assert [r.id for r in store.list()[0]] == [run.id]


def states(store):
    runs, damaged = store.list()
    return sorted(run.state for run in runs), len(damaged)


def test_changed_files_are_read_again(store):
    run = make_run(store, state="stopped")
    assert states(store) == (["stopped"], 0)
    run.folder.write_summary(replace(run.summary, state="paused"))
    assert states(store) == (["paused"], 0)
    damage(run)
    assert states(store) == ([], 1)
    run.folder.write_summary(run.summary)
    assert states(store) == (["stopped"], 0)
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(config | {"seed": 77}))
    assert states(store) == ([], 1)
    shutil.rmtree(run.path)
    assert states(store) == ([], 0)


def test_unchanged_files_are_not_read_again(store, monkeypatch):
    for seed in range(3):
        make_run(store, make_config("lenet5", seed=seed))
    store.list()
    monkeypatch.setattr(store_module, "read_json", lambda path: pytest.fail(f"{path} was read"))
    assert len(store.list()[0]) == 3
    monkeypatch.setattr(store_module, "read_json", files.read_json)
    make_run(store, make_config("small"))
    assert len(store.list()[0]) == 4


def test_one_damaged_run_among_fifty(store):
    runs = [make_run(store, make_config("lenet5", seed=seed), epochs=1) for seed in range(51)]
    damage(runs[7])
    found, damaged = store.list()
    assert len(found) == 50 and [each.path.name for each in damaged] == [runs[7].id]


@pytest.mark.parametrize("content", [b"", b"{}", b"[1]", b'{"at_once": -1}', b'{"at_once": "x"}'])
def test_the_number_of_runs_at_once_is_kept_and_a_damaged_file_means_the_default(store, content):
    assert store.at_once() == 0
    store.set_at_once(3)
    assert RunStore(store.root).at_once() == 3
    for bad in (-1, 65, "x", 1.5, True, None):
        with pytest.raises(InputError, match="at-once: .* was given; allowed is a whole number"):
            store.set_at_once(bad)
    (store.root / "settings.json").write_bytes(content)
    assert store.at_once() == 0


def test_what_a_kill_left_of_a_new_run_is_swept(store):
    names = (f".new-mnist-lenet5-0123456789-{left}" for left in ("900000001", "900000002", "x"))
    old, young, foreign = (store.root / name for name in names)
    for path in (old, young, foreign):
        path.mkdir(parents=True)
    os.utime(old, (1, 1))
    done(store)
    assert not old.exists() and young.exists() and foreign.exists()
