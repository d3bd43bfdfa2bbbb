"""The accuracy of each class: a data frame in, a Plotly figure out."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import Trace, common_layout, whiskers


def class_accuracies(points: pd.DataFrame, colours: Sequence[str], height: int = 340) -> go.Figure:
    """Accuracy of each class with its interval, the networks side by side within a class.

    `points`: analysis.evaluations.class_points; `colours`: one for each network in it.
    """
    networks = zip(points.groupby("network", sort=False), colours, strict=True)
    lowest = points["low"].min() if len(points) else 0
    span = [max(0, lowest - 0.005), 1.003]
    layout = common_layout(
        height,
        showlegend=False,
        scattermode="group",
        scattergap=0.35,
        xaxis={"title": {"text": "True class"}, "type": "category"},
        yaxis={"title": {"text": "Accuracy"}, "tickformat": ".4~p", "range": span},
    )
    traces = [_classes(str(label), rows, colour) for (label, rows), colour in networks]
    return go.Figure(traces, layout)


def _classes(label: str, rows: pd.DataFrame, colour: str) -> Trace:
    return {
        "type": "scatter",
        "x": rows["class"],
        "y": rows["accuracy"],
        "error_y": whiskers(rows["accuracy"], rows["low"], rows["high"], colour, thickness=1.5),
        "mode": "markers",
        "marker": {"size": 9, "color": colour},
        "offsetgroup": label,
        "customdata": rows[["right", "images"]],
        "hovertemplate": f"{label}<br>%{{x}}: %{{y:.2%}}<br>%{{customdata[0]:,}} of "
        "%{customdata[1]:,} images<extra></extra>",
    }
