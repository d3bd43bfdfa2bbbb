"""The histories of runs as rows for a chart of curves. Loads without torch, and without pandas."""

from collections.abc import Mapping, Sequence
from typing import Any

from mnist_core.evaluation.statistics import spread

FIGURES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")
SPREAD = ("validation_loss", "validation_accuracy")

History = Sequence[Mapping[str, float]]
Rows = list[dict[str, Any]]


def curve_rows(
    run_id: str, label: str, histories: Sequence[History], best_epoch: int | None = None
) -> Rows:
    """A row for each seed and epoch of one config: its FIGURES, and where they belong.

    `histories`: one for each seed, with a row for each epoch (see runs.folder.HISTORY); the run
    `run_id` comes first, and its row of `best_epoch` is marked `best`. `seed_place` counts the
    seeds from 1; `elapsed` is the seconds spent in epochs so far.
    """
    rows = []
    for seed_place, history in enumerate(histories, 1):
        elapsed = 0.0
        for row in history:
            elapsed += row["seconds"]
            here = {"id": run_id, "network": label, "seed_place": seed_place, "elapsed": elapsed}
            here |= {name: row[name] for name in ("epoch", *FIGURES)}
            rows.append(here | {"best": seed_place == 1 and row["epoch"] == best_epoch})
    return rows


def spread_over_seeds(histories: Sequence[History]) -> Rows:
    """Mean and sample deviation of each SPREAD, for every epoch that two seeds or more reached.

    `seeds` is the number of histories. Empty for fewer than two of them.
    """
    by_epoch: dict[float, list[Mapping[str, float]]] = {}
    for history in histories:
        for row in history:
            by_epoch.setdefault(row["epoch"], []).append(row)
    rows = []
    for epoch, seeds in sorted(by_epoch.items()):
        if len(seeds) > 1:
            figures: dict[str, Any] = {"epoch": epoch, "seeds": len(histories)}
            for name in SPREAD:
                over = spread([seed[name] for seed in seeds])
                figures |= {name: over.mean, f"{name}_deviation": over.deviation}
            rows.append(figures)
    return rows


def batch_losses(step_losses: History, progress: Mapping[str, Any] | None = None) -> Rows:
    """The losses of single batches, with `epoch` as a fraction: 0.25 is a quarter of the first.

    `step_losses`: rows of epoch, step and loss, as a run keeps them. `progress`, what a running
    process reports of itself, has those of the epoch in progress and the steps in an epoch.
    """
    rows, progress = list(step_losses), progress or {}
    if progress.get("losses"):
        now = progress["epoch"]
        rows = [row for row in rows if row["epoch"] < now]
        rows += [{"epoch": now, "step": step, "loss": loss} for step, loss in progress["losses"]]
    steps = int(progress.get("steps") or max((row["step"] for row in rows), default=0))
    return [
        {"epoch": row["epoch"] - 1 + row["step"] / steps, "loss": row["loss"]}
        for row in rows
        if steps
    ]
