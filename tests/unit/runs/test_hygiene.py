"""What people say of a run, and runs that were deleted: about.json and the trash."""

import os
import time

import pytest

from mnist_core import files
from mnist_core.errors import InputError, LabError, NotFound
from mnist_core.jobs import visitors
from mnist_core.limits import Limits, check_disk
from mnist_core.models import make_config
from mnist_core.runs import trash
from mnist_core.runs.about import About, about, read_about, tags_of, write_about
from mnist_core.runs.bundle import write_bundle
from mnist_core.runs.process import Process
from tests.stores import make_run


def test_words_about_a_run_are_beside_its_config(store):
    run = make_run(store)
    before = (run.path / "config.json").read_bytes()
    assert about(run) == About()
    write_about(run, About("best", "of three", ("class", "7b"), archived=True))
    assert about(store.get(run.id)) == About("best", "of three", ("class", "7b"), True)
    assert (run.path / "config.json").read_bytes() == before and store.get(run.id) == run
    assert tags_of(" class  7b, best,, best ") == ("class 7b", "best")


DAMAGED = ["", "[]", '{"label": 7}', '{"tags": 7}', '{"tags": [[]]}', '{"archived": 1}']


@pytest.mark.parametrize("content", [*DAMAGED, '{"label": "%s"}' % (61 * "x")])
def test_a_damaged_file_says_nothing(tmp_path, content):
    (tmp_path / "about.json").write_text(content)
    assert read_about(tmp_path) == About()


@pytest.mark.parametrize(
    "said, words",
    [
        ({"label": "x" * 61}, "label: at most 60"),
        ({"note": 7}, "note: at most 1000"),
        ({"tags": ("x" * 31,)}, "tag: at most 30"),
        ({"tags": tuple("abcdefghijk")}, "tags: at most 10"),
    ],
)
def test_what_is_too_long_is_a_sentence(said, words):
    with pytest.raises(InputError, match=words):
        About(**said)


def test_a_deleted_run_comes_back_as_it_was(store):
    run = make_run(store)
    files = {path.name: path.read_bytes() for path in run.path.iterdir()}
    trash.delete(store, run.id)
    assert store.list() == ([], []) and not run.path.exists()
    trash.restore(store, run.id)
    assert {path.name: path.read_bytes() for path in run.path.iterdir()} == files
    trash.delete(store, run.id)
    make_run(store)
    with pytest.raises(LabError, match="trained anew"):
        trash.restore(store, run.id)
    trash.delete(store, run.id)  # deleted twice: the last one comes back, the first is kept
    assert trash.restore(store, run.id)
    trash.empty(store, run.id)
    with pytest.raises(NotFound, match="not among those"):
        trash.restore(store, "mnist-lenet5-0123456789")


def test_deleted_runs_go_for_good_after_an_hour(store, monkeypatch):
    first, second = make_run(store), make_run(store, make_config("small"))
    for run in (first, second):
        visitors.set_owner(store, run.id, "anne")
    trash.delete(store, first.id)
    later = time.time_ns() + int(1.1e9 * trash.KEPT)
    since_boot = trash.uptime() + 1.1 * trash.KEPT
    monkeypatch.setattr(trash, "uptime", lambda: since_boot)
    monkeypatch.setattr(time, "time_ns", lambda: later)
    monkeypatch.setattr(time, "time", lambda: later / 1e9)
    with pytest.raises(NotFound, match="in the last hour"):
        trash.restore(store, first.id)
    trash.delete(store, second.id)
    assert [name.split(".")[0] for name in os.listdir(store.root / ".trash")] == [second.id]
    assert visitors.owner(store, first.id) is None and visitors.owner(store, second.id) == "anne"


def test_deleted_runs_do_not_count_as_part_of_the_store(store):
    run = make_run(store)
    (run.path / "weights.safetensors").write_bytes(bytes(200_000))
    allowed = Limits(free_gb=None, store_gb=1e-4)
    with pytest.raises(LabError, match="the runs take"):
        check_disk(store.root, allowed)
    trash.delete(store, run.id)
    check_disk(store.root, allowed)


def test_a_label_does_not_bring_back_a_deleted_run(store, monkeypatch):
    run = make_run(store)
    write_bytes = files.write_bytes

    def delete_first(*given, **options):
        trash.delete(store, run.id)  # by another process, at the worst moment
        return write_bytes(*given, **options)

    monkeypatch.setattr("mnist_core.runs.folder.write_bytes", delete_first)
    with pytest.raises(NotFound, match="was deleted"):
        write_about(run, About("x"))
    assert not run.path.exists() and trash.restore(store, run.id)


@pytest.mark.parametrize("name", ["about.json", "robustness.json", "request"])
def test_a_worker_that_starts_leaves_what_others_are_writing(store, name):
    run = make_run(store)
    writing, own = run.path / f".{name}.abcd_123", run.path / ".summary.json.abcd_123"
    writing.touch()
    own.touch()
    files.sweep(run.path)
    assert writing.exists() and not own.exists()
    os.utime(writing, (1, 1))  # left by a process that was killed
    files.sweep(run.path)
    assert not writing.exists()


def test_what_cannot_be_deleted_is_a_sentence(store):
    live = make_run(store, state="running", process=Process.of(1))
    with pytest.raises(LabError, match="stop it first"):
        trash.delete(store, live.id)
    held = make_run(store, make_config("small"))
    with store.lock(held.id), pytest.raises(LabError, match="in use by another process"):
        trash.delete(store, held.id)
    shipped = make_run(store, make_config("medium"))
    write_bundle(store.bundle_path("MNIST"), [shipped], {})
    trash.delete(store, shipped.id)
    with pytest.raises(LabError, match="ships in a file"):
        trash.delete(store, shipped.id)
    with pytest.raises(LabError, match="ships in a file"):
        write_about(store.get(shipped.id), About("x"))
