"""Keeps the best setting of a study that ships as its network's recipe "searched"."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
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

FINALISTS = 10  # of a study's settings, trained at length
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

    What is best after a few epochs may be worse or diverge in a long run, so the study's best
    settings are trained at length, in the store. Kept is the one with the best validation
    accuracy of those that diverge with none of the recipe's seeds. Ctrl-C pauses; the next call
    continues. Raises NotFound without that study in the store, and LabError for one that is not
    done or where all of them diverge.
    """
    table, _ = finished_study(store, study)
    train = functools.partial(_trained, store, at_once=at_once, on_made=on_made)
    finalists = train(candidates(table))
    best = _steady(finalists, train)
    if best is None:
        raise LabError(f"{study}: its best settings diverge when trained for {EPOCHS} epochs")
    winner = _winner(table, best, finalists)
    write_json(path, {**winners(path), best.config.model: winner})
    return winner


def _steady(finalists: Sequence[Run], train: Callable[[list[RunConfig]], list[Run]]) -> Run | None:
    """The best of the finalists that diverges with none of the recipe's seeds, or None."""
    finished = [run for run in finalists if run.state == RunState.DONE]
    for run in sorted(finished, key=lambda run: -(run.summary.validation_accuracy or 0.0)):
        others = [run.config.replace(seed=seed) for seed in range(2, SEARCHED_SEEDS + 1)]
        if all(other.state == RunState.DONE for other in train(others)):
            return run
    return None


def candidates(table: StudyTable) -> list[RunConfig]:
    """The study's best settings, the best first, for a long run each."""
    return [at_length(table.config(row)) for row in table.done[:FINALISTS]]


def _trained(
    store: RunStore, configs: list[RunConfig], *, at_once: int, on_made: Callable[[Made], None]
) -> list[Run]:
    """The runs of these configs; those that are missing are trained."""
    train_one = functools.partial(carry_out_here, device="auto")
    train_missing(store, configs, at_once, train_one, on_made)
    return [store.get(config.id) for config in configs]


def _finalist(run: Run) -> dict[str, Any]:
    accuracy = run.summary.validation_accuracy if run.state == RunState.DONE else None
    return {"id": run.id, "validation_accuracy": accuracy}


def _winner(table: StudyTable, best: Run, finalists: Sequence[Run]) -> dict[str, Any]:
    fields = {n: v for n, v in best.config.used().items() if n not in NOT_OF_A_RECIPE}
    return {
        "study": table.name,
        "dataset": best.config.dataset,
        "trials": len(table.rows),
        "epochs": table.config(table.rows[0]).epochs,
        "best": best.id,
        "finalists": [_finalist(run) for run in finalists],
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
