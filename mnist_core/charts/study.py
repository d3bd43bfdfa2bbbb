"""Charts of a search: each takes the table of trials. A mark's `customdata` is a trial's number."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np
import plotly.graph_objects as go

from mnist_core.charts.landscape import COLOURS
from mnist_core.charts.study_axes import GAP, UNUSED, FieldAxis, axis_of, with_values
from mnist_core.charts.style import (
    GREY,
    UNFADED,
    Trace,
    colour,
    common_layout,
    stretched_accuracy_axis,
)
from mnist_core.formatting import field_name, number, percent
from mnist_core.sweeps.surface import surface
from mnist_core.sweeps.table import DONE, PRUNED, StudyTable, TrialRow

SCALE = [[i / (len(COLOURS) - 1), each] for i, each in enumerate(COLOURS)]
TOP = 0.1  # the share of the completed trials that has colour among parallel coordinates
LINE_GREY = "#939ca7"  # parallel coordinates know no transparency
APART = 2.0  # between two choices of a surface
FINE = 36  # places of a smooth surface along each axis
SHOWN = (DONE, PRUNED)


def best_so_far(table: StudyTable, height: int = 300) -> go.Figure:
    """Each trial's validation accuracy in the order of trials, and the best one up to there."""
    rows = with_values(r for r in table.rows if r.state in SHOWN)
    done = [row for row in rows if row.state == DONE]
    errors = [_error(row) for row in rows]
    low, high = _room(errors)
    best = list(accumulate(map(_error, done), min))
    line: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": [row.number for row in done],
        "y": best,
        "line": {"shape": "hv", "width": 2.5, "color": colour(0)},
        "hoverinfo": "skip",
    }
    marks = [_marks([r for r in rows if r.state == state], state) for state in SHOWN]
    for trace, state in zip(marks, SHOWN, strict=True):
        trace["x"] = [row.number for row in rows if row.state == state]
        trace["y"] = [min(_error(row), high) for row in rows if row.state == state]
    layout = common_layout(
        height,
        showlegend=True,
        clickmode="event+select",
        xaxis={"title": {"text": "Trial", "standoff": 4}, "fixedrange": True, "zeroline": False},
        yaxis={"fixedrange": True, **stretched_accuracy_axis(low, high)},
    )
    return go.Figure([*marks, line], layout)


def _room(errors: Sequence[float]) -> tuple[float, float]:
    if not errors:
        return 0.01, 0.9
    high = float(np.quantile(errors, 0.9)) * 1.15
    low = min(errors) / 1.1
    return max(low, 1e-4), min(max(high, low * 1.5), 1.0)


def _marks(rows: Sequence[TrialRow], state: str) -> Trace:
    """The trials of one state as marks that can be clicked; pruned ones are crosses."""
    pruned = state == PRUNED
    marker = {"symbol": "x-thin-open" if pruned else "circle", "size": 6, "color": GREY}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "ended early" if pruned else "trial",
        "marker": marker | {"opacity": 0.55 if pruned else 0.8},
        **_clickable(rows),
    }


