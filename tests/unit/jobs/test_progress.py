"""What a training process reports, and that it looks into its mailbox as often."""

import errno

import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.jobs import progress
from mnist_core.jobs.mailbox import Mailbox, StopRequested
from mnist_core.jobs.progress import Reporter
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.states import RunState
from mnist_core.runs.summary import Summary
from mnist_core.training.results import Step
from tests.stores import quick_config as config


@pytest.fixture
def folder(store):
    return store.create(config(), Summary("running")).folder


def test_a_report_has_the_losses_of_its_epoch_and_the_time_that_is_left(folder, monkeypatch):
    monkeypatch.setattr(progress, "PERIOD", 0)
    told = []
    reporter = Reporter(config(), Mailbox(folder), told.append)
    reporter.on_step(Step(1, 1, 4, 64.0, 0.5))
    reporter.on_step(Step(1, 2, 4, 64.0))
    reporter.on_step(Step(2, 1, 4, 64.0, 0.25))
    assert [each["losses"] for each in told[1:]] == [[(1, 0.5)], [(1, 0.25)]]
    assert [each["seconds_left"] for each in told] == [3.5, 3.0, 1.5]  # half a second a step
    assert folder.progress() == {**told[-1], "losses": [[1, 0.25]]}


def test_between_two_reports_nothing_is_written(folder):
    reporter = Reporter(config(), Mailbox(folder))
    reporter.on_step(Step(1, 1, 4, 64.0))
    folder.clear_progress()
    folder.request("stop")
    reporter.on_step(Step(1, 2, 4, 64.0))
    assert folder.progress() == {}


def test_a_full_disk_stops_no_report_but_another_fault_does(folder, monkeypatch):
    def full(self, progress):
        raise LabError("The disk is full")

    def fails(number):
        def log(progress):
            raise OSError(number, "")

        return log

    monkeypatch.setattr(RunFolder, "write_progress", full)
    Reporter(config(), Mailbox(folder), fails(errno.ENOSPC)).phase("loading")
    Reporter(config(), Mailbox(folder), fails(errno.EPIPE)).phase("loading")


@pytest.mark.parametrize("what, state", [("pause", RunState.PAUSED), ("stop", RunState.STOPPED)])
def test_a_request_and_a_signal_are_heard(folder, what, state):
    Mailbox(folder).check()
    with pytest.raises(StopRequested) as signalled:
        Mailbox(folder, lambda: what).check()
    folder.request(what)
    with pytest.raises(StopRequested) as requested:
        Reporter(config(), Mailbox(folder)).phase("loading")
    assert signalled.value.state == requested.value.state == state
    folder.config_file.unlink()
    with pytest.raises(NotFound, match="was deleted; nothing more is written there"):
        Mailbox(folder).check()
