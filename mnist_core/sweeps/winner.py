"""The best trial's setting is trained again, with several seeds, and tested: once, at the end.

The more trials are compared by their validation accuracy, the more the best one owes to chance.
Were the test set read for each, it would tell no more than the validation set does; read for the
winner alone, it still says what to expect of new images.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from statistics import fmean, stdev
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.jobs.pool import Made, carry_out_here, train_all
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.study import Study


def train_winner(
    study: Study,
    store: RunStore,
    seeds: int,
    at_once: int,
    on_made: Callable[[Made], None] = lambda _: None,
) -> dict[str, Any] | None:
    """Trains and tests the winner in the store, as far as it is not there; returns its figures.

    None without a completed trial. The study keeps the figures.
    """
    best = next(iter(study.best_first()), None)
    if best is None or not seeds:
        return None
    first = study.plan.configs(best.params)[0]
    configs = [first.replace(seed=first.seed + number) for number in range(seeds)]
    missing = [config for config in configs if not _is_tested(store, config)]
    train_one = functools.partial(carry_out_here, device="auto")
    for made in train_all(store, missing, min(at_once, len(configs)), train_one):
        on_made(made)
    figures = _figures([store.get(config.id) for config in configs])
    if study.attributes().get("winner") != figures:
        study.keep("winner", figures)
    return figures


def _is_tested(store: RunStore, config: RunConfig) -> bool:
    run = store.find(config)
    return bool(run and run.finished and run.summary.test_accuracy is not None)


def _figures(runs: list[Run]) -> dict[str, Any]:
    """Accuracies are means over the runs that did not diverge; `diverged` counts the others."""
    done = [run.summary for run in runs if run.state == RunState.DONE]
    tests = [each.test_accuracy for each in done if each.test_accuracy is not None]
    validations = [each.validation_accuracy or 0.0 for each in done]
    return {
        "ids": [run.id for run in runs],
        "group": runs[0].config.group,
        "seeds": len(runs),
        "diverged": len(runs) - len(done),
        "validation_accuracy": fmean(validations) if validations else None,
        "test_accuracy": fmean(tests) if tests else None,
        "test_accuracy_deviation": stdev(tests) if len(tests) > 1 else None,
    }
