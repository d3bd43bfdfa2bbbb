"""A run is believed to be in progress only while its process is there."""

import os

import psutil

from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary


def test_a_run_counts_as_running_only_while_its_process_lives(store):
    me = Process.of(os.getpid())
    cases = {
        "running": me,
        "interrupted": Process(me.pid, me.started - 100, me.host),  # the pid was reused
    }
    for state, process in cases.items():
        assert Summary("running", process=process).true_state() == state
    assert Summary("running").true_state() == "interrupted"
    assert Summary("done").true_state() == "done"
    gone = psutil.Popen(["true"])
    identity = Process.of(gone.pid)
    gone.wait()
    assert Summary("queued", process=identity).true_state() == "interrupted"
