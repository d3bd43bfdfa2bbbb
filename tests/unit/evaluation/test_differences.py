"""Differences of means, against figures worked out by hand and quantiles from a table."""

import math

import pytest

from mnist_core.evaluation.differences import Noise, difference, pooled_noise
from mnist_core.evaluation.statistics import spread


def test_two_groups_agree_with_students_t_test():
    """Variances 1 and 7, so a pooled deviation of 2; 2.776 is the table's t for 4 degrees."""
    a, b = spread([3, 4, 5]), spread([1, 2, 6])
    noise = pooled_noise([a, b])
    assert noise == Noise(pytest.approx(2), 4)
    found = difference(a, b, noise)
    assert found.mean == 1
    reach = 2.776445105 * 2 * math.sqrt(2 / 3)
    assert (found.low, found.high) == pytest.approx((1 - reach, 1 + reach))
    assert not found.is_clear


def test_single_runs_say_nothing_of_noise_but_can_be_compared_with_it():
    assert pooled_noise([spread([0.9]), spread([0.8])]) is None
    assert pooled_noise([spread([0.9]), spread([0.8, 0.82])]) == Noise(
        pytest.approx(0.01414, 1e-3), 1
    )
    found = difference(spread([0.99]), spread([0.95]), Noise(0.001, 20))
    reach = 2.085963447 * 0.001 * math.sqrt(2)
    assert (found.low, found.high) == pytest.approx((0.04 - reach, 0.04 + reach))
    assert found.is_clear and difference(spread([0.95]), spread([0.99]), Noise(0.001, 20)).is_clear
