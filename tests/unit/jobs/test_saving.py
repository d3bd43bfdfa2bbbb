"""What is kept of a run in training: whole after a kill or a full disk at any file."""

import errno
import os
import shutil
import tempfile
from contextlib import suppress

import pytest

from mnist_core.config import Execution
from mnist_core.errors import LabError
from mnist_core.evaluation.predict import load_model
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.store import RunStore
from tests.stores import quick_config as config
from tests.unit.jobs.processes import make_clock_jump

ONE = Execution(threads=1, device="cpu", snapshots=True)


class Killed(BaseException):
    """Stands for a kill: nothing of ours catches it, nothing is tidied up."""


def failing_at(number, how, monkeypatch):
    """Every file is written to a temporary name and then put in its place. Here that ends at the
    number-th file of a run (progress.json is not counted): in a kill before it is in its place,
    or on a disk that has no room for it, and none for any other later when it is so for good."""
    seen, replace, mkstemp = [], os.replace, tempfile.mkstemp

    def fails(name):
        if "progress.json" not in name:
            seen.append(name)
        return len(seen) >= number if how == "full for good" else len(seen) == number

    def put_in_place(temporary, path):
        if how == "killed" and fails(str(path)):
            raise Killed
        replace(temporary, path)

    def make(*, dir, prefix):
        if how != "killed" and fails(prefix):
            raise OSError(errno.ENOSPC, "No space left on device")
        return mkstemp(dir=dir, prefix=prefix)

    monkeypatch.setattr(os, "replace", put_in_place)
    monkeypatch.setattr(tempfile, "mkstemp", make)
    return seen


@pytest.fixture(scope="module")
def half_way(small_data, tmp_path_factory):
    """A store whose run has one of two epochs behind it, and the same run without a break."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_DATA", str(small_data))
        store, other = (RunStore(tmp_path_factory.mktemp(name)) for name in ("half", "whole"))

        def pause(progress):
            if progress["phase"] == "epoch":
                store.folder(config().id).request("pause")

        carry_out(store, config(), ONE, on_progress=pause)
        make_clock_jump(patch)  # which changes no bit
        whole = carry_out(other, config(), ONE)
    assert whole.summary.best_epoch == 2  # so that the second epoch writes weights, too
    return store, whole


def interrupted_at(store, number, how, monkeypatch):
    """Trains until the number-th file; false when there was no such file."""
    with monkeypatch.context() as patch:
        failing_at(number, how, patch)
        try:
            return carry_out(store, config(), ONE).state != "done"
        except Killed:
            return True
        except LabError as error:
            message = str(error)
    assert message.startswith("The disk is full") and "make room" in message
    if how == "full":  # there was room for a word again
        left = store.get(config().id)
        assert left.state == "interrupted" and left.summary.note == message
    return True


@pytest.mark.parametrize("how", ["killed", "full", "full for good"])
def test_interrupted_at_any_file_it_ends_in_the_same_bits(
    lab, half_way, monkeypatch, how, tmp_path
):
    before, whole = half_way
    for number in range(1, 99):
        store = RunStore(shutil.copytree(before.root, tmp_path / str(number)))
        if not interrupted_at(store, number, how, monkeypatch):
            break
        (left,), damaged = store.list()
        assert not damaged and left.summary.epochs_done >= 1
        load_model(left)  # what the summary names is there and whole
        run = carry_out(store, config(), ONE)
        assert run.state == "done" and run.summary.note == ""
        assert run.summary.weights_sha256 == whole.summary.weights_sha256
        assert (run.logits()["test"] == whole.logits()["test"]).all()
        assert run.step_losses == whole.step_losses
        assert (run.path / SNAPSHOTS).read_bytes() == (whole.path / SNAPSHOTS).read_bytes()
        assert sorted(os.listdir(run.path)) == sorted(os.listdir(whole.path))
    # sign, describe; an early snapshot; weights, history, steps, snapshots, resume state, summary;
    # labels, logits, summary twice
    assert number == 14


def test_killed_at_any_file_of_a_pause_it_ends_in_the_same_bits(
    lab, half_way, monkeypatch, tmp_path
):
    before, whole = half_way
    monkeypatch.setattr("mnist_core.jobs.progress.PERIOD", 0.0)  # looks after every step
    for number in range(1, 99):
        store = RunStore(shutil.copytree(before.root, tmp_path / str(number)))
        checks = iter(range(4))
        asked = lambda: None if next(checks, None) is not None else "pause"  # noqa: E731, B023
        with monkeypatch.context() as patch:
            seen = failing_at(number, "killed", patch)
            with suppress(Killed):
                carry_out(store, config(), ONE, signalled=asked)
        run = carry_out(store, config(), ONE)
        assert run.state == "done"
        assert run.summary.weights_sha256 == whole.summary.weights_sha256
        assert run.step_losses == whole.step_losses
        assert (run.path / SNAPSHOTS).read_bytes() == (whole.path / SNAPSHOTS).read_bytes()
        if len(seen) < number:
            break
    # sign, describe; an early snapshot; history, steps, snapshots, resume state, summary; paused
    assert number == 10
