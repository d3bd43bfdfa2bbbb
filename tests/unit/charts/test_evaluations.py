"""Charts of evaluations: a trace for each network, of what went in."""

import numpy as np
import pandas as pd
import pytest

from mnist_core.charts.evaluations import class_accuracies, reliability_diagram, robustness_curves
from mnist_core.imaging.corruptions import CORRUPTIONS

COLOURS = ["#111111", "#222222"]
BIN = {"confidence_from": 0.9, "confidence_to": 1.0, "mean_confidence": 0.97}


def test_a_network_is_a_trace_of_its_bins_beside_the_diagonal():
    points = pd.DataFrame(
        [
            {"network": "A", "answers": 10, "accuracy": 0.9, **BIN},
            {"network": "A", "answers": 1000, "accuracy": 0.8, **BIN},
            {"network": "B", "answers": 10, "accuracy": 0.7, **BIN},
        ]
    )
    diagonal, first, second = reliability_diagram(points, COLOURS).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert (list(first.y), first.line.color) == ([0.9, 0.8], "#111111")
    assert (list(second.y), second.line.color) == ([0.7], "#222222")
    assert first.marker.size[1] > first.marker.size[0] == second.marker.size[0]


def test_a_network_is_a_trace_of_its_classes_with_their_intervals():
    row = {"right": 8, "images": 10, "accuracy": 0.8, "low": 0.5, "high": 0.9}
    points = pd.DataFrame(
        [{"network": name, "class": letter, **row} for name in "AB" for letter in "xyz"]
    )
    first, second = class_accuracies(points, COLOURS).data
    assert (list(first.x), list(first.y)) == (["x", "y", "z"], [0.8] * 3)
    assert first.error_y.array[0] == pytest.approx(0.1)
    assert first.error_y.arrayminus[0] == pytest.approx(0.3)
    assert [t.marker.color for t in (first, second)] == ["#111111", "#222222"]
    assert first.offsetgroup != second.offsetgroup  # side by side


def test_the_chart_has_a_curve_for_each_network_and_a_digit_for_each_level():
    levels = CORRUPTIONS["scale"].levels
    row = {"accuracy": 0.5, "low": 0.4, "high": 0.7, "images": 60}
    points = pd.DataFrame(
        [
            {"network": name, "corruption": kind, "level": level, **row}
            for name in "AB"
            for kind in ("scale", "rotation")
            for level in CORRUPTIONS[kind].levels
        ]
    )
    example = np.zeros((28, 28), np.uint8)
    figure = robustness_curves(points, "scale", COLOURS, example)
    assert [trace.line.color for trace in figure.data] == ["#111111", "#222222"]
    assert len(figure.layout.images) == len(figure.data[0].x) == len(levels)
    assert list(figure.layout.xaxis.ticktext) == [f"{level:g}" for level in levels]
