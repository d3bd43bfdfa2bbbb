"""The command `image-map`: where test images lie at each snapshot of a run; kept with the run."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace

from mnist_core.cli.command import Answer, command
from mnist_core.cli.terminal import table
from mnist_core.runs.store import RunStore


def _options(parser: ArgumentParser) -> None:
    about = "a run's id; without one, all runs that have snapshots"
    parser.add_argument("ids", metavar="RUN", nargs="*", help=about)


@command("image-map", "Test images as points in the plane, at each snapshot of a run.", _options)
def image_map(options: Namespace) -> Answer:
    """Computes what is missing; a run that has its map already is left as it is."""
    import torch

    from mnist_core.inspection.over_time import keep_map, stored_map

    torch.set_num_threads(1)
    store, rows = RunStore(), []
    runs = [store.get(run_id) for run_id in options.ids]
    for run in runs or [run for run in store.list()[0] if run.has_snapshots]:
        steps = [snapshot.step for snapshot in run.snapshots()]
        kept = stored_map(run, steps)
        found = kept or keep_map(run)
        size = {"snapshots": len(steps), "images": len(found.index)}
        accuracy = {"first": float(found.accuracy()[0]), "last": float(found.accuracy()[-1])}
        rows.append({"id": run.id, "computed": kept is None, **size, **accuracy})
    return Answer(rows, table(rows))
