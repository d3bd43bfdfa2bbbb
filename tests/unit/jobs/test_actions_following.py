"""Runs that begin by themselves: whose they are, and what becomes of them when they are left."""

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import automatic, visitors
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.follow import Follower, Moment
from mnist_core.runs.about import About
from tests.stores import make_run, quick_config
from tests.unit.jobs.people import ANNE, BOB, ME, TEACHER

pytestmark = pytest.mark.usefixtures("nothing_against_following")


def test_what_began_by_itself_is_counted_and_owned(store, started, monkeypatch):
    assert Actions(store, ANNE).follow(Follower(), quick_config()) is Moment.STARTED
    assert visitors.done_lately(store, ANNE.key, "launches") == 1
    assert visitors.owner(store, quick_config().id) == ANNE.key


def test_what_is_left_ends_even_if_nothing_more_may_begin(store, started, monkeypatch):
    follower, first = Follower(), make_run(store, quick_config(), state="running", process=ME)
    automatic.mark(store, first.id, follower.visitor)
    monkeypatch.setenv("MNIST_LIMITS", "launches_per_hour = 0")
    assert Actions(store, ANNE).follow(follower, quick_config(seed=2)) is Moment.LEAVING
    assert started == [first.id] and automatic.is_left(store, first.id)  # it was paused
    make_run(store, first.config, state="paused")
    with pytest.raises(LabError, match="You may start 0"):
        Actions(store, ANNE).follow(follower, quick_config(seed=2))
    assert started == [first.id]


def test_looking_at_a_run_of_somebody_else_does_not_take_it_away(store, started):
    anne, bob, run = Follower(), Follower(), quick_config()
    Actions(store, ANNE).follow(anne, run)
    automatic.mark(store, run.id, anne.visitor)  # as the launcher does
    assert Actions(store, BOB).follow(bob, run) is Moment.TRAINING
    assert automatic.marked_for(store, anne.visitor) == [run.id]
    Actions(store, BOB).follow(bob, quick_config(seed=2))
    assert started == [run.id, quick_config(seed=2).id]  # and nothing was paused
    assert Actions(store, TEACHER).follow(bob, run) is Moment.TRAINING
    assert automatic.marked_for(store, bob.visitor) == [run.id]


def test_what_is_left_may_be_trained_on_and_nothing_else(store, started):
    run = make_run(store, quick_config(), state="paused")
    visitors.set_owner(store, run.id, ANNE.key)
    automatic.mark(store, run.id, "tab")
    assert not Actions(store, BOB).may_continue(run)
    automatic.let_go(store, run.id, "tab")
    bob = Actions(store, BOB)
    assert bob.may_continue(run) and not bob.may_control(run)
    for act in (bob.delete, lambda run_id: bob.annotate(run_id, About("mine"))):
        with pytest.raises(LabError, match="Somebody else"):
            act(run.id)
    bob.start(run.config)
    assert visitors.owner(store, run.id) == BOB.key
