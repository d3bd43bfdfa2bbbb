"""Training as a visitor moves: what begins by itself, and what moving on ends.

The processes that train here only stand for it: they live, and do nothing.
"""

from dataclasses import replace

import psutil
import pytest

from mnist_core.jobs import automatic, follow, launcher, spawn, standby
from mnist_core.jobs.follow import Follower, Moment
from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from mnist_core.training import cost
from tests.stores import quick_config as config
from tests.unit.jobs.processes import TRAINING, sleeper

CHEAP = cost.Cost(1e-4, 1e-3, 1e-5, start_up=20.0, standby_start=0.1)


@pytest.fixture(autouse=True)
def processes(lab, monkeypatch):
    """Every run is trained by a process that sleeps, and so is the scheduler of those that wait;
    their cost is known, and low."""
    monkeypatch.setattr(follow, "REST", 0.0)
    started = []

    def start(*_):
        started.append(sleeper())
        return started[-1]

    monkeypatch.setattr(standby, "take", lambda *_: psutil.Process(start().pid))
    monkeypatch.setattr(spawn, "start", start)
    cost.save(lab, config(), CHEAP)
    yield started
    for process in started:
        process.kill()
        process.wait()


@pytest.fixture
def visitor():
    return Follower()


def state(store, run_config):
    run = store.find_folder(run_config)
    return run and str(run.state)


def trained(store, run_config, epochs):
    """As if the run's process had finished so many epochs, and were in the next."""
    run = store.find_folder(run_config)
    summary = replace(run.summary, state="running", epochs_done=epochs)
    run.folder.write_summary(summary)
    run.folder.write_progress({"phase": "training", **TRAINING})


def test_a_setting_begins_when_it_has_been_looked_at_for_a_moment(lab, visitor, monkeypatch):
    monkeypatch.setattr(follow, "REST", 100.0)
    assert visitor.look(lab, config()) == visitor.look(lab, config()) == Moment.RESTING
    monkeypatch.setattr(follow, "REST", 0.0)
    monkeypatch.setattr(standby, "is_preparing", lambda store: True)
    assert visitor.look(lab, config()) == Moment.RESTING
    monkeypatch.setattr(standby, "is_preparing", lambda store: False)
    assert visitor.look(lab, config()) == Moment.STARTED
    assert visitor.look(lab, config()) == Moment.TRAINING and state(lab, config()) == "queued"


def test_what_is_costly_unknown_or_without_data_never_begins(lab, visitor, monkeypatch, tmp_path):
    assert visitor.look(lab, config(epochs=1000)) == Moment.TOO_LONG
    assert visitor.look(lab, config(activation="Tanh", epochs=1000)) == Moment.TOO_LONG
    assert visitor.look(lab, config(rotation=5)) == Moment.UNKNOWN
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    assert visitor.look(lab, config()) == Moment.NOT_ASKED
    assert lab.list()[0] == []


@pytest.mark.parametrize("epochs, left", [(0, None), (1, "paused")])
def test_moving_on_ends_the_run_and_keeps_it_once_it_has_an_epoch(lab, visitor, epochs, left):
    visitor.look(lab, config())
    process = lab.find_folder(config()).summary.process
    if epochs:
        trained(lab, config(), epochs)
        other = config(seed=2)
        assert visitor.look(lab, other) == Moment.LEAVING  # there is never a second one
        assert lab.folder(config().id).requested() == "pause"
        assert visitor.look(lab, other) == Moment.LEAVING and state(lab, other) is None
        launcher.stop(lab, config().id, grace=0.1, state=left)  # as the process would
    assert visitor.look(lab, config(seed=2)) == Moment.STARTED
    assert state(lab, config()) == left and not process.find()
    assert visitor.look(lab, config()) == Moment.STARTED  # it begins anew, or goes on
    assert state(lab, config()) == "queued" and state(lab, config(seed=2)) is None
    assert lab.find_folder(config()).summary.epochs_done == epochs


def test_a_run_that_a_person_asks_for_goes_on_when_the_visitor_moves(lab, visitor):
    launcher.start(lab, config())
    assert visitor.look(lab, config()) == Moment.TRAINING
    visitor.look(lab, config(seed=2))
    launcher.start(lab, config(seed=2))  # a button, on a page that did not show yet that it runs
    visitor.look(lab, config(seed=3))
    assert [state(lab, config(seed=seed)) for seed in (1, 2, 3)] == ["queued"] * 3


def test_a_run_that_another_visitor_looks_at_goes_on_too(lab, visitor):
    other = Follower()
    visitor.look(lab, config())
    assert other.look(lab, config()) == Moment.TRAINING
    assert visitor.look(lab, config(seed=2)) == Moment.STARTED
    assert state(lab, config()) == "queued"
    assert other.look(lab, config(seed=3)) == Moment.STARTED
    assert state(lab, config()) is None


@pytest.mark.parametrize("end", [launcher.pause, launcher.stop])
def test_what_a_person_paused_or_stopped_does_not_begin_again(lab, visitor, end):
    visitor.look(lab, config())
    end(lab, config().id)
    ended = state(lab, config())
    assert visitor.look(lab, config()) == Moment.NOT_ASKED
    visitor.look(lab, config(seed=2))
    assert visitor.look(lab, config()) == Moment.NOT_ASKED and state(lab, config()) == ended


def test_a_finished_run_stays_and_nothing_is_remembered_of_it(lab, visitor):
    visitor.look(lab, config())
    run = lab.find_folder(config())
    for done in ("running", "done"):
        run.folder.write_summary(Summary(done, process=Process.of(run.summary.process.pid)))
    assert visitor.look(lab, config()) == Moment.TRAINED
    visitor.look(lab, config(seed=2))
    assert state(lab, config()) == "done"
    assert [path.name.partition(".")[0] for path in (lab.root / ".automatic").iterdir()] == [
        config(seed=2).id
    ]


def test_a_visitor_who_wants_it_no_more_ends_nothing(lab, visitor):
    visitor.look(lab, config())
    visitor.stop_following(lab)
    assert visitor.look(lab, config(seed=2)) == Moment.STARTED
    assert state(lab, config()) == "queued"
    assert not automatic.marked_for(lab, "somebody else")
