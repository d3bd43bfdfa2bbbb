"""A search of the grid's settings, whose training is replayed from the grid that ships.

    python -m tests.tools.sweep_replay [--times 3] [--ranges] [--sampler tpe] [--pruner percentile]
        [--tpe JSON] [--percentile JSON] [--seed N] [--keep STORE]

Every setting of the grid was trained once, with its curve and the seconds of each epoch in
`checkpoints/grid`: a trial takes what is kept, epoch by epoch, and is ended early as a real one
would be. So the search is real, and its training time is known without training. With `--ranges` it
searches the page's own space, in which learning rate and dropout are ranges, and a trial takes the
nearest setting of the grid; each one costs its whole time, also where that was taken before.
A search ends once it has found a setting as good as the grid's best, or a third of the grid's time
is over. `--tpe` and `--percentile` replace the lab's sampler and pruner by Optuna's with these
arguments, and `--seed` makes searches that can be repeated, each with a seed of its own. Prints one
JSON object: how long the grid took, and for each search its best accuracy and after which share of
the grid's time it ended.
"""

import argparse
import json
import math
import sys
import tempfile
from pathlib import Path

import optuna

from mnist_core.models.grid import AXES, MODEL, RECIPE
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.sweeps.collect import collect_curves
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.record import RecordedRun
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.study import Study, make_study
from mnist_core.sweeps.worker import Worker

PART = 1 / 3  # of the grid's training time
TRIALS = 3000  # more than fit into that time


def nearest(config):
    """The setting of the grid that is nearest to this one."""
    lr = min(AXES["lr"], key=lambda value: abs(math.log(value / config.lr)))
    dropout = min(AXES["dropout"], key=lambda value: abs(value - config.dropout))
    return config.replace(lr=lr, dropout=dropout)


def space(dataset: str, ranges: bool):
    """The page's own space, or the settings of the grid alone."""
    axes = {name: [*values] for name, values in AXES.items()}
    axes |= {"lr": "0.001..1:log", "dropout": "0..0.5"} if ranges else {}
    return read_space({"model": MODEL, "dataset": dataset, **axes}, RECIPE)


class Replay:
    """Trains by looking up; `seconds` is what that training took, `best` what it found."""

    def __init__(self, runs: dict, limit: float) -> None:
        self.runs, self.limit, self.seconds, self.best = runs, limit, 0.0, 0.0
        self.goal = max(run.summary.validation_accuracy or 0.0 for run in runs.values())

    @property
    def reached(self) -> bool:
        return self.best >= self.goal

    @property
    def over(self) -> bool:
        return self.reached or self.seconds >= self.limit

    def __call__(self, store, config, execution, *, on_progress, signalled):
        kept, rows = self.runs[nearest(config).id], []
        for row in kept.history:
            rows.append(row)
            self.seconds += row["seconds"]
            on_progress({"phase": "epoch", **row, "epoch": int(row["epoch"])})
            if len(rows) < len(kept.history) and signalled():
                summary = Summary(RunState.STOPPED, epochs_done=len(rows))
                return RecordedRun(store.root / config.id, config, summary, rows)
        if self.seconds < self.limit:
            self.best = max(self.best, kept.summary.validation_accuracy or 0.0)
        return RecordedRun(store.root / config.id, config, kept.summary, rows)


def search(runs: dict, study: Study, limit: float, folder: Path) -> dict:
    replay = Replay(runs, limit)
    store = RunStore(folder)
    Worker(study, store, str(folder / "weights"), lambda: replay.over, train_one=replay).work()
    collect_curves(study, store)
    status = study.status()
    return {
        "best": replay.best,
        "as_good_as_the_grid": replay.reached,
        "share_of_grid_time": round(replay.seconds * PART / limit, 3),
        "trials": status["trials_done"],
        "ended_early": status["trials_pruned"],
    }


class OtherStudy(Study):
    """One whose sampler and pruner are given."""

    def prepare(self) -> None:
        pass


def study_of(options: argparse.Namespace, number: int) -> Study:
    """A study in memory with the lab's sampler and pruner, or those of the options."""
    chosen = space(options.dataset, options.ranges)
    plan = Plan(chosen, options.sampler, options.pruner)
    study = make_study(optuna.storages.InMemoryStorage(), "memory", "replay", plan, TRIALS)
    study.prepare()
    if options.tpe is not None or options.seed is not None:
        seed = None if options.seed is None else options.seed + number
        study.optuna_study.sampler = optuna.samplers.TPESampler(seed=seed, **(options.tpe or {}))
    if options.percentile is not None:
        study.optuna_study.pruner = optuna.pruners.PercentilePruner(**options.percentile)
    return OtherStudy(**vars(study))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--dataset", default="MNIST")
    parser.add_argument("--times", type=int, default=3)
    parser.add_argument("--sampler", default="tpe")
    parser.add_argument("--pruner", default="percentile")
    parser.add_argument("--ranges", action="store_true", help="search the page's own space")
    parser.add_argument("--tpe", type=json.loads, help="arguments of Optuna's TPESampler")
    parser.add_argument("--percentile", type=json.loads, help="arguments of its PercentilePruner")
    parser.add_argument("--seed", type=int, help="of the first search")
    parser.add_argument("--keep", type=Path, help="a folder that keeps the last search")
    options = parser.parse_args()
    runs = dict(read_bundle(RunStore("checkpoints").bundle_path(options.dataset)).runs)
    seconds = sum(run.summary.seconds or 0.0 for run in runs.values())
    found = []
    for number in range(options.times):
        with tempfile.TemporaryDirectory() as temporary:
            last = options.keep and number == options.times - 1
            folder = options.keep if last else Path(temporary)
            found.append(search(runs, study_of(options, number), PART * seconds, folder))
        print(json.dumps(found[-1]), file=sys.stderr, flush=True)
    accuracies = [run.summary.validation_accuracy or 0.0 for run in runs.values()]
    grid = {"settings": len(runs), "seconds": round(seconds), "best": max(accuracies)}
    as_good = sum(each["as_good_as_the_grid"] for each in found)
    print(json.dumps({"grid": grid, "as_good_as_the_grid": as_good, "searches": found}, indent=1))


if __name__ == "__main__":
    main()
