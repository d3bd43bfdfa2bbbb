"""The heartbeat of a process that computes; an idle one gives none."""

import os
import time

from mnist_core.jobs.heartbeat import beating
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from tests.stores import quick_config as config


def test_a_busy_process_beats_and_an_idle_one_does_not(lab, monkeypatch):
    run = lab.create(config(), Summary("running", process=Process.of(os.getpid())))
    beats = []
    monkeypatch.setattr(RunFolder, "beat", lambda self: beats.append(self.id))
    with beating(run.folder, period=0.05):
        time.sleep(0.3)
        assert not beats
        end = time.monotonic() + 0.3
        while time.monotonic() < end:
            sum(range(1000))
        assert beats
    monkeypatch.undo()
    os.utime(run.folder.summary_file, (1, 1))
    assert lab.get(run.id).unresponsive
    run.folder.beat()
    assert not lab.get(run.id).unresponsive
