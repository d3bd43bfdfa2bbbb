"""Runs as TensorBoard shows them: their curves, their settings, their final figures."""

from collections.abc import Iterable
from itertools import accumulate

from mnist_core.export.records import Numbers, event_file
from mnist_core.runs.run import Run

CURVES = {"loss": "loss", "accuracy": "accuracy", "top5": "top-5 accuracy"}


def tensorboard(run: Run) -> dict[str, bytes]:
    """The run's event file, in a folder of the run's name. Raises LabError for a damaged run."""
    start = run.summary.created
    settings = "\n".join(f"| {name} | {value} |" for name, value in run.config.used().items())
    texts = {"settings": f"| setting | value |\n| --- | --- |\n{settings}"}
    name = f"{run.id}/events.out.tfevents.{max(0, int(start)):010d}.mnist-lab"
    return {name: event_file(start, [*_epochs(run), *_steps(run), *_end(run)], texts)}


def _epochs(run: Run) -> Iterable[Numbers]:
    rows = run.history
    times = accumulate((row["seconds"] for row in rows), initial=run.summary.created)
    next(times)
    for row, when in zip(rows, times, strict=True):
        values = {
            f"{title}/{part}": row[f"{part}_{name}"]
            for name, title in CURVES.items()
            for part in ("train", "validation")
        }
        yield when, int(row["epoch"]), values | {"learning rate": row["lr"]}


def _steps(run: Run) -> Iterable[Numbers]:
    """The loss within the epochs, over steps from the start."""
    rows = run.step_losses
    longest = max((int(row["step"]) for row in rows), default=0)  # an epoch's last step is kept
    for row in rows:
        step = (int(row["epoch"]) - 1) * longest + int(row["step"])
        yield run.summary.created, step, {"loss of single steps": row["loss"]}


def _end(run: Run) -> Iterable[Numbers]:
    found = run.summary
    if found.test_accuracy is not None and found.best_epoch is not None:
        when = found.created + found.seconds
        yield when, int(found.best_epoch), {"accuracy/test": found.test_accuracy}
