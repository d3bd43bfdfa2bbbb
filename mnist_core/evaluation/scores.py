"""How many of some images a network reads right, with the interval that belongs to it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.statistics import Interval, wilson
from mnist_core.runs.run import Run


@dataclass(frozen=True)
class Score:
    """`right` of `count` images, of which there is at least one."""

    right: int
    count: int

    @property
    def share(self) -> float:
        return self.right / self.count

    @property
    def interval(self) -> Interval:
        """Wilson's, for 95 %."""
        return wilson(self.right, self.count)


def score(right: np.ndarray) -> Score:
    """Of (N,) booleans."""
    return Score(int(right.sum()), len(right))


def test_score(run: Run) -> Score | None:
    """On the test images of the run's data set; None where the run was not tested."""
    accuracy, count = run.summary.test_accuracy, dataset_spec(run.config.dataset).images[1]
    return None if accuracy is None else Score(round(accuracy * count), count)
