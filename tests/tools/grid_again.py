"""Trains some of the grid's runs again and compares them with those in the store, bit by bit.

    python -m tests.tools.grid_again [--runs N] [--seed N] [--at-once N]

Prints a line for each run that differs; the exit status is 1 if there is one. Only times may
differ. MNIST_CHECKPOINTS is the store that has the grid, by default the one that ships.
"""

import argparse
import random
import sys
import tempfile
from dataclasses import replace

import numpy as np

from mnist_core.models.grid import DATASETS
from mnist_core.reproduce.grid import make_grid
from mnist_core.runs.bundle import BundledRun, read_bundle
from mnist_core.runs.store import RunStore

TIMES = ("seconds", "images_per_second")


def differences(kept: BundledRun, again: BundledRun) -> list[str]:
    """What is not the same in both."""
    known = replace(again.summary, created=kept.summary.created, seconds=kept.summary.seconds)
    pairs = {
        "figures": (kept.summary, known),
        "history": (_without_times(kept), _without_times(again)),
        "step losses": (kept.step_losses, again.step_losses),
        "kernels": (_as_list(kept.first_kernels()), _as_list(again.first_kernels())),
        "mistakes": tuple(
            [_as_list(values) for values in vars(run.mistakes()).values()] if run.mistakes() else []
            for run in (kept, again)
        ),
    }
    return [name for name, (a, b) in pairs.items() if a != b]


def _without_times(run: BundledRun) -> list[dict[str, float]]:
    return [{k: v for k, v in row.items() if k not in TIMES} for row in run.history]


def _as_list(values: np.ndarray | None) -> list | None:
    return None if values is None else values.tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=50)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--at-once", type=int, default=2)
    options = parser.parse_args()
    store = RunStore()
    kept = {k: v for name in DATASETS for k, v in read_bundle(store.bundle_path(name)).runs.items()}
    chosen = random.Random(options.seed).sample(sorted(kept), min(options.runs, len(kept)))
    different = 0
    with tempfile.TemporaryDirectory() as folder:
        configs = [kept[run_id].config for run_id in chosen]
        for again in make_grid(RunStore(folder), options.at_once, configs=configs):
            found = differences(kept[again.id], again)
            different += bool(found)
            if found:
                print(f"{again.id}: {', '.join(found)} differ")
    print(f"{len(chosen)} runs, of which {different} differ")
    sys.exit(bool(different))


if __name__ == "__main__":
    main()
