import pandas as pd
import pytest

from mnist_core.charts.classes import class_accuracies


def test_a_network_is_a_trace_of_its_classes_with_their_intervals():
    row = {"right": 8, "images": 10, "accuracy": 0.8, "low": 0.5, "high": 0.9}
    points = pd.DataFrame(
        [{"network": name, "class": letter, **row} for name in "AB" for letter in "xyz"]
    )
    first, second = class_accuracies(points, ["#111111", "#222222"]).data
    assert (list(first.x), list(first.y)) == (["x", "y", "z"], [0.8] * 3)
    assert first.error_y.array[0] == pytest.approx(0.1)
    assert first.error_y.arrayminus[0] == pytest.approx(0.3)
    assert [t.marker.color for t in (first, second)] == ["#111111", "#222222"]
    assert first.offsetgroup != second.offsetgroup  # side by side
