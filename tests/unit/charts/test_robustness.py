import numpy as np
import pandas as pd

from mnist_core.charts.robustness import robustness_curves
from mnist_core.imaging.corruptions import CORRUPTIONS


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
    figure = robustness_curves(points, "scale", ["#111111", "#222222"], example)
    assert [trace.line.color for trace in figure.data] == ["#111111", "#222222"]
    assert len(figure.layout.images) == len(figure.data[0].x) == len(levels)
    assert list(figure.layout.xaxis.ticktext) == [f"{level:g}" for level in levels]
