"""The queue: who waits, who is next, and how many share the machine."""

import os
import shutil
import signal

import psutil
import pytest

from mnist_core.jobs import launcher, queue
from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from tests.unit.jobs.processes import age, at_work, sleeper, wait_for


@pytest.fixture(autouse=True)
def nobody_left(store):
    """Processes that only stand for training end with their test."""
    yield
    for run in store.list()[0]:
        launcher.stop(store, run.id, grace=0.1)


def waiting(store, *seeds):
    """Runs that join the queue in this order."""
    process = sleeper()  # ended with the test, as the last to stop is
    runs = [at_work(store, process, seed, "queued") for seed in seeds]
    for run in runs:
        queue.join(store, run.id)
    return runs


def test_the_queue_is_first_come_first_served(store):
    first, second, third = waiting(store, 3, 1, 2)
    assert [queue.ahead(store, run.id) for run in (first, second, third)] == [0, 1, 2]
    assert queue.take_slot(store, second.id, 1) is None
    slot = queue.take_slot(store, first.id, 1)
    assert slot.sharing == 1 and queue.ahead(store, second.id) == 0
    assert queue.take_slot(store, second.id, 1) is None
    more = queue.take_slot(store, second.id, 2)  # the setting may change at any moment
    assert more.sharing == 2 and queue.take_slot(store, third.id, 2) is None
    more.release()
    assert queue.take_slot(store, third.id, 1) is None
    slot.release()
    assert queue.take_slot(store, third.id, 1)
    assert len(list(store.root.glob(".locks/place-*"))) == 2


def test_waiting_runs_share_the_machine_and_a_single_run_gets_all_of_it(store, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    first, second, third, last = waiting(store, 1, 2, 3, 4)
    one = queue.take_slot(store, first.id, 0)
    two = queue.take_slot(store, second.id, 0)
    assert one.sharing == two.sharing == 2
    assert queue.take_slot(store, third.id, 0) is None
    one.release()
    three = queue.take_slot(store, third.id, 0)
    assert three.sharing == 2 and queue.take_slot(store, last.id, 0) is None
    two.release()
    three.release()
    alone = queue.take_slot(store, last.id, 0)
    assert alone.sharing == 1
    queue.join(store, first.id)
    assert queue.take_slot(store, first.id, 0) is None  # all places are taken
    alone.release()
    assert queue.take_slot(store, first.id, 0).sharing == 1


def test_a_ticket_without_a_living_process_is_ignored(store):
    dead, hung, paused, last = waiting(store, 1, 2, 3, 4)
    gone = Process(pid=dead.summary.process.pid, started=1.0, host=dead.summary.process.host)
    dead.folder.write_summary(Summary("queued", process=gone))
    halted = sleeper()
    hung.folder.write_summary(Summary("queued", process=Process.of(halted.pid)))
    halted.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(halted.pid).status() == psutil.STATUS_STOPPED)
    age(last, 40)  # a clock that was set, or a slow disk, costs nobody the place
    paused.folder.write_summary(Summary("paused"))
    (store.root / ".queue" / "no ticket").touch()
    assert queue.ahead(store, last.id) == 0 and queue.first(store).id == last.id
    shutil.rmtree(hung.path)
    halted.kill()
    assert queue.take_slot(store, last.id, 1)


def test_a_clock_that_is_set_back_keeps_the_order(store, monkeypatch):
    for seed, now in enumerate((5_000, 4_000, 4_000, 9_000), start=1):
        monkeypatch.setattr("time.time_ns", lambda now=now: now)
        queue.join(store, f"mnist-lenet5-{seed:010d}")
    assert [run_id[-1] for run_id in queue.ids(store)] == ["1", "2", "3", "4"]
