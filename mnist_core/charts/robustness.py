"""Accuracy on corrupted images, with the images themselves above: a data frame in, a figure out."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import Trace, common_layout, whiskers
from mnist_core.imaging.corruptions import CORRUPTIONS, Corruption, corrupt
from mnist_core.imaging.tiles import png


def robustness_curves(
    points: pd.DataFrame,
    kind: str,
    colours: Sequence[str],
    example: np.ndarray,
    height: int = 330,
) -> go.Figure:
    """The accuracy of each network at every level of one corruption, evenly spaced.

    `points`: analysis.evaluations.robustness_points; `colours`: one for each network in it;
    `example`: (28, 28) uint8, drawn at every level above the curves.
    """
    corruption = CORRUPTIONS[kind]
    levels = corruption.levels
    networks = points[points["corruption"] == kind].groupby("network", sort=False)
    layout = common_layout(
        height,
        showlegend=False,
        margin={"l": 10, "r": 10, "t": 58, "b": 10},
        images=[
            _picture(place, corrupt(example[None], kind, level)[0])
            for place, level in enumerate(levels)
        ],
        xaxis={
            "title": {"text": f"{corruption.title} ({corruption.unit})"},
            "tickvals": list(range(len(levels))),
            "ticktext": [f"{level:g}" for level in levels],
            "range": [-0.55, len(levels) - 0.45],
            "showgrid": False,
        },
        yaxis={"title": {"text": "Test accuracy"}, "tickformat": ".0%", "range": [0, 1.02]},
    )
    traces = [
        _curve(str(label), rows, corruption, colour)
        for (label, rows), colour in zip(networks, colours, strict=True)
    ]
    return go.Figure(traces, layout)


def _curve(label: str, rows: pd.DataFrame, corruption: Corruption, colour: str) -> Trace:
    return {
        "type": "scatter",
        "x": [corruption.levels.index(level) for level in rows["level"]],
        "y": rows["accuracy"].tolist(),
        "error_y": whiskers(rows["accuracy"], rows["low"], rows["high"], colour, 1, width=2),
        "mode": "lines+markers",
        "line": {"color": colour, "width": 2.2},
        "marker": {"size": 5},
        "customdata": rows["level"].tolist(),
        "hovertemplate": f"{label}<br>%{{customdata:g}} {corruption.unit}<br>%{{y:.2%}}"
        "<extra></extra>",
    }


def _picture(place: int, image: np.ndarray) -> dict[str, Any]:
    """An image above the plot. Enlarged, since browsers smooth what Plotly shows larger."""
    large = image.repeat(3, axis=0).repeat(3, axis=1)
    return {
        "source": "data:image/png;base64," + base64.b64encode(png(large)).decode(),
        "xref": "x",
        "yref": "paper",
        "x": place,
        "y": 1.02,
        "sizex": 0.9,
        "sizey": 0.2,
        "xanchor": "center",
        "yanchor": "bottom",
        "sizing": "contain",
    }
