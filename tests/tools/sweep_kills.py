"""Kills the parent and the workers of a sweep at random moments, and looks whether a trial is lost.

    python -m tests.tools.sweep_kills [--trials 200] [--kills 10] [--clock] [--folder F]

Real trials of one epoch on 240 images. Every other kill hits the parent, which is then started
again with the same command; with `--clock`, the clock jumps at each. In the end every trial must
have the history of its setting trained unbroken. Prints one JSON object; exit status 1 when a trial
was lost, was done twice or differs, and when a process is left behind.
"""

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import psutil

from mnist_core.config import Execution, RunConfig
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.extend import RECORDED
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.storage import JOURNAL, open_storage
from mnist_core.sweeps.study import find_study
from tests.idx_data import write_dataset
from tests.tools.faulting.bits import TIMING
from tests.tools.faulting.clock import Clock

SEARCH = ("--recipe", "grid", "--epochs", "1", "--lr", "1e-3..0.3:log", "--dropout", "0..0.5")
STARTING = 300.0  # seconds in which another trial must be done
WRONG = ("failed", "differing", "processes_left")


def command(trials: int) -> list[str]:
    sweep = [sys.executable, "-m", "mnist_core", "sweep", "--name", "killed", "--trials"]
    more = ["--at-once", "2", "--sampler", "random", "--pruner", "none", "--winner-seeds", "0"]
    return [*sweep, str(trials), *more, *SEARCH]


class Sweep:
    """The command in a process of its own, started again whenever it was killed."""

    def __init__(self, folder: Path, trials: int) -> None:
        self.folder, self.trials = folder, trials
        self.environment = {
            **os.environ,
            "MNIST_CHECKPOINTS": str(folder / "store"),
            "MNIST_DATA": str(write_dataset(folder / "data")),
            "MNIST_STUDIES": "",
        }
        self.start()

    def start(self) -> None:
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                command(self.trials), env=self.environment, stdout=log, stderr=log
            )

    def done(self) -> int:
        path = self.folder / "store" / JOURNAL
        if not path.exists() or not path.stat().st_size:
            return 0
        study = find_study(open_storage(str(path)), str(path), "killed")
        return int(study.status()["trials_done"])

    def left(self) -> int:
        """How many processes still work in this store."""
        found = 0
        for process in psutil.process_iter():
            try:
                mine = process.environ().get("MNIST_CHECKPOINTS")
                asleep = process.status() == psutil.STATUS_ZOMBIE
                found += mine == self.environment["MNIST_CHECKPOINTS"] and not asleep
            except psutil.Error:
                continue
        return found

    def kill(self, parent: bool) -> bool:
        """Kills one process with signal 9; whether there was one."""
        victims = [psutil.Process(self.process.pid)]
        workers = [p for p in victims[0].children() if "sweep-worker" in p.cmdline()]
        if not parent:
            victims = workers
        if victims:
            random.choice(victims).send_signal(signal.SIGKILL)
        if parent:
            self.process.wait()
            self.start()
        return bool(victims)

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + STARTING
        while self.done() < count and self.process.poll() is None:
            if time.monotonic() > deadline:
                raise SystemExit(f"no trial was done for {STARTING:.0f} seconds")
            time.sleep(0.2)


def differing(trials: list[Any], folder: Path) -> int:
    """How many trials' histories are not what their settings give without a break."""
    os.environ["MNIST_DATA"] = str(folder / "data")
    count, whole = 0, RunStore(folder / "whole")
    for trial in trials:
        (record,) = trial.user_attrs["runs"]
        summary = record["summary"]
        known = {name: summary[name] for name in RECORDED if summary.get(name) is not None}
        run = carry_out(whole, RunConfig.from_dict(record["config"]), Execution(**known))
        kept = [place for place, name in enumerate(HISTORY) if name not in TIMING]
        rows = [[row[place] for place in kept] for row in record["history"]]
        again = [[row[HISTORY[place]] for place in kept] for row in run.history]
        count += rows != again
    return count


def torture(folder: Path, trials: int, kills: int, clock: Clock) -> dict[str, object]:
    sweep, began, hits = Sweep(folder, trials), time.monotonic(), {"parent": 0, "worker": 0}
    for number in range(kills):
        sweep.wait_for(round((number + 0.5) * trials / (kills + 1)))
        time.sleep(random.random())
        clock.jump(random.Random())
        if sweep.process.poll() is None:
            parent = bool(number % 2)
            hits["parent" if parent else "worker"] += sweep.kill(parent)
    status = sweep.process.wait()
    path = folder / "store" / JOURNAL
    study = find_study(open_storage(str(path)), str(path), "killed")
    ids = [trial.user_attrs["runs"][0]["id"] for trial in study.trials()]
    return {
        "trials": trials,
        "killed": hits,
        "exit_status": status,
        "done": study.status()["trials_done"],
        "failed": study.status()["trials_failed"],
        "different_runs": len(set(ids)),
        "differing": differing(study.trials(), folder),
        "processes_left": sweep.left(),
        "clock_jumps": clock.jumps,
        "seconds": round(time.monotonic() - began),
    }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--clock", action="store_true", help="it jumps, too")
    parser.add_argument("--folder", type=Path)
    options = parser.parse_args()
    folder = options.folder or Path(tempfile.mkdtemp())
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(folder / "clock", options.clock)
    result = torture(folder, options.trials, options.kills, clock)
    print(json.dumps(result))
    whole = result["done"] == options.trials == result["different_runs"]
    return 0 if whole and not any(result[name] for name in WRONG) else 1


if __name__ == "__main__":
    sys.exit(main())
