"""Keeps the best setting of a study that ships as its network's recipe "searched"."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import write_json
from mnist_core.jobs.pool import Made, carry_out_here
from mnist_core.models.searched import EPOCHS, PATH, winners
from mnist_core.models.zoo import SEARCHED_SEEDS
from mnist_core.reproduce.making import finished_study, train_missing
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import StudyTable

FINALISTS = 5  # of a study's settings, trained at length
NOT_OF_A_RECIPE = ("dataset", "model", "seed")

Steady = Callable[[Sequence[RunConfig]], bool]  # whether none of these runs diverges


def keep_winner(
    store: RunStore,
    study: str,
    path: Path = PATH,
    *,
    at_once: int = 1,
    on_made: Callable[[Made], None] = lambda _: None,
) -> dict[str, Any]:
    """Writes the study's best setting into models/searched.json; returns what was written.

    A search finds high learning rates, with which another seed may diverge, and what is best after
    a few epochs need not be after many. So the study's settings are taken in the order of their
    validation accuracy, and those that diverge with any of the recipe's seeds are passed over,
    until there are FINALISTS. These are trained at length. Kept is the one with the best validation
    accuracy of those that diverge with none of the seeds, at length either. All runs are in the
    store. Ctrl-C pauses; the next call continues. Raises NotFound without that study in the store,
    and LabError for one that is not done or where all settings diverge.
    """
    table, _ = finished_study(store, study)
    train_one = functools.partial(carry_out_here, device="auto")

    def steady(configs: Sequence[RunConfig]) -> bool:
        train_missing(store, configs, at_once, train_one, on_made, is_last=_diverged)
        return not any(run and _diverged(run) for run in map(store.find_folder, configs))

    finalists = _at_length(store, list(candidates(table, steady)), steady)
    best = next((run for run in finalists if steady(with_seeds(run.config))), None)
    if best is None:
        raise LabError(f"{study}: its best settings diverge with one seed or another")
    winner = _winner(table, best, finalists)
    write_json(path, {**winners(path), best.config.model: winner})
    return winner


def candidates(table: StudyTable, steady: Steady) -> Iterator[RunConfig]:
    """The study's best settings that diverge with no seed, the best first."""
    settings = map(table.config, table.done)
    return islice((one for one in settings if steady(with_seeds(one))), FINALISTS)


def with_seeds(config: RunConfig) -> list[RunConfig]:
    """The setting with each of the recipe's seeds."""
    return [config.replace(seed=seed) for seed in range(1, SEARCHED_SEEDS + 1)]


def _at_length(store: RunStore, settings: Sequence[RunConfig], steady: Steady) -> list[Run]:
    """A long run of each setting; those that did not diverge, the best first."""
    configs = [at_length(config) for config in settings]
    found = [store.get(config.id) for config in configs if steady([config])]
    return sorted(found, key=lambda run: -(run.summary.validation_accuracy or 0.0))


def _diverged(run: Run) -> bool:
    return run.state == RunState.DIVERGED


def _winner(table: StudyTable, best: Run, finalists: Sequence[Run]) -> dict[str, Any]:
    fields = {n: v for n, v in best.config.used().items() if n not in NOT_OF_A_RECIPE}
    return {
        "study": table.name,
        "dataset": best.config.dataset,
        "trials": len(table.rows),
        "epochs": table.config(table.rows[0]).epochs,
        "best": best.id,
        "finalists": [
            {"id": run.id, "validation_accuracy": run.summary.validation_accuracy}
            for run in finalists
        ],
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
