"""The command `novelty`: fits and keeps what tells a run's images from anything else."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mnist_core.cli.command import Answer, command
from mnist_core.cli.terminal import table
from mnist_core.dataset_specs import dataset_names
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def _options(parser: ArgumentParser) -> None:
    about = "a run's id; without one, the best run of each network on each data set"
    parser.add_argument("ids", metavar="RUN", nargs="*", help=about)


@command("novelty", "Fits what turns away images unlike any class; kept with each run.", _options)
def novelty(options: Namespace) -> Answer:
    """Fits what is missing; a run whose weights have one already is left as it is."""
    from mnist_core.inspection.novelty_fit import keep_missing

    store, rows = RunStore(), []
    runs = [store.get(run_id) for run_id in options.ids] if options.ids else _best(store)
    for run, detector, is_new in keep_missing(runs):
        size = {"values": len(detector.mean), "units": len(detector.bias)}
        rows.append({"id": run.id, "fitted": is_new, **size})
    return Answer(rows, table(rows))


def _best(store: RunStore) -> list[Run]:
    """Of each network on each data set, in the order of the data sets."""
    from mnist_core.evaluation.ensemble import best_of_each

    runs = store.list()[0]
    return [run for dataset in dataset_names() for run in best_of_each(runs, dataset)]
