"""Small charts of the Learn page. Rows are dictionaries: the page shows few of them."""

from collections.abc import Mapping, Sequence
from typing import Any

import plotly.graph_objects as go

from mnist_core.charts.style import (
    SYMBOLS,
    colour,
    common_layout,
    dash,
    marker,
    stretched_accuracy_axis,
)

Row = Mapping[Any, Any]
SMALLEST = 1e-4  # an error of 0 has no place on a logarithmic axis


def accuracy_by_rate(curves: Mapping[str, Sequence[tuple[float, float]]]) -> go.Figure:
    """Validation accuracy against the learning rate, a line for each setting.

    `curves` maps a setting in words to its (rate, accuracy) pairs.
    """
    traces = [
        {
            "type": "scatter",
            "name": name,
            "mode": "lines+markers",
            "x": [rate for rate, _ in pairs],
            "y": [max(SMALLEST, 1 - accuracy) for _, accuracy in pairs],
            "customdata": [100 * accuracy for _, accuracy in pairs],
            "line": {"color": colour(place), "dash": dash(place)},
            "marker": {"symbol": marker(place)[0], "size": 9},
            "hovertemplate": f"{name}<br>%{{x}}: %{{customdata:.2f}} %<extra></extra>",
        }
        for place, (name, pairs) in enumerate(curves.items())
    ]
    rates = sorted({rate for pairs in curves.values() for rate, _ in pairs})
    x = {"type": "log", "title": {"text": "Learning rate"}, "tickvals": rates}
    x["ticktext"] = [f"{rate:g}" for rate in rates]
    errors = [max(SMALLEST, 1 - share) for pairs in curves.values() for _, share in pairs]
    y = stretched_accuracy_axis(min(errors) / 1.2, min(1.0, 1.1 * max(errors)))
    y["title"] = {"text": "Validation accuracy"}
    return go.Figure(traces, common_layout(360, showlegend=True, xaxis=x, yaxis=y))


def intervals(rows: Sequence[Row]) -> go.Figure:
    """Test accuracy with its 95 % interval, a line for each row of analysis.aggregate."""
    names = [f"{row['title']} · {int(row['parameters']):,}" for row in rows]
    traces = []
    for place, (name, row) in enumerate(zip(names, rows, strict=True)):
        low, mean, high = (100 * row[each] for each in ("test_low", "test_accuracy", "test_high"))
        error = {"type": "data", "array": [high - mean], "arrayminus": [mean - low]}
        words = f"{name} parameters<br>{mean:.2f} % ({low:.2f} to {high:.2f} %)"
        traces.append(
            {
                "type": "scatter",
                "mode": "markers",
                "x": [mean],
                "y": [name],
                "error_x": error | {"symmetric": False, "thickness": 3, "width": 7},
                "marker": {
                    "size": 12,
                    "color": colour(place),
                    "symbol": SYMBOLS[place % len(SYMBOLS)][0],
                },
                "hovertemplate": f"{words}<extra></extra>",
            }
        )
    x = {"title": {"text": "Test accuracy"}, "ticksuffix": " %"}
    y = {"autorange": "reversed", "automargin": True}
    return go.Figure(traces, common_layout(90 + 42 * len(rows), xaxis=x, yaxis=y))
