"""Scores carry the interval that belongs to their count."""

import numpy as np
import pytest

from mnist_core.evaluation import scores
from mnist_core.evaluation.scores import Score, score
from mnist_core.models import make_config
from tests.stores import make_run


def test_a_score_of_drawings_is_wide_and_one_of_the_test_set_narrow(store):
    ours = score(np.array([True] * 31 + [False] * 6))
    assert (ours.right, ours.count) == (31, 37) and ours.share == pytest.approx(0.8378, abs=1e-4)
    # Wilson's limits by hand: (p + z²/2n ± z sqrt(p(1-p)/n + z²/4n²)) / (1 + z²/n), z = 1.96
    assert ours.interval.low == pytest.approx(0.6887, abs=1e-3)
    assert ours.interval.high == pytest.approx(0.9235, abs=1e-3)
    run = make_run(store, make_config("lenet5"), accuracy=0.992)
    test = scores.test_score(run)
    assert test == Score(9900, 10_000) and test.interval.high - test.interval.low < 0.005


def test_a_run_that_was_not_tested_has_no_score(store):
    assert scores.test_score(make_run(store, state="paused")) is None
