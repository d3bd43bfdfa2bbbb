"""Is the difference between two networks more than the luck of training? Loads without torch."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from mnist_core.evaluation.statistics import Spread, student_quantile


@dataclass(frozen=True)
class Noise:
    """How far runs that differ only in their seed lie apart: a deviation, and how well it is known.

    `freedom` is the degrees of freedom of the estimate.
    """

    deviation: float
    freedom: int


@dataclass(frozen=True)
class Difference:
    """A mean minus another, with the interval from `low` to `high`; all are fractions."""

    mean: float
    low: float
    high: float

    @property
    def is_clear(self) -> bool:
        """Whether the interval leaves out zero."""
        return self.low > 0 or self.high < 0


def pooled_noise(groups: Iterable[Spread]) -> Noise | None:
    """The common deviation within groups of repeated runs, as an analysis of variance pools it.

    None where no group has two runs.
    """
    repeated = [(g.count - 1, g.deviation) for g in groups if g.deviation is not None]
    freedom = sum(count for count, _ in repeated)
    if not freedom:
        return None
    squares = sum(count * deviation**2 for count, deviation in repeated)
    return Noise(math.sqrt(squares / freedom), freedom)


def difference(a: Spread, b: Spread, noise: Noise, confidence: float = 0.95) -> Difference:
    """The mean of `a` minus that of `b`, with Student's interval.

    It says how far the difference could be off because these seeds are a sample of all seeds.
    Both networks are taken to vary as `noise` says, so that one run of a network is enough. The
    test images are the same for both: the interval knows nothing of other images.
    """
    reach = student_quantile((1 + confidence) / 2, noise.freedom)
    reach *= noise.deviation * math.sqrt(1 / a.count + 1 / b.count)
    mean = a.mean - b.mean
    return Difference(mean, mean - reach, mean + reach)
