"""A run is believed to be in progress only while its process is there."""

import os
import time
from dataclasses import asdict, replace

import psutil

from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.summary import Summary
from tests.stores import quick_config


def test_a_run_counts_as_running_only_while_its_process_lives(store):

    def state(written, process=None):
        return Run(store.root, quick_config(), Summary(written, process=process)).state

    me = Process.of(os.getpid())
    older = Process(me.pid, psutil.Process().create_time(), me.host)  # from before boots were told
    for living in (me, older, Process.from_dict(asdict(me) | {"new": "field"})):
        assert state("running", living) == "running"
    for reused in (replace(me, started=me.started - 100), replace(me, boot="before")):
        assert state("running", reused) == "interrupted"
    if me.boot:
        assert 0 < time.clock_gettime(time.CLOCK_BOOTTIME) - me.started < 24 * 3600
    assert state("running") == "interrupted"
    assert state("done") == "done"
    gone = psutil.Popen(["true"])
    identity = Process.of(gone.pid)
    gone.wait()
    assert state("queued", identity) == "interrupted"
