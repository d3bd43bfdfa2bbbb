"""Charts that lay networks over each other: tables of figures in, Plotly figures out."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import GREY, common_layout
from mnist_core.evaluation.calibration import Calibration
from mnist_core.evaluation.predictions import ClassAccuracy


def reliability_points(networks: Sequence[tuple[str, Calibration]]) -> pd.DataFrame:
    """A row for each network and each bin that holds answers."""
    rows = [
        {
            "network": label,
            "confidence_from": each.low,
            "confidence_to": each.high,
            "answers": each.count,
            "mean_confidence": each.confidence,
            "accuracy": each.accuracy,
        }
        for label, found in networks
        for each in found.bins
        if each.count
    ]
    return pd.DataFrame(rows)


def reliability_diagram(
    points: pd.DataFrame, colours: Sequence[str], height: int = 380
) -> go.Figure:
    """Accuracy against mean confidence, a mark for each bin, larger for more answers."""
    figure = go.Figure()
    ends = {"x": [0, 1], "y": [0, 1], "mode": "lines", "hoverinfo": "skip"}
    figure.add_scatter(**ends, line={"color": GREY, "width": 1.5, "dash": "dash"})
    for (label, rows), tint in zip(points.groupby("network", sort=False), colours, strict=True):
        figure.add_scatter(
            x=rows["mean_confidence"],
            y=rows["accuracy"],
            mode="lines+markers",
            line={"color": tint, "width": 0.7},
            marker={"size": [3 + 4 * math.log10(n) for n in rows["answers"]], "opacity": 0.8},
            customdata=rows["answers"],
            hovertemplate=f"{label}<br>%{{customdata:,}} answers<br>confidence %{{x:.1%}}<br>"
            "right %{y:.1%}<extra></extra>",
        )
    figure.update_xaxes(title="Mean confidence", range=[0, 1.02], tickformat=".0%")
    figure.update_yaxes(title="Share that is right", range=[0, 1.03], tickformat=".0%")
    return figure.update_layout(common_layout(height, showlegend=False))


def class_points(
    networks: Sequence[tuple[str, Sequence[ClassAccuracy]]], classes: Sequence[str]
) -> pd.DataFrame:
    """A row for each network and class."""
    rows = [
        {
            "network": label,
            "class": classes[each.label],
            "accuracy": each.accuracy,
            "low": each.interval.low,
            "high": each.interval.high,
            "right": each.right,
            "images": each.count,
        }
        for label, found in networks
        for each in found
    ]
    return pd.DataFrame(rows)


def class_accuracies(points: pd.DataFrame, colours: Sequence[str], height: int = 340) -> go.Figure:
    """Accuracy of each class with its interval, the networks side by side within a class."""
    figure = go.Figure()
    for (label, rows), tint in zip(points.groupby("network", sort=False), colours, strict=True):
        figure.add_scatter(
            x=rows["class"],
            y=rows["accuracy"],
            error_y={
                "array": rows["high"] - rows["accuracy"],
                "arrayminus": rows["accuracy"] - rows["low"],
                "symmetric": False,
                "color": tint,
                "thickness": 1.5,
            },
            mode="markers",
            marker={"size": 9, "color": tint},
            offsetgroup=label,
            customdata=rows[["right", "images"]],
            hovertemplate=f"{label}<br>%{{x}}: %{{y:.2%}}<br>%{{customdata[0]:,}} of "
            "%{customdata[1]:,} images<extra></extra>",
        )
    figure.update_xaxes(title="True class", type="category")
    lowest = points["low"].min() if len(points) else 0
    figure.update_yaxes(title="Right", tickformat=".4~p", range=[max(0, lowest - 0.005), 1.003])
    return figure.update_layout(
        common_layout(height, showlegend=False, scattermode="group", scattergap=0.35)
    )
