"""Evaluations as data frames for charts."""

import numpy as np
import pytest

from mnist_core.analysis.evaluations import class_points, reliability_points, robustness_points
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.predictions import Predictions
from mnist_core.evaluation.robustness import STEPS, Robustness
from mnist_core.evaluation.statistics import wilson
from mnist_core.imaging.corruptions import CORRUPTIONS

LABELS = np.arange(50) % 10
LOGITS = np.eye(10)[LABELS] * 3
LOGITS[:5] = np.roll(LOGITS[:5], 1, axis=1)  # five of fifty are wrong


def test_reliability_has_a_row_for_each_bin_with_answers():
    points = reliability_points({"A": calibration(LOGITS, LABELS)})
    (row,) = points.to_dict("records")
    assert row["predictions"] == 50 and not row["few"]
    assert row["accuracy"] == pytest.approx(0.9) and row["low"] == wilson(45, 50).low
    assert row["confidence_from"] < row["mean_confidence"]
    few = reliability_points({"A": calibration(LOGITS[:29], LABELS[:29])})
    assert few["few"].tolist() == [True]


def test_classes_are_named_and_counted():
    given = Predictions(LABELS, LOGITS.argmax(axis=1), LOGITS.max(axis=1))
    points = class_points({"A": given}, "abcdefghij")
    assert points["class"].tolist() == list("abcdefghij")
    assert points["right"].tolist() == [4] * 5 + [5] * 5
    assert points["images"].tolist() == [5] * 10
    assert points["accuracy"].tolist() == [0.8] * 5 + [1] * 5
    assert points["low"].iloc[0] == wilson(4, 5).low


def test_a_class_without_images_has_no_point():
    given = Predictions(np.array([0, 2]), np.array([0, 1]), np.array([0.9, 0.8]))
    points = class_points({"A": given}, "abc")
    assert points[["class", "right"]].to_numpy().tolist() == [["a", 1], ["c", 0]]


def test_robustness_has_a_row_for_each_level_with_its_interval():
    curves = {kind: [(x, 30) for x in each.levels] for kind, each in CORRUPTIONS.items()}
    points = robustness_points({"A": Robustness(60, curves)})
    # STEPS counts the undistorted images once, each curve has them too
    assert len(points) == STEPS + len(curves) - 1
    assert set(points["accuracy"]) == {0.5}
    assert points["low"].iloc[0] == wilson(30, 60).low
