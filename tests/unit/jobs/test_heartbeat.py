"""The heartbeat of a process that computes; an idle one gives none."""

import os
import threading
import time

from mnist_core.jobs import heartbeat
from mnist_core.jobs.heartbeat import beating
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from tests.stores import quick_config as config
from tests.unit.jobs.processes import wait_for


def test_a_busy_process_beats_and_an_idle_one_does_not(lab, monkeypatch):
    run = lab.create(config(), Summary("running", process=Process.of(os.getpid())))
    beats, looks, busy = [], [], threading.Event()

    def cpu_seconds():
        looks.append("")
        return float(len(looks)) if busy.is_set() else 0.0

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "beat", lambda self: beats.append(self.id))
        patch.setattr(heartbeat, "_cpu_seconds", cpu_seconds)
        with beating(run.folder, period=0.001):
            wait_for(lambda: len(looks) > 9)
            assert not beats
            busy.set()
            wait_for(lambda: beats)
    os.utime(run.folder.summary_file, (1, 1))
    assert lab.get(run.id).unresponsive
    run.folder.beat()
    assert not lab.get(run.id).unresponsive


def compute(seconds=0.1):
    """Until this thread has used so much CPU time."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


def test_work_of_other_threads_counts_and_that_of_the_thread_which_looks_does_not():
    before = heartbeat._cpu_seconds()
    compute()
    own = heartbeat._cpu_seconds() - before
    other = threading.Thread(target=compute)
    other.start()
    other.join()
    assert own < 0.05 and heartbeat._cpu_seconds() - before - own >= 0.1
