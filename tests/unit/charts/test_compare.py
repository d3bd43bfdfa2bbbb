"""Curves, reliability and classes: what is drawn against what went in."""

import numpy as np
import pytest

from mnist_core.charts.compare import (
    Line,
    class_accuracies,
    class_points,
    curve_points,
    curves,
    reliability_diagram,
    reliability_points,
)
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.predictions import Predictions, by_class
from tests.stores import made_up_history

LINES = [
    Line("a", "A", "#111111", [made_up_history(4, 0.9), made_up_history(3, 0.8)], 4),
    Line("b", "B", "#222222", [made_up_history(5, 0.95)], 5),
    Line("c", "C", "#333333", [[]]),
]


def test_curves_by_epoch_and_by_seconds():
    points = curve_points(LINES)
    assert len(points) == 12 and points["elapsed"].max() == pytest.approx(17.5)
    figure = curves(LINES, points, "loss")
    solid = [trace for trace in figure.data if trace.line.dash == "solid"]
    assert [len(trace.x) for trace in solid] == [4, 3, 5]
    assert list(solid[0].customdata) == ["a"] * 4
    timed = curves(LINES, points, "accuracy", "elapsed")
    stars = [trace for trace in timed.data if trace.marker.symbol == "star"]
    assert [trace.x[0] for trace in stars] == [14.0, 17.5]
    dimmed = curves(LINES, points, "accuracy", marked="b")
    assert {t.line.color for t in dimmed.data if t.opacity == 1 and t.line.color} == {"#222222"}


def test_nothing_to_draw_is_an_empty_chart():
    assert not curves(LINES[2:], curve_points(LINES[2:]), "loss").data


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
