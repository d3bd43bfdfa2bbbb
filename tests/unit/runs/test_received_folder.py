"""Folders that come from anybody: nothing is read without bounds, or written through a link."""

import os
import resource
import signal
from contextlib import contextmanager, suppress

import pytest

from mnist_core.errors import LabError
from mnist_core.evaluation.robustness import stored
from mnist_core.jobs import automatic, robustness_job, spawn, standing_by
from mnist_core.training import cost
from tests.stores import make_labels, make_run, quick_config

WEIGHTS = "weights-epoch001.safetensors"
READERS = {  # of every file in a run's folder, or in the store
    "config.json": lambda store, run: store.get(run.id),
    "summary.json": lambda store, run: store.get(run.id),
    "history.csv": lambda store, run: run.history,
    "steps.csv": lambda store, run: run.step_losses,
    "progress.json": lambda store, run: run.folder.progress(),
    "request": lambda store, run: run.folder.requested(),
    "resume.pt": lambda store, run: run.folder.resume_state(),
    WEIGHTS: lambda store, run: run.weights(),
    "logits.safetensors": lambda store, run: run.logits(),
    "logits.packed.gz": lambda store, run: run.logits(),
    "snapshots.safetensors": lambda store, run: run.snapshots(),
    "robustness.json": lambda store, run: stored(run),
    "../settings.json": lambda store, run: store.at_once(),
    "../.speed.json": lambda store, run: cost.load(store, run.config),
    "../.robustness.json": lambda store, run: robustness_job.job(store),
    "../.robustness.log": lambda store, run: robustness_job.why_it_failed(store),
    "../grid/MNIST.parquet": lambda store, run: store.list(),
    "../labels/mnist-0123456789abcdef.safetensors": lambda store, run: store.labels(run),
}


def pipe(path):
    os.mkfifo(path)


def device(path):
    path.symlink_to("/dev/zero")


def huge(path):
    """Three gigabytes that take no room."""
    with path.open("wb") as file:
        file.truncate(3 * 2**30)


def directory(path):
    path.mkdir()


@contextmanager
def within(seconds, memory):
    """Fails when the block takes longer, or more memory than this process has now and `memory`."""

    def too_long(*_):
        raise AssertionError("it does not end")

    before, limits = signal.signal(signal.SIGALRM, too_long), resource.getrlimit(resource.RLIMIT_AS)
    with open("/proc/self/statm") as file:
        used = int(file.read().split()[0]) * resource.getpagesize()
    signal.alarm(seconds)
    resource.setrlimit(resource.RLIMIT_AS, (used + memory, limits[1]))
    try:
        yield
    finally:
        signal.alarm(0)
        resource.setrlimit(resource.RLIMIT_AS, limits)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not os.path.exists("/proc/self/statm"), reason="needs Linux")
@pytest.mark.parametrize("put", [pipe, device, huge, directory])
@pytest.mark.parametrize("name", READERS)
def test_what_is_no_file_of_the_lab_is_not_read(store, name, put):
    run = make_run(store, quick_config(), weights=WEIGHTS)
    make_labels(store)
    path = run.path / name
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    put(path)
    with within(seconds=3, memory=2**28), suppress(LabError):  # or as if nothing were there
        found = READERS[name](store, store.get(run.id))
        assert name not in ("config.json", "summary.json", WEIGHTS)
        assert not found or name.endswith(".parquet")
    store.list()


def log_of_standby(store, run):
    streams = [os.dup(number) for number in (1, 2)]
    try:
        standing_by._log_into(store, run.id)
    finally:
        for number, stream in enumerate(streams, start=1):
            os.dup2(stream, number)
            os.close(stream)


WRITERS = {  # of every file that is written to without being replaced
    "worker.log": lambda store, run: spawn.start(store, ["models"], run.folder.log_file).kill(),
    "./worker.log": log_of_standby,
    "../.locks/speed.lock": lambda store, run: cost.save(store, run.config, cost.Cost(1, 1, 1, 1)),
    "../.locks/{id}.lock": lambda store, run: store.lock(run.id).acquire().lock.release(),
    "../.automatic/{id}.by-me": lambda store, run: automatic.mark(store, run.id, "me"),
    "progress.json": lambda store, run: run.folder.write_progress({"phase": "loading"}),
    "request": lambda store, run: run.folder.request("pause"),
}


@pytest.mark.parametrize("dangling", [False, True])
@pytest.mark.parametrize("name", WRITERS)
def test_nothing_is_written_through_a_link(store, tmp_path, name, dangling):
    run, target = make_run(store, quick_config()), tmp_path / "target"
    if not dangling:
        target.write_bytes(b"precious")
    path = run.path / name.format(id=run.id)
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    path.symlink_to(target)
    WRITERS[name](store, run)
    assert path.is_file() and not path.is_symlink()
    assert not target.exists() if dangling else target.read_bytes() == b"precious"
