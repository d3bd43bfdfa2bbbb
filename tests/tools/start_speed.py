"""Measures how long training takes to begin: from `launcher.start` to a run's first step.

    python -m tests.tools.start_speed [--rounds N] [--model M] [--json]

A round starts one run with a process on standby and one with a new process, in random order;
each is ended after its first step. A network is compiled before anything is measured.
"""

import argparse
import json
import os
import random
import statistics
import sys
import tempfile
import time
from pathlib import Path

from mnist_core.config import RunConfig
from mnist_core.jobs import launcher, spawn, standby
from mnist_core.models.grid import opening_config
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from tests.tools.live_server import until
from tests.tools.report import in_lines


def new_process(store: RunStore, run: Run) -> launcher.Worker:
    """A new process, whatever is on standby."""
    command = ["train", "--resume", run.id, "--queue"]
    return spawn.start(store, command, run.folder.log_file)


def seconds_to_first_step(store: RunStore, config: RunConfig, warm: bool) -> float:
    """Starts the run and ends it again."""
    if warm:
        standby.prepare(store, config)
        until(lambda: standby.is_ready(store), "no process on standby")
        launch = {}
    else:
        launch = {"spawn_worker": new_process}
    began = time.perf_counter()
    run = launcher.start(store, config, **launch)
    until(lambda: run.folder.progress().get("phase") == "training", "no first step")
    seconds = time.perf_counter() - began
    launcher.stop(store, run.id, grace=0.1)
    return seconds


def measure(model: str, rounds: int) -> dict[str, object]:
    """Medians over the rounds, in seconds, and that of the rounds' ratios."""
    times: dict[bool, list[float]] = {True: [], False: []}
    with tempfile.TemporaryDirectory() as folder:
        store = RunStore(Path(folder))
        config = opening_config(model).replace(epochs=1000)
        seconds_to_first_step(store, config, warm=True)  # compiles
        for seed in range(1, rounds + 1):
            for warm in random.sample([True, False], 2):
                each = config.replace(seed=2 * seed + warm)
                times[warm].append(seconds_to_first_step(store, each, warm))
        standby.end(store)
    ratios = [cold / warm for cold, warm in zip(times[False], times[True], strict=True)]
    return {
        "model": model,
        "rounds": rounds,
        "standby_s": round(statistics.median(times[True]), 3),
        "new_process_s": round(statistics.median(times[False]), 3),
        "ratio": round(statistics.median(ratios), 1),
        "ratio_range": [round(min(ratios), 1), round(max(ratios), 1)],
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.start_speed", description=__doc__)
    parser.add_argument("--rounds", type=int, default=10)
    parser.add_argument("--model", default="lenet5")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    result = measure(options.model, options.rounds)
    if options.json:
        print(json.dumps(result))
    else:
        print(in_lines(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
