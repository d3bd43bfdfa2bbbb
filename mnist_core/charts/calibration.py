"""Accuracy at each level of confidence: a data frame in, a Plotly figure out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import GREY, Trace, common_layout


def reliability_diagram(
    points: pd.DataFrame, colours: Sequence[str], height: int = 380
) -> go.Figure:
    """Accuracy against mean confidence: a mark for each bin, larger for more predictions.

    `points`: analysis.evaluations.reliability_points; `colours`: one for each network in it.
    """
    networks = zip(points.groupby("network", sort=False), colours, strict=True)
    layout = common_layout(
        height,
        showlegend=False,
        xaxis={"title": {"text": "Mean confidence"}, "range": [0, 1.02], "tickformat": ".0%"},
        yaxis={"title": {"text": "Accuracy"}, "range": [0, 1.03], "tickformat": ".0%"},
    )
    traces = [_diagonal(), *(_bins(str(label), rows, colour) for (label, rows), colour in networks)]
    return go.Figure(traces, layout)


def _diagonal() -> Trace:
    return {
        "type": "scatter",
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "hoverinfo": "skip",
        "line": {"color": GREY, "width": 1.5, "dash": "dash"},
    }


def _bins(label: str, rows: pd.DataFrame, colour: str) -> Trace:
    return {
        "type": "scatter",
        "x": rows["mean_confidence"],
        "y": rows["accuracy"],
        "mode": "lines+markers",
        "line": {"color": colour, "width": 0.7},
        "marker": {"size": [3 + 4 * math.log10(n) for n in rows["answers"]], "opacity": 0.8},
        "customdata": rows["answers"],
        "hovertemplate": f"{label}<br>%{{customdata:,}} predictions<br>confidence %{{x:.1%}}<br>"
        "accuracy %{y:.1%}<extra></extra>",
    }
