"""Kills during `--extend`: while the new run is branched off, while it trains, and as it ends."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from mnist_core.config import Execution, RunConfig
from mnist_core.jobs import spawn
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.store import RunStore
from tests.tools.faulting.bits import check_bits, trainers
from tests.tools.faulting.clock import Clock
from tests.tools.live_server import require, until

PARENT, LONGER = 2, 12  # epochs


def extend_faults(
    store: RunStore, folder: Path, clock: Clock, kills: int, seed: int
) -> dict[str, object]:
    """Extends a run, then another. Raises Lost; returns what the killed processes were at."""
    chance, killed = random.Random(seed), Counter[str]()
    children: list[RunConfig] = []
    while killed.total() < kills:
        fields = {"schedule": chance.choice(("constant", "step", "plateau")), "batch_size": 32}
        parent = make_config("lenet5", epochs=PARENT, seed=len(children) + 1, **fields)
        carry_out(store, parent, Execution(threads=1, device="cpu"))
        child = parent.replace(epochs=LONGER)
        children.append(child)
        while (phase := extend_until_killed(store, parent.id, child, chance)) != "done":
            clock.jump(chance)
            killed[phase] += 1
            require(not store.list()[1], f"damaged: {store.list()[1]}")
            if killed.total() >= kills:
                break
        extend(store, parent.id).wait()
    until(lambda: not trainers(store), "a process is left behind")
    check_bits([store.get(child.id) for child in children], RunStore(folder / "whole"))
    return {"extend_kills": dict(killed)}


def extend(store: RunStore, parent: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "mnist_core", "train", "--extend", parent]
    command += ["--epochs", str(LONGER), "--json"]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, env=spawn.environment(store), stdout=quiet, stderr=quiet)


def extend_until_killed(
    store: RunStore, parent: str, child: RunConfig, chance: random.Random
) -> str:
    """What the process was at when it was killed; "done" when it came to its end before."""
    process = extend(store, parent)
    at = chance.choice(("branching off", "training", "the end"))
    until(lambda: process.poll() is not None or has_come_to(store, child, at), f"not at {at}")
    time.sleep(chance.uniform(0, {"branching off": 0.2, "training": 2, "the end": 0.1}[at]))
    process.kill()
    process.wait()
    run = store.find_folder(child)
    return "done" if run and run.finished else at


def has_come_to(store: RunStore, child: RunConfig, at: str) -> bool:
    run = store.find_folder(child)
    if at == "branching off":
        return run is not None
    if at == "training":
        return run is not None and run.folder.progress().get("phase") == "training"
    return run is not None and run.summary.epochs_done == LONGER
