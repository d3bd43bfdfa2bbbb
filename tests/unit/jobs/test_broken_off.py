"""Training broken off: by a kill or a full disk at any file it writes, by faults, by deletion."""

import errno
import os
import shutil
import tempfile
import time

import pytest

from mnist_core.config import Execution
from mnist_core.errors import LabError
from mnist_core.evaluation.predict import load_model
from mnist_core.jobs.progress import Watcher
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary

CPU = Execution(device="cpu")
ONE = Execution(threads=1, device="cpu")


def config(**changes):
    quick = {"epochs": 2, "batch_size": 32, "lr": 0.05}
    return make_config("lenet5", **{**quick, **changes})


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
        whole = carry_out(other, config(), ONE)
    assert whole.summary.best_epoch == 2  # so that the second epoch writes weights, too
    return store, whole


def broken_off(store, number, how, monkeypatch):
    """Trains until the number-th file; false when there was none to be broken off at."""
    with monkeypatch.context() as patch:
        failing_at(number, how, patch)
        try:
            return carry_out(store, config(), ONE).state != "done"
        except Killed:
            return True
        except LabError as error:
            assert str(error).startswith("The disk is full") and "make room" in str(error)
            if how == "full":  # there was room for a word again
                left = store.get(config().id)
                assert left.state == "interrupted" and left.summary.note == str(error)
            return True


@pytest.mark.parametrize("how", ["killed", "full", "full for good"])
def test_broken_off_at_any_file_it_ends_in_the_same_bits(lab, half_way, monkeypatch, how, tmp_path):
    before, whole = half_way
    for number in range(1, 99):
        store = RunStore(shutil.copytree(before.root, tmp_path / str(number)))
        if not broken_off(store, number, how, monkeypatch):
            break
        (left,), damaged = store.list()
        assert not damaged and left.summary.epochs_done >= 1
        load_model(left)  # what the summary names is there and whole
        run = carry_out(store, config(), ONE)
        assert run.state == "done" and run.summary.note == ""
        assert run.summary.weights_sha256 == whole.summary.weights_sha256
        assert (run.logits()["test"] == whole.logits()["test"]).all()
        assert run.step_losses == whole.step_losses
        assert sorted(os.listdir(run.path)) == sorted(os.listdir(whole.path))
    # sign, describe; weights, history, steps, resume state, summary; labels, logits, summary twice
    assert number == 12


def test_a_disk_too_full_for_progress_does_not_stop_training(lab, monkeypatch):
    def full(self, progress):
        raise LabError("The disk is full")

    def log(progress):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(RunFolder, "write_progress", full)
    assert carry_out(lab, config(), ONE, on_progress=log).state == "done"


def test_a_fault_of_the_machine_is_a_sentence_in_the_run(lab, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError("no memory\nfor this")

    monkeypatch.setattr(RunFolder, "write_resume_state", exhausted)
    with pytest.raises(MemoryError):
        carry_out(lab, config(), ONE)
    run = lab.get(config().id)
    assert run.state == "interrupted" and run.summary.process is None
    assert run.summary.note == "Training ended with MemoryError: no memory"


def test_a_folder_deleted_in_training_ends_it_and_does_not_come_back(lab):
    def delete(progress):
        if progress["phase"] == "epoch":
            shutil.rmtree(lab.folder(config().id).path)

    with pytest.raises(LabError, match="was deleted; nothing more is written there"):
        carry_out(lab, config(), ONE, on_progress=delete)
    assert lab.list() == ([], []) and not lab.folder(config().id).path.exists()


def test_two_that_train_at_once_share_the_machine(lab, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    large = [config(seed=seed, batch_size=1000) for seed in (1, 2)]
    runs = [carry_out(lab, each, CPU, at_once=lambda: 3) for each in large]
    assert [run.summary.threads for run in runs] == [2, 2]
    recorded = lab.create(config(seed=3), Summary("interrupted", threads=1, device="cpu"))
    assert carry_out(lab, recorded.config, CPU, at_once=lambda: 3).summary.threads == 1


def test_a_process_at_work_shows_life_and_one_that_hangs_does_not(lab, monkeypatch):
    run = lab.create(config(), Summary("running", process=Process.of(os.getpid())))
    beats = []
    monkeypatch.setattr(RunFolder, "beat", lambda self: beats.append(self.id))
    watcher = Watcher(lab, run.config, None, lambda: None)
    watcher.PERIOD = 0.05
    with watcher.beating():
        time.sleep(0.3)
        assert not beats
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            sum(range(1000))
        assert beats
    monkeypatch.undo()
    for path in (run.path / "summary.json",):
        os.utime(path, (1, 1))
    assert lab.get(run.id).unresponsive
    run.folder.beat()
    assert not lab.get(run.id).unresponsive
