"""Is network A better than network B? A paired test over the same images. Loads without torch."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

EXACT_UP_TO = 1000  # disagreements; beyond, the approximation differs in no figure that is shown


@dataclass(frozen=True)
class Paired:
    """How often only one of the two is right, and how likely such a split is by mere luck."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float
    exact: bool

    @property
    def count(self) -> int:
        return self.both + self.only_a + self.only_b + self.neither


def mcnemar(right_a: np.ndarray, right_b: np.ndarray) -> Paired:
    """McNemar's test of two networks over the same images: (N,) booleans each.

    Only the images on which they disagree count. If neither were better, each of those would be
    a coin's toss: the two-sided p-value is exact (binomial) up to EXACT_UP_TO disagreements, and
    chi-squared with Edwards' correction beyond. Raises ValueError for different images.

    Q. McNemar: Note on the sampling error of the difference between correlated proportions.
    Psychometrika 12, 1947.
    """
    a, b = np.asarray(right_a, dtype=bool), np.asarray(right_b, dtype=bool)
    if a.shape != b.shape or a.ndim != 1:
        raise ValueError(f"mcnemar: {a.shape} and {b.shape} are not the same images")
    only_a, only_b = int((a & ~b).sum()), int((b & ~a).sum())
    exact = only_a + only_b <= EXACT_UP_TO
    p_value = (exact_p if exact else corrected_p)(only_a, only_b)
    return Paired(int((a & b).sum()), only_a, only_b, int((~a & ~b).sum()), p_value, exact)


def exact_p(only_a: int, only_b: int) -> float:
    """Two-sided binomial p-value of this split of fair tosses; 1 when there are none."""
    count = only_a + only_b
    tail = sum(math.comb(count, k) for k in range(min(only_a, only_b) + 1))
    return min(1.0, 2 * tail / 2**count)


def corrected_p(only_a: int, only_b: int) -> float:
    """Chi-squared with one degree of freedom and Edwards' continuity correction."""
    if only_a + only_b == 0:
        return 1.0
    statistic = max(0, abs(only_a - only_b) - 1) ** 2 / (only_a + only_b)
    return math.erfc(math.sqrt(statistic / 2))
