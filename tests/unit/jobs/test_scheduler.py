"""The scheduler: one process for all that wait, whichever process is killed at whatever moment.

Its work is done here in the tests' own process; processes that only live stand for it and for
those that train.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass, field
from itertools import pairwise

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import launcher, queue, scheduler, spawn
from mnist_core.jobs.scheduler import ROLE, Scheduler
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from tests.stores import quick_config as config
from tests.unit.jobs.killing import each_kill
from tests.unit.jobs.processes import make_clock_jump, wait_for


@dataclass
class Lab:
    """A store whose processes only live, and what was started in it."""

    store: object
    schedulers: list = field(default_factory=list)
    workers: dict = field(default_factory=dict)  # by the run's id

    def launch(self, *seeds):
        return [launcher.start(self.store, config(seed=seed), self.worker) for seed in seeds]

    def worker(self, store, run):
        return self.workers.setdefault(run.id, subprocess.Popen(["sleep", "600"]))

    def start_scheduler(self, store, arguments, log):
        assert arguments == ["schedule"]
        self.schedulers.append(subprocess.Popen(["sleep", "600"]))
        return self.schedulers[-1]

    def scheduler(self):
        """The work of the scheduler that was started last."""
        process = Process.of(self.schedulers[-1].pid, ROLE)
        return Scheduler(self.store, launcher.begin_waiting, process)

    def states(self, *runs):
        return [self.store.get(run.id).state for run in runs]

    def kill(self, process):
        process.kill()
        process.wait()


@pytest.fixture
def lab(store, monkeypatch):
    lab = Lab(store)
    monkeypatch.setattr(spawn, "start", lab.start_scheduler)
    monkeypatch.setattr(launcher, "spawn_worker", lab.worker)
    yield lab
    for process in (*lab.schedulers, *lab.workers.values()):
        lab.kill(process)


def test_ten_runs_wait_for_one_process(lab):
    runs = lab.launch(*range(1, 11))
    assert len(lab.workers) == 1 and len(lab.schedulers) == 1
    assert {run.summary.process.role for run in runs[1:]} == {ROLE}
    assert set(lab.states(*runs)) == {"queued"}
    work = lab.scheduler()
    work._look()
    assert len(lab.workers) == 1 and runs[-1].folder.progress() == {"phase": "waiting", "ahead": 9}
    queue.leave(lab.store, runs[0].id)  # it trains now
    work._look()
    work._look()
    assert list(lab.workers) == [run.id for run in runs[:2]]
    assert lab.store.get(runs[1].id).summary.process.pid == lab.workers[runs[1].id].pid
    assert runs[2].folder.progress()["ahead"] == 1


def test_a_run_that_waits_is_paused_stopped_and_started_again(lab):
    first, second, third, fourth = lab.launch(1, 2, 3, 4)
    work = lab.scheduler()
    assert launcher.pause(lab.store, second.id).state == "paused"
    assert launcher.stop(lab.store, third.id).state == "stopped"
    assert lab.schedulers[0].poll() is None and lab.states(first, fourth) == ["queued", "queued"]
    fourth.folder.request("pause")  # as another machine asks
    work._look()
    work._look()
    assert lab.states(fourth) == ["paused"] and not work.waiting
    (again,) = lab.launch(2)
    assert again.state == "queued" and queue.ids(lab.store) == [first.id, second.id]


def test_a_killed_scheduler_or_worker_loses_no_place(lab):
    first, second, third = lab.launch(1, 2, 3)
    lab.kill(lab.schedulers[0])
    assert lab.states(first, second, third) == ["queued", "interrupted", "interrupted"]
    (fourth,) = lab.launch(4)
    assert len(lab.schedulers) == 2
    work = lab.scheduler()
    work._look()
    assert lab.states(second, third, fourth) == ["queued"] * 3
    lab.kill(lab.workers[first.id])
    work._look()
    assert list(lab.workers) == [first.id, second.id]
    lab.kill(lab.schedulers[1])
    scheduler.revive(lab.store)  # as a worker does when its run has ended
    scheduler.revive(lab.store)
    assert len(lab.schedulers) == 3
    lab.scheduler()._look()
    assert lab.states(first, second, third, fourth) == ["interrupted", *["queued"] * 3]


def test_it_ends_when_nothing_waits_but_not_while_a_run_joins(lab, monkeypatch):
    monkeypatch.setattr(scheduler, "PERIOD", 0.01)
    monkeypatch.setattr(scheduler, "LINGER", 0.02)
    _, second = lab.launch(1, 2)
    work = lab.scheduler()
    with scheduler.joining(lab.store) as process:
        assert process == work.process and not work._ends()
    assert not work._ends()
    launcher.pause(lab.store, second.id)
    work.work()
    (third,) = lab.launch(3)
    assert len(lab.schedulers) == 2 and third.state == "queued"


def test_a_process_that_no_summary_can_name_is_ended(lab, monkeypatch):
    first, second = lab.launch(1, 2)
    queue.leave(lab.store, first.id)

    def full(self, summary):
        raise LabError("The disk is full")

    with monkeypatch.context() as patch:
        patch.setattr("mnist_core.runs.folder.RunFolder.write_summary", full)
        assert launcher.begin_waiting(lab.store, second.id) is None
    wait_for(lambda: lab.workers[second.id].poll() is not None)


def test_it_ends_with_its_store(lab):
    lab.launch(1, 2)
    work = lab.scheduler()
    scheduler._path(lab.store).unlink()
    work.work()


def test_where_nothing_changes_a_look_reads_only_the_first_run(lab, monkeypatch):
    runs = lab.launch(*range(1, 21))
    work = lab.scheduler()
    work._look()
    told = runs[-1].folder.progress_file
    before, seen = told.stat(), []
    get = RunStore.get
    monkeypatch.setattr(RunStore, "get", lambda *given: seen.append(given[1]) or get(*given))
    for _ in range(5):
        work._look()
    assert seen == 5 * [runs[0].id]
    os.utime(told, (1, 1))
    work.next_beat = 0.0
    work._look()  # a sign of life writes no file anew
    assert told.stat().st_ino == before.st_ino and told.stat().st_mtime > before.st_mtime - 1
    told.unlink()
    work.next_beat = 0.0
    work._look()
    assert runs[-1].folder.progress() == {"phase": "waiting", "ahead": 19}


def test_a_launch_killed_at_any_moment_can_be_made_again(lab):
    first, second = lab.launch(1, 2)
    third = config(seed=3)

    def forget():
        queue.leave(lab.store, third.id)
        shutil.rmtree(lab.store.folder(third.id).path, ignore_errors=True)

    for _ in each_kill(forget, lambda: lab.launch(3), lab.store.root):
        assert not lab.store.list()[1]
        lab.launch(3)
        assert queue.ids(lab.store) == [first.id, second.id, third.id]
        assert lab.states(first, second, third) == ["queued"] * 3
    assert list(lab.workers) == [first.id] and len(lab.schedulers) == 1


def test_a_scheduler_killed_at_any_moment_is_followed_by_another(lab):
    first, second, third = lab.launch(1, 2, 3)
    lab.kill(lab.workers[first.id])
    root, before = lab.store.root, lab.store.root.with_name("before")
    shutil.copytree(root, before)

    def begin_anew():
        shutil.rmtree(root)
        shutil.copytree(before, root)

    for _ in each_kill(begin_anew, lambda: lab.scheduler()._look(), root):
        lab.kill(lab.schedulers[-1])
        scheduler.revive(lab.store)
        lab.scheduler()._look()
        assert not lab.store.list()[1]
        assert queue.ids(lab.store) == [first.id, second.id, third.id]
        assert lab.states(first, second, third) == ["interrupted", "queued", "queued"]
        pids = [lab.store.get(run.id).summary.process.pid for run in (second, third)]
        assert pids == [lab.workers[second.id].pid, lab.schedulers[-1].pid]
    assert len(lab.schedulers) > 4 and len(lab.workers) == 2


def test_a_clock_that_jumps_keeps_the_order_and_hides_nobody(lab, monkeypatch):
    make_clock_jump(monkeypatch)
    runs = lab.launch(1, 2, 3, 4)
    assert queue.ids(lab.store) == [run.id for run in runs]
    work = lab.scheduler()
    for before, run in pairwise(runs):
        work._look()
        assert list(lab.workers)[-1] == before.id
        lab.kill(lab.workers[before.id])
        work._look()
        assert list(lab.workers)[-1] == run.id
    assert lab.states(*runs) == ["interrupted"] * 3 + ["queued"] and len(lab.schedulers) == 1
