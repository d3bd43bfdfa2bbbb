"""McNemar's test against SciPy."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from mnist_core.evaluation.significance import EXACT_UP_TO, corrected_p, exact_p, mcnemar

counts = st.integers(0, 500)


@given(counts, counts)
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
    assert found.count == len(pairs)
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
