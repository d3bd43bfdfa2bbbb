"""Intervals, spreads and McNemar's test against SciPy; the front of unbeaten networks."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_core.evaluation.statistics import (
    EXACT_UP_TO,
    corrected_p,
    exact_p,
    mcnemar,
    mean_interval,
    pareto_front,
    spread,
    student_below,
    student_quantile,
    wilson,
)

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


@given(st.integers(1, 60), st.floats(-50, 50))
def test_student_agrees_with_scipy(freedom, value):
    assert student_below(value, freedom) == pytest.approx(stats.t.cdf(value, freedom), abs=1e-12)


@given(st.integers(1, 60), st.floats(0.5, 0.999))
def test_its_quantile_agrees_with_scipy(freedom, share):
    expected = stats.t.ppf(share, freedom)
    assert student_quantile(share, freedom) == pytest.approx(expected, rel=1e-9, abs=1e-9)


@given(st.lists(st.floats(0.9, 0.999), min_size=2, max_size=9, unique=True))
def test_the_interval_of_the_mean_agrees_with_scipy(values):
    found = mean_interval(spread(values))
    low, high = stats.t.interval(0.95, len(values) - 1, stats.tmean(values), stats.sem(values))
    assert found.low == pytest.approx(max(0, low), abs=1e-9)
    assert found.high == pytest.approx(min(1, high), abs=1e-9)


def test_one_seed_has_no_interval_and_bad_shares_are_refused():
    assert mean_interval(spread([0.98])) is None
    for share, freedom in ((0.4, 3), (1.0, 3), (0.9, 0)):
        with pytest.raises(ValueError, match="cannot be"):
            student_quantile(share, freedom)


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 9)), max_size=30))
def test_nothing_beats_the_front_and_all_else_is_beaten(points):
    front = pareto_front([cost for cost, _ in points], [gain for _, gain in points])
    kept = [points[index] for index in front]
    assert kept == sorted(set(kept))

    def beats(a, b):
        return a != b and a[0] <= b[0] and a[1] >= b[1]

    expected = {p for p in points if not any(beats(other, p) for other in points)}
    assert set(kept) == expected


@given(st.integers(0, 500), st.integers(0, 500))
def test_the_exact_p_value_is_the_binomial_test(a, b):
    expected = stats.binomtest(min(a, b), a + b).pvalue if a + b else 1
    assert exact_p(a, b) == pytest.approx(expected)
    assert exact_p(a, b) == exact_p(b, a)


@given(st.integers(0, 5000), st.integers(1, 5000))
def test_the_corrected_p_value_is_chi_squared(a, b):
    statistic = max(0, abs(a - b) - 1) ** 2 / (a + b)
    assert corrected_p(a, b) == pytest.approx(stats.chi2.sf(statistic, 1))


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=1, max_size=60))
def test_the_four_counts(pairs):
    a, b = np.array(pairs).T
    found = mcnemar(a, b)
    assert found.neither == pairs.count((False, False))
    assert found.both + found.only_a + found.only_b + found.neither == len(pairs)
    assert found.both == pairs.count((True, True)) and found.only_a == pairs.count((True, False))
    assert found.only_b == pairs.count((False, True)) and found.exact


def test_many_disagreements_are_approximated_and_hardly_differ():
    a = np.arange(10_000) < 600
    found = mcnemar(a, ~a & (np.arange(10_000) < 1150))
    assert not found.exact and found.only_a + found.only_b > EXACT_UP_TO
    assert found.p_value == pytest.approx(exact_p(found.only_a, found.only_b), rel=0.03)


def test_other_images_are_refused():
    with pytest.raises(ValueError, match="not the same images"):
        mcnemar(np.ones(3, bool), np.ones(4, bool))
    assert corrected_p(0, 0) == exact_p(0, 0) == 1