def _clickable(rows: Sequence[TrialRow]) -> Trace:
    """What a click on a mark and the pointer over it tell."""
    return {
        "customdata": [row.number for row in rows],
        "hovertext": [told(row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        **UNFADED,
    }


def _error(row: TrialRow) -> float:
    """1 without an accuracy."""
    return 1 - (row.accuracy or 0.0)


def told(row: TrialRow) -> str:
    """A trial in a few lines: its accuracy and its values."""
    ended = f", ended after epoch {row.epochs}" if row.state == PRUNED else ""
    lines = [f"trial {row.number}: {percent(row.accuracy)}{ended}"]
    lines += [f"{field_name(name)} {short(value)}" for name, value in row.values.items()]
    return "<br>".join(lines)


def short(value: Any) -> str:
    return number(float(f"{value:.3g}")) if isinstance(value, float) else str(value)


def importance_bars(table: StudyTable, height: int = 300) -> go.Figure:
    """How much each field decides whether a trial is among the best tenth."""
    names = [name for name in table.fields if name in table.importance][::-1]
    shares = [table.importance[name] for name in names]
    bars: Trace = {
        "type": "bar",
        "orientation": "h",
        "x": shares,
        "y": [field_name(name).capitalize() for name in names],
        "text": [f"{100 * share:.0f} %" for share in shares],
        "textposition": "outside",
        "cliponaxis": False,
        "marker": {"color": colour(0)},
        "hoverinfo": "skip",
    }
    layout = common_layout(
        height,
        margin={"l": 10, "r": 40, "t": 10, "b": 10},
        xaxis={"visible": False, "fixedrange": True, "range": [0, max([*shares, 0.1]) * 1.02]},
        yaxis={"fixedrange": True, "automargin": True, "showgrid": False},
        bargap=0.35,
    )
    return go.Figure([bars], layout)


def parallel_coordinates(table: StudyTable, height: int = 330) -> go.Figure:
    """A line for each completed trial across all fields; the best tenth of them in colour."""
    rows = table.done[::-1]  # the best last, on top
    dimensions = [_dimension(axis_of(table, name), rows) for name in table.fields]
    errors = [_error(row) for row in rows]
    low, high = _room(errors)
    heights = [_height(min(error, high)) for error in errors]
    ends = {"range": [_height(high), _height(low)], **_height_ticks(low, high)}
    dimensions.append({"label": "Accuracy", "values": heights, **ends})
    ranks = [place / max(len(rows) - 1, 1) for place in range(len(rows))]
    lines: Trace = {
        "type": "parcoords",
        "dimensions": dimensions,
        "line": {"color": ranks, "cmin": 0, "cmax": 1, "colorscale": _top_in_colour()},
        "labelfont": {"size": 12},
        "tickfont": {"size": 11},
        "labelangle": 0,
    }
    return go.Figure([lines], common_layout(height, margin={"l": 50, "r": 55, "t": 45, "b": 15}))


def _height(error: float) -> float:
    """On the landscape's scale: from 98 to 99 % is as far as from 80 to 90 %."""
    return -math.log10(max(error, 1e-6))


def _height_ticks(low: float, high: float) -> dict[str, Any]:
    """The ticks of such heights for errors from `low` to `high`."""
    axis = stretched_accuracy_axis(low, high)
    return {"tickvals": [_height(each) for each in axis["tickvals"]], "ticktext": axis["ticktext"]}


def _top_in_colour() -> list[list[Any]]:
    """Grey up to the best tenth, then the landscape's colours from their middle to the warm end."""
    bright = COLOURS[2:]
    steps = [1 - TOP + TOP * i / (len(bright) - 1) for i in range(len(bright))]
    return [[0, LINE_GREY], [1 - TOP, LINE_GREY], *map(list, zip(steps, bright, strict=True))]


def _dimension(axis: FieldAxis, rows: Sequence[TrialRow]) -> dict[str, Any]:
    low, high = axis.ends
    unused = low - GAP * (high - low)
    found = [row.values.get(axis.name) for row in rows]
    values = [unused if value is None else axis.place(value) for value in found]
    ticks = axis.ticks()
    if None in found:
        ticks = {
            "tickvals": [unused, *ticks["tickvals"]],
            "ticktext": [UNUSED, *ticks["ticktext"]],
        }
        low = unused
    return {"label": axis.title, "values": values, "range": [low, high], **ticks}


def contour(table: StudyTable, x: str, y: str, height: int = 360) -> go.Figure:
    """Validation accuracy over two fields, smoothed between the trials, which are the marks."""
    across, up = axis_of(table, x), axis_of(table, y)
    rows = with_values((r for r in table.rows if r.state in SHOWN), x, y)
    done = [row for row in rows if row.state == DONE]
    traces = [_surface(across, up, done)] if done else []
    marks = [_marks([r for r in rows if r.state == state], state) for state in SHOWN]
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
    values = np.array([_height(_error(row)) for row in rows])
    (xs, x), (ys, y) = _places(across), _places(up)
    heights = surface(points, values, x, y)
    low, high = np.nanquantile(heights, 0.1), np.nanmax(heights)
    high = max(high, low + 0.01)
    ticks = _height_ticks(float(10**-high), float(10**-low))
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
        **_clickable([best]),
    }


def slice_of(table: StudyTable, name: str, height: int = 260) -> go.Figure:
    """Validation accuracy against one field; later trials are warmer."""
    axis = axis_of(table, name)
    rows = with_values((r for r in table.rows if r.state in SHOWN), name)
    low, high = _room([_error(row) for row in rows])
    marks = _marks(rows, DONE)
    marks["x"] = [axis.place(row.values[name]) for row in rows]
    marks["y"] = [min(_error(row), high) for row in rows]
    marks["marker"] = {
        "size": 7,
        "symbol": ["circle" if row.state == DONE else "x" for row in rows],
        "color": [row.number for row in rows],
        "colorscale": SCALE,
        "line": {"width": 0.75, "color": GREY},
    }
    layout = common_layout(
        height,
        clickmode="event+select",
        xaxis=axis.layout(),
        yaxis={"fixedrange": True, **stretched_accuracy_axis(low, high)},
    )
    return go.Figure([marks], layout)


def two_objectives(table: StudyTable, height: int = 320) -> go.Figure:
    """Accuracy against what is minimised beside it, and the trials that none beats in both."""
    rows = [row for row in table.done if row.second is not None]
    low, high = _room([_error(row) for row in rows])
    marks = _marks(rows, DONE)
    marks["x"] = [row.second for row in rows]
    marks["y"] = [min(_error(row), high) for row in rows]
    front = table.front
    line: Trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "not beaten in both",
        "x": [row.second for row in front],
        "y": [_error(row) for row in front],
        "line": {"shape": "hv", "width": 2, "color": colour(0)},
        **_clickable(front),
    }
    layout = common_layout(
        height,
        showlegend=True,
        clickmode="event+select",
        xaxis={
            "type": "log",
            "title": {"text": table.plan.minimise.capitalize(), "standoff": 4},
            "fixedrange": True,
        },
        yaxis={"fixedrange": True, **stretched_accuracy_axis(low, high)},
    )
    return go.Figure([marks, line], layout)
