"""Challenges to networks of one's own, and which runs of the store meet them. No torch."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mnist_core.config import RunConfig
from mnist_core.runs.run import Run

SECONDS = 10.0


@dataclass(frozen=True)
class Challenge:
    """Something to reach on MNIST. Validation images decide, so that nobody tunes on the test set.

    `admits`: whether a finished run takes part; `target`: the validation accuracy that meets it,
    None where the best one leads.
    """

    title: str
    admits: Callable[[Run], bool]
    target: float | None = None

    def met(self, run: Run) -> bool:
        accuracy = run.summary.validation_accuracy or 0
        return self.target is not None and accuracy >= self.target


def _smaller_than(most: int) -> Callable[[Run], bool]:
    return lambda run: 0 < (run.summary.parameters or math.inf) < most


def _quick(run: Run) -> bool:
    return 0 < (run.summary.seconds or math.inf) <= SECONDS


CHALLENGES = (
    Challenge("99 % with under 10,000 parameters", _smaller_than(10_000), 0.99),
    Challenge("98 % with under 1,000 parameters", _smaller_than(1_000), 0.98),
    Challenge("The best in ten seconds of training", _quick),
)


def ranking(challenge: Challenge, runs: Iterable[Run], limit: int = 5) -> list[Run]:
    """The best MNIST runs that take part, by validation accuracy; of several seeds the best one.

    A tie goes to the network with fewer parameters.
    """
    able = [
        run
        for run in runs
        if run.finished
        and not run.config.tuning
        and run.config.dataset == RunConfig.dataset
        and run.summary.validation_accuracy is not None
        and challenge.admits(run)
    ]
    able.sort(key=_best_first)
    best: dict[str, Run] = {}
    for run in able:
        best.setdefault(run.config.group, run)
    return list(best.values())[:limit]


def _best_first(run: Run) -> tuple[float, int, str]:
    return -(run.summary.validation_accuracy or 0), run.summary.parameters or 0, run.id
