"""Charts of evaluations: a trace for each network, of what went in."""

import numpy as np
import pandas as pd
import pytest

from mnist_core.charts.evaluations import class_accuracies, reliability_diagram, robustness_curves
from mnist_core.charts.style import colour
from mnist_core.imaging.corruptions import CORRUPTIONS

NUMBERS = [0, 3]
COLOURS = [colour(number) for number in NUMBERS]
BIN = {"confidence_from": 0.9, "confidence_to": 1.0, "mean_confidence": 0.97}
BIN |= {"low": 0.6, "high": 0.95}


def test_bins_with_few_images_are_hollow_and_no_part_of_the_line():
    points = pd.DataFrame(
        [
            {"network": "A", "predictions": 1000, "accuracy": 0.9, "few": False, **BIN},
            {"network": "A", "predictions": 3, "accuracy": 0.3, "few": True, **BIN},
            {"network": "B", "predictions": 1000, "accuracy": 0.7, "few": False, **BIN},
        ]
    )
    diagonal, first, second, few, none = reliability_diagram(points, NUMBERS).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert (list(first.y), first.line.color) == ([0.9], COLOURS[0])
    assert (list(second.y), second.line.color) == ([0.7], COLOURS[1])
    assert first.error_y.arrayminus[0] == pytest.approx(0.3)
    assert first.line.dash != second.line.dash and first.marker.symbol != second.marker.symbol
    assert (list(few.y), few.mode, few.marker.symbol) == ([0.3], "markers", "circle-open")
    assert not len(none.y)


def test_a_network_is_a_trace_of_its_classes_with_their_intervals():
    row = {"right": 8, "images": 10, "accuracy": 0.8, "low": 0.5, "high": 0.9}
    points = pd.DataFrame(
        [{"network": name, "class": letter, **row} for name in "AB" for letter in "xyz"]
    )
    first, second = class_accuracies(points, NUMBERS).data
    assert (list(first.x), list(first.y)) == (["x", "y", "z"], [0.8] * 3)
    assert first.error_y.array[0] == pytest.approx(0.1)
    assert first.error_y.arrayminus[0] == pytest.approx(0.3)
    assert [t.marker.color for t in (first, second)] == COLOURS
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
    figure = robustness_curves(points, "scale", NUMBERS, example)
    assert [trace.line.color for trace in figure.data] == COLOURS
    assert len(figure.layout.images) == len(figure.data[0].x) == len(levels)
    assert list(figure.layout.xaxis.ticktext) == [f"{level:g}" for level in levels]
