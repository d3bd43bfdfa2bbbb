"""A run is believed to be in progress only while its process is there."""

import os

import psutil

from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.summary import Summary
from tests.stores import quick_config


def test_a_run_counts_as_running_only_while_its_process_lives(store):

    def state(written, process=None):
        return Run(store.root, quick_config(), Summary(written, process=process)).state

    me = Process.of(os.getpid())
    cases = {
        "running": me,
        "interrupted": Process(me.pid, me.started - 100, me.host),  # the pid was reused
    }
    for expected, process in cases.items():
        assert state("running", process) == expected
    assert state("running") == "interrupted"
    assert state("done") == "done"
    gone = psutil.Popen(["true"])
    identity = Process.of(gone.pid)
    gone.wait()
    assert state("queued", identity) == "interrupted"
