"""How sure an accuracy is: Wilson's interval over images, mean and deviation over seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, stdev


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
