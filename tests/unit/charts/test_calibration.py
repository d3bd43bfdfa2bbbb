import pandas as pd

from mnist_core.charts.calibration import reliability_diagram

BIN = {"confidence_from": 0.9, "confidence_to": 1.0, "mean_confidence": 0.97}


def test_a_network_is_a_trace_of_its_bins_beside_the_diagonal():
    points = pd.DataFrame(
        [
            {"network": "A", "answers": 10, "accuracy": 0.9, **BIN},
            {"network": "A", "answers": 1000, "accuracy": 0.8, **BIN},
            {"network": "B", "answers": 10, "accuracy": 0.7, **BIN},
        ]
    )
    diagonal, first, second = reliability_diagram(points, ["#111111", "#222222"]).data
    assert list(diagonal.x) == list(diagonal.y) == [0, 1]
    assert (list(first.y), first.line.color) == ([0.9, 0.8], "#111111")
    assert (list(second.y), second.line.color) == ([0.7], "#222222")
    assert first.marker.size[1] > first.marker.size[0] == second.marker.size[0]
