"""Deleted runs wait an hour, whatever the clock does meanwhile."""

import time

import pytest

from mnist_core.errors import NotFound
from mnist_core.runs import trash
from tests.stores import make_run

DAY = 86_400


@pytest.fixture
def machine(monkeypatch):
    """A machine whose clock, uptime and boot a test sets."""

    class Machine:
        def set(self, clock=0.0, up=1000.0, boot="0123abcd-0"):
            now = 1.8e9 + clock
            monkeypatch.setattr(time, "time", lambda: now)
            monkeypatch.setattr(time, "time_ns", lambda: int(1e9 * now))
            monkeypatch.setattr(trash, "uptime", lambda: up)
            monkeypatch.setattr(trash, "this_boot", lambda: boot)

    machine = Machine()
    machine.set()
    return machine


def comes_back(store, run):
    try:
        return trash.restore(store, run.id) == run
    except NotFound:
        return False


@pytest.mark.parametrize("step", [-DAY, -3700, 3700, DAY, 400 * DAY])
def test_a_step_of_the_clock_takes_no_run_away_and_keeps_none(store, machine, step):
    run = make_run(store)
    trash.delete(store, run.id)
    machine.set(clock=step, up=1000 + trash.KEPT - 1)
    assert comes_back(store, run)
    trash.delete(store, run.id)
    machine.set(clock=step, up=1000 + 2 * trash.KEPT)
    assert not comes_back(store, run) and not list((store.root / ".trash").iterdir())


def test_after_a_restart_it_is_no_older_than_the_boot(store, machine):
    run = make_run(store)
    trash.delete(store, run.id)
    machine.set(clock=400 * DAY, up=60, boot="76543210-1")  # the clock is not right yet
    assert comes_back(store, run)
    trash.delete(store, run.id)
    machine.set(clock=402 * DAY, up=trash.KEPT + 1, boot="01234567-2")
    assert not comes_back(store, run)


def test_another_machine_goes_by_the_clock(store, machine):
    run = make_run(store)
    trash.delete(store, run.id)
    machine.set(clock=60, up=30 * DAY, boot="76543210-1")
    assert comes_back(store, run)


@pytest.mark.parametrize("boot", ["", "0123abcd-0"])  # of an older version; of another machine
def test_a_clock_that_was_set_back_makes_no_run_old(store, machine, boot):
    machine.set(boot=boot)
    run = make_run(store)
    trash.delete(store, run.id)
    machine.set(clock=-DAY, up=30 * DAY, boot=boot and "76543210-1")
    assert comes_back(store, run)


@pytest.mark.parametrize("boot", ["", "0123abcd-0"])
@pytest.mark.parametrize("age, expected", [(-9, True), (9, False)])
def test_where_no_boots_are_told_apart_the_clock_counts(store, machine, boot, age, expected):
    """As in folders that an older version has left in the trash."""
    machine.set(boot="")
    run = make_run(store)
    trash.delete(store, run.id)
    machine.set(clock=trash.KEPT + age, boot=boot)
    assert comes_back(store, run) is expected
