"""Calibration against SciPy, over random logits."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize, special, stats

from mnist_core.evaluation.calibration import (
    HIGHEST,
    LOWEST,
    calibration,
    fit_temperature,
    reliability,
    with_temperature,
)
from mnist_core.evaluation.metrics import nll


@st.composite
def cases(draw):
    """Logits of any spread, and labels that mostly agree with them."""
    random = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    count = draw(st.integers(1, 300))
    logits = random.normal(size=(count, 10)) * draw(st.sampled_from([0.3, 1, 3, 10]))
    noise = random.normal(size=(count, 10)) * draw(st.sampled_from([0.1, 1, 5]))
    return logits, (logits + noise).argmax(axis=1)


@settings(max_examples=50, deadline=None)
@given(cases(), st.sampled_from([0.5, 1.0, 2.5]))
def test_figures_agree_with_scipy(case, temperature):
    logits, labels = case
    found = calibration(logits, labels, temperature)
    shares = special.softmax(logits / temperature, axis=1)
    at_label = special.log_softmax(logits / temperature, axis=1)[np.arange(len(labels)), labels]
    assert found.nll == pytest.approx(-at_label.mean())
    assert found.brier == pytest.approx(((shares - np.eye(10)[labels]) ** 2).sum(axis=1).mean())
    confidence, right = shares.max(axis=1), shares.argmax(axis=1) == labels
    assert (found.accuracy, found.confidence) == pytest.approx((right.mean(), confidence.mean()))
    edges = np.linspace(0, 1, 16)
    gap = stats.binned_statistic(confidence, confidence - right, "sum", bins=edges).statistic
    assert found.ece == pytest.approx(np.abs(gap).sum() / len(labels))


@settings(max_examples=50, deadline=None)
@given(cases())
def test_the_bins_hold_every_answer_once(case):
    logits, labels = case
    bins = calibration(logits, labels).bins
    assert sum(each.count for each in bins) == len(labels) and len(bins) == 15
    for each in bins:
        assert (each.confidence is None) == (each.count == 0)
        assert not each.count or each.low <= each.confidence <= each.high + 1e-12


def test_a_confidence_on_an_edge_belongs_to_the_bin_below():
    bins = reliability(np.array([0.2, 0.4, 1.0]), np.array([True, False, True]), bins=5)
    assert [each.count for each in bins] == [1, 1, 0, 0, 1]
    assert [each.accuracy for each in bins if each.count] == [1, 0, 1]


@settings(max_examples=30, deadline=None)
@given(cases())
def test_the_temperature_has_the_lowest_loss(case):
    logits, labels = case
    found = fit_temperature(logits, labels)
    assert LOWEST * 0.99 <= found <= HIGHEST * 1.01
    ends = (math.log(LOWEST), math.log(HIGHEST))
    best = optimize.minimize_scalar(
        lambda x: nll(logits, labels, math.exp(x)), bounds=ends, method="bounded"
    )
    assert nll(logits, labels, found) <= best.fun + 1e-9


def test_scaling_undoes_logits_that_were_scaled():
    random = np.random.default_rng(1)
    logits = random.normal(size=(20_000, 10)) * 2
    labels = (logits + random.gumbel(size=logits.shape)).argmax(axis=1)  # drawn from the softmax
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.05)
    assert calibration(logits * 3, labels, 3.0).ece < 0.02 < calibration(logits * 3, labels).ece


def test_the_temperature_comes_from_the_validation_images():
    random = np.random.default_rng(5)
    validation, test = (
        (random.normal(size=(200, 10)), random.integers(0, 10, 200)) for _ in range(2)
    )
    found = with_temperature(validation, test)
    assert found.temperature == fit_temperature(*validation)
    assert found.plain == calibration(*test)
    assert found.scaled == calibration(*test, found.temperature)
