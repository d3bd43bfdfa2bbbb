"""One visitor asks for a thousand runs: how many are refused, and what those that wait cost.

    python -m tests.tools.flood [--launches 1000] [--seconds 30] [--json]

Runs of LeNet-5 on a small data set, one at a time, with the limits that hold when none are set.
What waiting costs is told in two ways: the processor time of all processes of the lab but the one
that trains, as a share of one core; and how many epochs the run that trains makes in a second
of its own processor time, alone and with the others waiting, which other load changes little.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import psutil

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.jobs import launcher, scheduler
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.permissions import Visitor
from mnist_core.jobs.visitors import key_of
from mnist_core.models import make_config
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from tests.idx_data import write_dataset
from tests.tools.faulting.bits import trainers
from tests.tools.live_server import until
from tests.tools.report import in_lines

EPOCHS = 1000


def config(seed: int) -> RunConfig:
    """With so many steps an epoch that keeping its ever longer history takes little."""
    return make_config("lenet5", epochs=EPOCHS, batch_size=2, seed=seed)


def begin_first(store: RunStore) -> tuple[str, psutil.Process]:
    """A run that trains, and its process."""
    run = launcher.start(store, config(0))
    until(lambda: store.get(run.id).summary.epochs_done >= 2, "training does not begin")
    identity = store.get(run.id).summary.process
    process = identity and identity.find()
    assert process
    return run.id, process


def speed(store: RunStore, run_id: str, process: psutil.Process, seconds: float) -> float:
    """Epochs that it trains in a second of its own processor time."""
    first, before = store.get(run_id).summary.epochs_done, sum(process.cpu_times()[:2])
    time.sleep(seconds)
    done = store.get(run_id).summary.epochs_done - first
    return done / (sum(process.cpu_times()[:2]) - before)


def flood(store: RunStore, launches: int) -> dict[str, object]:
    """Asks for so many runs; how many there were, and what was said to the others."""
    visitor = Actions(store, Visitor(key_of("one visitor"), trusted=False))
    said, began = Counter[str](), time.process_time()
    for seed in range(1, launches + 1):
        try:
            visitor.start(config(seed))
            said["started"] += 1
        except LabError as error:
            said[str(error)] += 1
    spent = time.process_time() - began
    return {**said, "cpu_ms_a_launch": round(1000 * spent / launches, 1)}


def measure(store: RunStore, launches: int, seconds: float) -> dict[str, object]:
    store.set_at_once(1)
    run_id, process = begin_first(store)
    alone = speed(store, run_id, process, seconds)
    answers = flood(store, launches)
    waits = scheduler.running(store)
    waiter = waits and waits.find()
    assert waiter
    others = [waiter, *(psutil.Process(pid) for pid in trainers(store) if pid != process.pid)]
    began, before = time.monotonic(), sum(sum(each.cpu_times()[:2]) for each in others)
    beside = speed(store, run_id, process, seconds)
    spent = sum(sum(each.cpu_times()[:2]) for each in others) - before
    live = sum(run.state in LIVE for run in store.list()[0])
    return {
        "launches": answers,
        "in_progress": live,
        "processes_that_wait": len(others),
        "waiting_percent_of_a_core": round(100 * spent / (time.monotonic() - began), 2),
        "waiting_mb": sum(each.memory_info().rss for each in others) // 2**20,
        "epochs_a_cpu_second_alone": round(alone, 3),
        "epochs_a_cpu_second_with_others_waiting": round(beside, 3),
        "ratio": round(beside / alone, 3),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.flood", description=__doc__)
    parser.add_argument("--launches", type=int, default=1000)
    parser.add_argument("--seconds", type=float, default=30.0, help="of each measurement")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        os.environ["MNIST_DATA"] = str(write_dataset(Path(name) / "data"))
        store = RunStore(Path(name) / "store")
        store.root.mkdir()
        try:
            result = measure(store, options.launches, options.seconds)
        finally:
            for run in reversed(store.list()[0]):
                launcher.stop(store, run.id, grace=0.1)
    print(json.dumps(result) if options.json else in_lines(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
