"""What evaluations say of networks: how sure, which classes, on which corrupted images.

Each chart takes a data frame of analysis.evaluations and the number of each network in it, which
stands for its colour, symbol and line.
"""

import base64
import functools
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import (
    GREY,
    Trace,
    colour,
    common_layout,
    dash,
    marker,
    percent_ticks,
    whiskers,
)
from mnist_core.formatting import true_minus
from mnist_core.imaging.corruptions import CORRUPTIONS, Corruption, corrupt
from mnist_core.imaging.tiles import enlarged, png

TICKS = percent_ticks(0, 1)


def reliability_diagram(points: pd.DataFrame, numbers: Sequence[int]) -> go.Figure:
    """Accuracy against mean confidence: a mark for each bin; those with few images are hollow.

    `points`: analysis.evaluations.reliability_points.
    """
    diagonal = {
        "x": [0, 1],
        "y": [0, 1],
        "mode": "lines",
        "hoverinfo": "skip",
        "line": {"color": GREY, "width": 1.5, "dash": "dash"},
    }
    layout = common_layout(
        height=380,
        xaxis={"title": {"text": "Mean confidence"}, "range": [0, 1.02]} | TICKS,
        yaxis={"title": {"text": "Accuracy"}, "range": [0, 1.03]} | TICKS,
    )
    marks = [_for_each_network(points, numbers, draw) for draw in (_bins, _few)]
    return go.Figure([diagonal, *marks[0], *marks[1]], layout)


def _for_each_network(
    points: pd.DataFrame, numbers: Sequence[int], draw: Callable[[str, pd.DataFrame, int], Trace]
) -> list[Trace]:
    networks = zip(points.groupby("network", sort=False), numbers, strict=True)
    return [draw(str(label), rows, number) for (label, rows), number in networks]


def _bins(label: str, rows: pd.DataFrame, number: int) -> Trace:
    """The bins that hold enough predictions to say something."""
    rows = rows[~rows["few"]]
    trace = _marks(label, rows, number) | {"mode": "lines+markers"}
    trace["line"] = {"color": colour(number), "width": 1.5, "dash": dash(number)}
    return trace | {
        "error_y": whiskers(rows["accuracy"], rows["low"], rows["high"], colour(number), width=2)
    }


def _few(label: str, rows: pd.DataFrame, number: int) -> Trace:
    """The others: hollow marks without line or interval."""
    trace = _marks(f"{label}: few images", rows[rows["few"]], number)
    trace["marker"] |= {"symbol": f"{marker(number)[0]}-open", "opacity": 0.6}
    return trace


def _marks(label: str, rows: pd.DataFrame, number: int) -> Trace:
    return {
        "x": rows["mean_confidence"],
        "y": rows["accuracy"],
        "mode": "markers",
        "marker": {"size": 8, "symbol": marker(number)[0], "color": colour(number)},
        "customdata": rows["predictions"],
        "hovertemplate": f"{label}<br>%{{customdata:,}} predictions<br>confidence %{{x:.1%}}<br>"
        "accuracy %{y:.1%}<extra></extra>",
    }


def class_accuracies(points: pd.DataFrame, numbers: Sequence[int]) -> go.Figure:
    """Accuracy of each class with its interval, the networks side by side within a class.

    `points`: analysis.evaluations.class_points.
    """
    lowest = points["low"].min() if len(points) else 0
    span = [max(0, lowest - 0.005), 1.003]
    layout = common_layout(
        height=340,
        scattermode="group",
        scattergap=0.35,
        xaxis={"title": {"text": "True class"}, "type": "category"},
        yaxis={"title": {"text": "Accuracy"}, "range": span} | percent_ticks(*span),
    )
    return go.Figure(_for_each_network(points, numbers, _classes), layout)


def _classes(label: str, rows: pd.DataFrame, number: int) -> Trace:
    ends = rows["accuracy"], rows["low"], rows["high"]
    return {
        "x": rows["class"],
        "y": rows["accuracy"],
        "error_y": whiskers(*ends, colour(number), thickness=1.5),
        "mode": "markers",
        "marker": {"size": 9, "symbol": marker(number)[0], "color": colour(number)},
        "offsetgroup": label,
        "customdata": rows[["right", "images"]],
        "hovertemplate": f"{label}<br>%{{x}}: %{{y:.2%}}<br>%{{customdata[0]:,}} of "
        "%{customdata[1]:,} images<extra></extra>",
    }


def robustness_curves(
    points: pd.DataFrame, kind: str, numbers: Sequence[int], example: np.ndarray
) -> go.Figure:
    """The accuracy of each network at every level of one corruption, evenly spaced.

    `points`: analysis.evaluations.robustness_points; `kind`: of corruption; `example`: (28, 28)
    uint8, drawn at every level above the curves.
    """
    corruption = CORRUPTIONS[kind]
    levels = corruption.levels
    layout = common_layout(
        height=330,
        margin={"l": 10, "r": 10, "t": 58, "b": 10},
        images=[
            _picture(place, corrupt(example[None], kind, level)[0])
            for place, level in enumerate(levels)
        ],
        xaxis={
            "title": {"text": f"{corruption.title} ({corruption.unit})"},
            "tickvals": list(range(len(levels))),
            "ticktext": [true_minus(f"{level:g}") for level in levels],
            "range": [-0.55, len(levels) - 0.45],
            "showgrid": False,
        },
        yaxis={"title": {"text": "Test accuracy"}, "range": [0, 1.02]} | TICKS,
    )
    curve = functools.partial(_curve, corruption)
    mine = points[points["corruption"] == kind]
    return go.Figure(_for_each_network(mine, numbers, curve), layout)


def _curve(corruption: Corruption, label: str, rows: pd.DataFrame, number: int) -> Trace:
    ends = rows["accuracy"], rows["low"], rows["high"]
    return {
        "x": [corruption.levels.index(level) for level in rows["level"]],
        "y": rows["accuracy"].tolist(),
        "error_y": whiskers(*ends, colour(number), width=2),
        "mode": "lines+markers",
        "line": {"color": colour(number), "width": 2.2, "dash": dash(number)},
        "marker": {"size": 7, "symbol": marker(number)[0]},
        "customdata": rows["level"].tolist(),
        "hovertemplate": f"{label}<br>%{{customdata:g}} {corruption.unit}<br>%{{y:.2%}}"
        "<extra></extra>",
    }


def _picture(place: int, image: np.ndarray) -> dict[str, Any]:
    """An image above the plot. Enlarged, since browsers smooth what Plotly shows larger."""
    return {
        "source": "data:image/png;base64," + base64.b64encode(png(enlarged(image, 3))).decode(),
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
