"""Keeps the best setting of a study that ships as its network's recipe "searched"."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError, NotFound
from mnist_core.files import write_json
from mnist_core.models.searched import EPOCHS, PATH, winners
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import StudyTable, read_table, table_names

NOT_OF_A_RECIPE = ("dataset", "model", "seed")


def keep_winner(store: RunStore, study: str, path: Path = PATH) -> dict[str, Any]:
    """Writes the study's best setting into models/searched.json; returns what was written.

    Validation accuracy alone has chosen it. Raises NotFound without that study in the store, and
    LabError for one that is not done.
    """
    table = read_table(store, study)
    if table is None:
        names = ", ".join(table_names(store)) or "none"
        raise NotFound(f"only: {study} was given; the studies in {store.root} are: {names}")
    if table.best is None or not table.is_complete:
        raise LabError(f"{study} is not done; go on with it: sweep --name {study}")
    config = table.config(table.best)
    winner = _winner(table, config)
    write_json(path, {**winners(path), config.model: winner})
    return winner


def _winner(table: StudyTable, config: RunConfig) -> dict[str, Any]:
    fields = {
        name: v for name, v in at_length(config).used().items() if name not in NOT_OF_A_RECIPE
    }
    return {
        "study": table.name,
        "dataset": config.dataset,
        "trials": len(table.rows),
        "epochs": config.epochs,
        "fields": fields,
    }


def at_length(config: RunConfig) -> RunConfig:
    """The setting for a long run. Cuts of the learning rate come at the same shares of it."""
    longer = EPOCHS / config.epochs
    return config.replace(
        epochs=EPOCHS,
        step_size=max(1, round(config.step_size * longer)),
        patience=round(config.patience * longer)
        if config.schedule == "plateau"
        else config.patience,
    )
