"""The command `reproduce`: the grid, the zoo, and the table of what the zoo reached."""

import os
import sys
import time
from argparse import ArgumentParser, Namespace
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from mnist_core.cli.command import Answer, command
from mnist_core.formatting import duration, percent
from mnist_core.jobs.pool import Made
from mnist_core.models.grid import DATASETS
from mnist_core.reproduce.frontier_table import frontier_markdown, frontier_results
from mnist_core.reproduce.results import markdown, results
from mnist_core.rules import Choice, Whole, check_value
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import AUTOMATIC, RunStore, check_at_once

SEEDS = Whole(1, 1000)
TABLES = ("zoo", "frontier")


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        choices=("grid", "zoo", "frontier", "searched", "table"),
        help="grid: a run for every setting of the sliders; zoo: every network of the references; "
        "frontier: the most accurate network of each size; "
        "searched: a study's best setting that diverges with no seed, trained at length, becomes "
        "a recipe of its network; "
        "table: what the zoo reached, or --only frontier, beside what was published",
    )
    only = "zoo, frontier: these networks only; grid: these data sets only; searched: the studies"
    parser.add_argument("--only", metavar="NAME", nargs="+", help=only)
    parser.add_argument("--seeds", metavar="N", help="zoo, frontier: the first N seeds only")
    parser.add_argument("--at-once", help="runs at a time; as many as cores if not given")


@command("reproduce", "Makes what ships with the lab, and continues where it stopped.", _options)
def reproduce(options: Namespace) -> Answer:
    parts = {"grid": _grid, "zoo": _zoo, "frontier": _frontier}
    parts |= {"searched": _searched, "table": _table}
    return parts[options.what](options)


def _grid(options: Namespace) -> Answer:
    from mnist_core.reproduce.grid import make_grid

    began, store = time.monotonic(), RunStore()
    only = options.only or DATASETS
    datasets = list(dict.fromkeys(check_value("only", name, Choice(DATASETS)) for name in only))
    runs = make_grid(store, _processes(options), _tell_made, datasets)
    return _summary(runs, began, files=[str(store.bundle_path(name)) for name in datasets])


def _zoo(options: Namespace) -> Answer:
    from mnist_core.reproduce.zoo import make_zoo

    return _made(make_zoo, options)


def _frontier(options: Namespace) -> Answer:
    from mnist_core.reproduce.frontier import make_frontier

    return _made(make_frontier, options)


def _made(make: Callable[..., list[Run]], options: Namespace) -> Answer:
    """The runs of the zoo or of the frontier."""
    seeds = None if options.seeds is None else check_value("seeds", options.seeds, SEEDS)
    began = time.monotonic()
    runs = make(RunStore(), _processes(options), _tell_made, options.only or (), seeds)
    _fit_novelty(runs)
    return _summary(runs, began, ids=[run.id for run in runs])


def _fit_novelty(runs: Sequence[Run]) -> None:
    """What tells a network's images from anything else, for the best run of each network on each
    data set that is at hand."""
    from mnist_core.data.idx import missing_files
    from mnist_core.dataset_specs import dataset_names
    from mnist_core.evaluation.ensemble import best_of_each
    from mnist_core.inspection.novelty import stored
    from mnist_core.paths import data_root

    here = [name for name in dataset_names() if not missing_files(name, data_root())]
    missing = [run for name in here for run in best_of_each(runs, name) if not stored(run)]
    if not missing:
        return  # without torch
    from mnist_core.inspection.novelty_fit import keep_missing

    for run, *_ in keep_missing(missing):
        print(f"novelty · {run.id}", file=sys.stderr, flush=True)


def _searched(options: Namespace) -> Answer:
    from mnist_core.models.frontier import size_of_study
    from mnist_core.reproduce.frontier_networks import keep_network
    from mnist_core.reproduce.searched import keep_winner
    from mnist_core.sweeps.table import table_names

    store = RunStore()
    at_once, kept = _processes(options), []
    for name in options.only or table_names(store):
        if size := size_of_study(name):
            kept.append(keep_network(store, name, size))
        else:
            kept.append(keep_winner(store, name, at_once=at_once, on_made=_tell_made))
    lines = [f"{each['study']}: {each['fields']}" for each in kept]
    return Answer(kept, "\n".join(lines) or f"no study in {store.root}")


def _table(options: Namespace) -> Answer:
    for name in options.only or ():
        check_value("only", name, Choice(TABLES))
    if "frontier" in map(str.lower, options.only or ()):
        rows = frontier_results(RunStore())
        return Answer(rows, frontier_markdown(rows))
    rows = results(RunStore())
    return Answer(rows, markdown(rows))


def _processes(options: Namespace) -> int:
    return check_at_once(options.at_once or AUTOMATIC) or os.cpu_count() or 1


def _tell_made(made: Made) -> None:
    run = made.run
    result = percent(run.summary.validation_accuracy) if run.state == RunState.DONE else run.state
    left = duration(made.seconds_left)
    line = f"{made.done}/{made.total} · {run.id} · {result} · about {left} left"
    print(line, file=sys.stderr, flush=True)


def _summary(runs: Sequence[Run], began: float, **more: Any) -> Answer:
    states = Counter(run.state for run in runs)
    took = duration(time.monotonic() - began)
    text = f"{len(runs)} runs, of which {states[RunState.DIVERGED]} diverged; this call took {took}"
    return Answer({"runs": len(runs), **states, **more}, text)
