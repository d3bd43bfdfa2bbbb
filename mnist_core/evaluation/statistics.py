"""How sure a figure is, and whether a difference is real. Loads without torch.

Wilson's interval over images, Student's over seeds, McNemar's test of two networks; and the front
of the networks that no other beats.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev

import numpy as np

EXACT_UP_TO = 1000  # disagreements; beyond, the approximation differs in no figure that is shown


@dataclass(frozen=True)
class Interval:
    """From `low` to `high`, both fractions from 0 to 1."""

    low: float
    high: float


def wilson(right: int, count: int, confidence: float = 0.95) -> Interval:
    """The score interval of an accuracy of `right` out of `count` images.

    It says how far the accuracy could be off because the images are a sample; it knows nothing
    of seeds. Raises ValueError for counts that cannot be.

    E. B. Wilson: Probable inference, the law of succession, and statistical inference.
    Journal of the American Statistical Association 22, 1927.
    """
    if not (0 <= right <= count and count > 0 and 0 < confidence < 1):
        raise ValueError(f"wilson: {right} right of {count} at {confidence} cannot be")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = right / count
    centre = (share + z * z / (2 * count)) / (1 + z * z / count)
    reach = z * math.sqrt(share * (1 - share) / count + (z / (2 * count)) ** 2)
    reach /= 1 + z * z / count
    low = 0.0 if right == 0 else max(0.0, centre - reach)
    high = 1.0 if right == count else min(1.0, centre + reach)
    return Interval(low, high)


@dataclass(frozen=True)
class Spread:
    """Mean and sample deviation of `count` values; one value has no deviation."""

    mean: float
    deviation: float | None
    count: int


def spread(values: Sequence[float]) -> Spread:
    """Over seeds: the mean, and the deviation with `count - 1` in the denominator.

    Raises ValueError when there is no value.
    """
    if not values:
        raise ValueError("spread: at least one value is needed")
    return Spread(fmean(values), stdev(values) if len(values) > 1 else None, len(values))


def mean_interval(seeds: Spread, confidence: float = 0.95) -> Interval | None:
    """Student's interval of the mean over seeds, cut to 0 and 1; None for a single seed.

    It says how far the mean could be off because these seeds are a sample of all seeds; the
    test images are the same for each, so it knows nothing of them.

    Student (W. S. Gosset): The probable error of a mean. Biometrika 6, 1908.
    """
    if seeds.deviation is None:
        return None
    reach = student_quantile((1 + confidence) / 2, seeds.count - 1)
    reach *= seeds.deviation / math.sqrt(seeds.count)
    return Interval(max(0.0, seeds.mean - reach), min(1.0, seeds.mean + reach))


@functools.cache
def student_quantile(share: float, freedom: int) -> float:
    """Below this value lies `share` (0.5 or more) of Student's t with whole degrees of freedom.

    Raises ValueError for other shares and degrees.
    """
    if not 0.5 <= share < 1 or freedom < 1:
        raise ValueError(f"student_quantile: {share} at {freedom} degrees cannot be")
    low, high = 0.0, 1.0
    while student_below(high, freedom) < share:
        high *= 2
    for _ in range(80):
        middle = (low + high) / 2
        low, high = (middle, high) if student_below(middle, freedom) < share else (low, middle)
    return (low + high) / 2


def student_below(value: float, freedom: int) -> float:
    """The share of Student's t below `value`, by the finite series for whole degrees of freedom.

    M. Abramowitz, I. Stegun: Handbook of mathematical functions, 26.7.3 and 26.7.4.
    """
    angle = math.atan2(value, math.sqrt(freedom))
    cosine, odd = math.cos(angle), freedom % 2
    term = total = cosine if odd else 1.0
    for step in range(2 + odd, freedom, 2):
        term *= cosine * cosine * (step - 1) / step
        total += term
    between = math.sin(angle) * (total if freedom > 1 else 0.0)
    between = 2 / math.pi * (angle + between) if odd else between
    return 0.5 + between / 2


@dataclass(frozen=True)
class Paired:
    """How often only one of the two is right, and how likely such a split is by mere luck."""

    both: int
    only_a: int
    only_b: int
    neither: int
    p_value: float
    exact: bool


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
    p_value, exact = mcnemar_p(only_a, only_b), is_exact(only_a, only_b)
    return Paired(int((a & b).sum()), only_a, only_b, int((~a & ~b).sum()), p_value, exact)


def mcnemar_p(only_a: int, only_b: int) -> float:
    """The p-value of `mcnemar`, of the images that only one of the two has right."""
    return (exact_p if is_exact(only_a, only_b) else corrected_p)(only_a, only_b)


def is_exact(only_a: int, only_b: int) -> bool:
    """Whether `mcnemar_p` is exact for this split."""
    return only_a + only_b <= EXACT_UP_TO


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


def pareto_front(costs: Sequence[float], gains: Sequence[float]) -> list[int]:
    """The indices that no other beats: none is as cheap and better, or cheaper and as good.

    From the cheapest to the dearest; of equals the first stands for all.
    """
    front: list[int] = []
    for index in sorted(range(len(costs)), key=lambda i: (costs[i], -gains[i], i)):
        if not front or gains[index] > gains[front[-1]]:
            front.append(index)
    return front
