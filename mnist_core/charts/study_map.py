"""Validation accuracy over two fields of a search, smoothed between the trials."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.charts.study_axes import FieldAxis, axis_of, with_values
from mnist_core.charts.study_marks import (
    SCALE,
    SHOWN,
    clickable,
    error,
    height_of,
    height_ticks,
    marks_of,
)
from mnist_core.charts.style import Trace, common_layout
from mnist_core.sweeps.surface import surface
from mnist_core.sweeps.table import DONE, StudyTable, TrialRow

APART = 2.0  # between two choices of a surface
FINE = 36  # places of a smooth surface along each axis


def contour(table: StudyTable, x: str, y: str, height: int = 360) -> go.Figure:
    """Validation accuracy over two fields, smoothed between the trials, which are the marks."""
    across, up = axis_of(table, x), axis_of(table, y)
    rows = with_values((r for r in table.rows if r.state in SHOWN), x, y)
    done = [row for row in rows if row.state == DONE]
    traces = [_surface(across, up, done)] if done else []
    marks = [marks_of([r for r in rows if r.state == state], state) for state in SHOWN]
    for trace, state in zip(marks, SHOWN, strict=True):
        there = [row for row in rows if row.state == state]
        trace["x"] = [across.place(row.values[x]) for row in there]
        trace["y"] = [up.place(row.values[y]) for row in there]
        trace["marker"] = trace["marker"] | {"line": {"width": 1, "color": "#ffffff"}}
    best = [_best(table, across, up)] if table.best in rows else []
    layout = common_layout(
        height,
        clickmode="event+select",
        margin={"l": 10, "r": 10, "t": 10, "b": 10},
        xaxis=across.layout() | {"showgrid": False},
        yaxis=up.layout() | {"showgrid": False},
    )
    return go.Figure([*traces, *marks, *best], layout)


def _surface(across: FieldAxis, up: FieldAxis, rows: Sequence[TrialRow]) -> Trace:
    points = np.array([[_apart(axis, r.values[axis.name]) for axis in (across, up)] for r in rows])
    values = np.array([height_of(error(row)) for row in rows])
    (xs, x), (ys, y) = _places(across), _places(up)
    heights = surface(points, values, x, y)
    low, high = np.nanquantile(heights, 0.1), np.nanmax(heights)
    high = max(high, low + 0.01)
    ticks = height_ticks(float(10**-high), float(10**-low))
    smooth: Trace = {
        "type": "contour",
        "contours": {"coloring": "heatmap"},
        "line": {"width": 0.5, "color": "#ffffff"},
    }
    return {
        "x": xs,
        "y": ys,
        "z": [[None if np.isnan(v) else float(v) for v in line] for line in heights],
        "zmin": float(low),
        "zmax": float(high),
        "colorscale": SCALE,
        "colorbar": {"thickness": 10, "outlinewidth": 0, **ticks},
        "hoverinfo": "skip",
        **({"type": "heatmap"} if across.choices or up.choices else smooth),
    }


def _places(axis: FieldAxis) -> tuple[list[float], np.ndarray]:
    """The places of a surface on the axis, and what they are to `surface`."""
    if axis.choices:
        places = [axis.place(value) for value in axis.choices]
        return places, np.array([_apart(axis, value) for value in axis.choices])
    shares = np.linspace(0, 1, FINE)
    return [float(place) for place in np.linspace(*axis.ends, FINE)], shares


def _apart(axis: FieldAxis, value: Any) -> float:
    """The value's place from 0 to 1; choices are so far apart that none tells of another."""
    return APART * axis.place(value) if axis.choices else axis.share(value)


def _best(table: StudyTable, across: FieldAxis, up: FieldAxis) -> Trace:
    best = table.done[0]
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "best",
        "x": [across.place(best.values[across.name])],
        "y": [up.place(best.values[up.name])],
        "marker": {
            "symbol": "star",
            "size": 16,
            "color": "#ffffff",
            "line": {"width": 1.5, "color": "#10151c"},
        },
        **clickable([best]),
    }
