"""Processes that are said to train a run, and ways to wait for real ones."""

import itertools
import os
import subprocess
import sys
import time

from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from tests.stores import quick_config

TRAINING = {"epoch": 1, "step": 1, "steps": 2, "images_per_second": 9.0}
TRAINING |= {"seconds_left": 1.0, "losses": []}


def wait_for(condition, seconds=300):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.02)


def sleeper(ignore_term=False):
    """A process that lives and does nothing, and so shows no sign of life either."""
    deaf = "signal.signal(signal.SIGTERM, signal.SIG_IGN);" if ignore_term else ""
    code = f"import signal, time; {deaf} print(flush=True); time.sleep(600)"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def at_work(store, process, seed=1, state="running", **progress):
    """A run that this process is said to train."""
    summary = Summary(state, process=Process.of(process.pid))
    run = store.create(quick_config(seed=seed), summary)
    if progress:
        run.folder.write_progress(progress)
    return store.get(run.id)


def age(run, seconds):
    """Makes the run's last sign of life that old."""
    for path in (run.path / "summary.json", run.path / "progress.json"):
        if path.exists():
            then = time.time() - seconds
            os.utime(path, (then, then))


def make_clock_jump(patch):
    """At each look the clock has jumped, a day ahead or back, and once far into the future."""
    now, jumps = time.time(), itertools.cycle((0, 86_400, -86_400, 1e9, 3600, -3600))
    patch.setattr(time, "time", lambda: now + next(jumps))
    patch.setattr(time, "time_ns", lambda: int(1e9 * (now + next(jumps))))
