"""Kills in the queue: of the scheduler, of the process that is next, and of those that train."""

from __future__ import annotations

import random
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil

from mnist_core.config import RunConfig
from mnist_core.jobs import launcher, scheduler
from mnist_core.models import make_config
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from tests.tools.faulting.bits import check_bits, trainers
from tests.tools.faulting.clock import Clock
from tests.tools.live_server import require, until

PHASES = {"waiting": "the next", "testing": "in the test", "training": "in training"}


def queue_faults(
    store: RunStore, folder: Path, clock: Clock, kills: int, seed: int
) -> dict[str, object]:
    """Five runs, one or two at a time. Raises Lost; returns how often what was killed."""
    chance, killed = random.Random(seed), Counter[str]()
    store.set_at_once(chance.choice((1, 2)))
    configs = [make_config("lenet5", epochs=30, batch_size=32, seed=n) for n in range(1, 6)]
    try:
        while killed.total() < kills and start_all(store, configs):
            time.sleep(chance.uniform(0, 4))
            clock.jump(chance)
            if found := victims(store):
                name, process = chance.choice(found)
                end(process)
                killed[name] += 1
            require(not store.list()[1], f"damaged: {store.list()[1]}")
        until(lambda: not start_all(store, configs), "the queue does not end")
        until(lambda: not trainers(store), "a process is left behind")
    finally:
        for run in store.list()[0]:
            launcher.stop(store, run.id, grace=0.1)
    check_bits([store.get(config.id) for config in configs], RunStore(folder / "whole"))
    require(not list(store.root.glob(".queue/*")), "a place in the queue is left behind")
    return {"queue_kills": dict(killed), "clock_jumps": clock.jumps}


def start_all(store: RunStore, configs: list[RunConfig]) -> int:
    """Starts what is not in progress, as a visitor would; returns how many runs are unfinished."""
    found = [(config, store.find_folder(config)) for config in configs]
    left = [(config, run) for config, run in found if run is None or not run.finished]
    for config, run in left:
        if run is None or run.state not in LIVE:
            launcher.start(store, config)
    return len(left)


def victims(store: RunStore) -> list[tuple[str, psutil.Process]]:
    """The processes of this queue, each with what it is at."""
    found = []
    if process := scheduler.running(store):
        found.append(("scheduler", process))
    for run in store.list()[0]:
        identity = run.summary.process
        if run.state in LIVE and identity and not identity.role:
            phase = str(run.folder.progress().get("phase"))
            found.append((PHASES.get(phase, "at the start"), identity))
    return [(name, process) for name, each in found if (process := each.find())]


def end(process: psutil.Process) -> None:
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        process.kill()
        process.wait(10)
