"""Curves, reliability and classes: what is drawn against what went in."""

import numpy as np
import pytest

from mnist_core.charts.compare import (
    class_accuracies,
    class_points,
    reliability_diagram,
    reliability_points,
)
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.predictions import Predictions, by_class


def test_reliability_and_classes():
    labels = np.arange(50) % 10
    logits = np.eye(10)[labels] * 3
    logits[:5] = np.roll(logits[:5], 1, axis=1)
    points = reliability_points([("A", calibration(logits, labels))])
    assert points["answers"].sum() == 50 and points["accuracy"].iloc[0] == pytest.approx(0.9)
    assert len(reliability_diagram(points, ["#111111"]).data) == 2
    read = Predictions(labels, logits.argmax(axis=1), logits.max(axis=1))
    classes = class_points([("A", by_class(read))], "abcdefghij")
    assert classes["right"].tolist() == [4] * 5 + [5] * 5
    (trace,) = class_accuracies(classes, ["#111111"]).data
    assert list(trace.x) == list("abcdefghij") and trace.y[0] == pytest.approx(0.8)
