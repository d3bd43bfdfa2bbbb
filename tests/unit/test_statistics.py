import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_core.statistics import spread, wilson

counts = st.integers(1, 60_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts, st.floats(0.5, 0.999))
def test_wilson_agrees_with_scipy(case, confidence):
    right, count = case
    interval = wilson(right, count, confidence)
    expected = stats.binomtest(right, count).proportion_ci(confidence, method="wilson")
    assert interval.low == pytest.approx(expected.low, abs=1e-9)
    assert interval.high == pytest.approx(expected.high, abs=1e-9)


@given(counts)
def test_the_interval_holds_the_accuracy_and_stays_in_0_to_1(case):
    right, count = case
    interval = wilson(right, count)
    assert 0 <= interval.low <= right / count <= interval.high <= 1


def test_a_figure_that_people_know():
    interval = wilson(9894, 10_000)
    assert (round(interval.low, 4), round(interval.high, 4)) == (0.9872, 0.9912)


@pytest.mark.parametrize("right, count, confidence", [(1, 0, 0.95), (2, 1, 0.95), (-1, 5, 0.95)])
def test_counts_that_cannot_be(right, count, confidence):
    with pytest.raises(ValueError, match="cannot be"):
        wilson(right, count, confidence)


@given(st.lists(st.floats(0, 1), min_size=2, max_size=20))
def test_spread_agrees_with_scipy(values):
    seeds = spread(values)
    assert seeds.count == len(values)
    assert seeds.mean == pytest.approx(stats.tmean(values))
    assert seeds.deviation == pytest.approx(stats.sem(values) * math.sqrt(len(values)), abs=1e-12)


def test_one_seed_has_no_deviation():
    assert spread([0.98]).deviation is None
    with pytest.raises(ValueError, match="at least one"):
        spread([])
