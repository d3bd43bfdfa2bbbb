"""Keeps the best setting of a study that ships as its network's recipe "searched"."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import write_json
from mnist_core.jobs.pool import Made, carry_out_here
from mnist_core.models.searched import EPOCHS, PATH, SEEDS, winners
from mnist_core.reproduce.making import finished_study, train_missing
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import StudyTable

NOT_OF_A_RECIPE = ("dataset", "model", "seed")


def keep_winner(
    store: RunStore,
    study: str,
    path: Path = PATH,
    *,
    at_once: int = 1,
    on_made: Callable[[Made], None] = lambda _: None,
) -> dict[str, Any]:
    """Writes the study's best setting into models/searched.json; returns what was written.

    A search finds high learning rates, with which another seed may diverge. So the study's settings
    are taken in the order of their validation accuracy, each with all of the recipe's seeds: for as
    long as a trial, and then at length. The first that diverges with none of them is kept. All runs
    are in the store. Ctrl-C pauses; the next call continues. Raises NotFound without that study in
    the store, and LabError for one that is not done or where all settings diverge.
    """
    table, _ = finished_study(store, study)
    train_one = functools.partial(carry_out_here, device="auto")

    def steady(config: RunConfig) -> bool:
        """True if no seed diverges. Stops at the first that does."""
        configs = with_seeds(config)
        train_missing(store, configs, at_once, train_one, on_made, is_last=_diverged)
        return not any(run and _diverged(run) for run in map(store.find_folder, configs))

    passed_over: list[str] = []
    for config in map(table.config, table.done):
        if steady(config) and steady(at_length(config)):
            winner = _winner(table, at_length(config), passed_over)
            write_json(path, {**winners(path), config.model: winner})
            return winner
        passed_over.append(config.id)
    raise LabError(f"{study}: all settings diverge with one seed or another")


def with_seeds(config: RunConfig) -> list[RunConfig]:
    """The setting with each of the recipe's seeds."""
    return [config.replace(seed=seed) for seed in range(1, SEEDS + 1)]


def _diverged(run: Run) -> bool:
    return run.state == RunState.DIVERGED


def _winner(table: StudyTable, best: RunConfig, passed_over: list[str]) -> dict[str, Any]:
    return {
        "study": table.name,
        "dataset": best.dataset,
        "trials": len(table.rows),
        "epochs": table.config(table.rows[0]).epochs,
        "best": with_seeds(best)[0].id,
        "passed_over": passed_over,
        "fields": {n: v for n, v in best.used().items() if n not in NOT_OF_A_RECIPE},
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
