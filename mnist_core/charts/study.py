"""Charts of a search: each takes the table of trials. A mark's `customdata` is a trial's number."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import plotly.graph_objects as go

from mnist_core.charts.landscape import COLOURS
from mnist_core.charts.study_axes import (
    GAP,
    UNUSED,
    FieldAxis,
    axis_of,
    count_ticks,
    with_values,
)
from mnist_core.charts.study_marks import (
    SCALE,
    SHOWN,
    clickable,
    error,
    height_of,
    height_ticks,
    marks_of,
    room,
)
from mnist_core.charts.style import GREY, Trace, colour, common_layout, stretched_accuracy_axis
from mnist_core.formatting import field_name
from mnist_core.sweeps.table import DONE, StudyTable, TrialRow

TOP = 0.1  # the share of the completed trials that has colour among parallel coordinates
# What may be minimised beside the error, in words
SECOND = {"parameters": "parameters", "macs": "multiply-accumulates"}
LINE_GREY = "#939ca7"  # parallel coordinates know no transparency


def best_so_far(table: StudyTable, height: int = 300) -> go.Figure:
    """Each trial's validation accuracy in the order of trials, and the best one up to there."""
    rows = with_values(r for r in table.rows if r.state in SHOWN)
    done = [row for row in rows if row.state == DONE]
    errors = [error(row) for row in rows]
    low, high = room(errors)
    best = list(accumulate(map(error, done), min))
    line: Trace = {
        "type": "scatter",
        "mode": "lines",
        "name": "best so far",
        "x": [row.number for row in done],
        "y": best,
        "line": {"shape": "hv", "width": 2.5, "color": colour(0)},
        "hoverinfo": "skip",
    }
    marks = [marks_of([r for r in rows if r.state == state], state) for state in SHOWN]
    for trace, state in zip(marks, SHOWN, strict=True):
        trace["x"] = [row.number for row in rows if row.state == state]
        trace["y"] = [min(error(row), high) for row in rows if row.state == state]
    layout = common_layout(
        height,
        showlegend=True,
        clickmode="event+select",
        xaxis={"title": {"text": "Trial", "standoff": 4}, "fixedrange": True, "zeroline": False},
        yaxis={"fixedrange": True, **stretched_accuracy_axis(low, high)},
    )
    return go.Figure([*marks, line], layout)


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
    errors = [error(row) for row in rows]
    low, high = room(errors)
    heights = [height_of(min(each, high)) for each in errors]
    ends = {"range": [height_of(high), height_of(low)], **height_ticks(low, high)}
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


def slice_of(table: StudyTable, name: str, height: int = 260) -> go.Figure:
    """Validation accuracy against one field; later trials are warmer."""
    axis = axis_of(table, name)
    rows = with_values((r for r in table.rows if r.state in SHOWN), name)
    low, high = room([error(row) for row in rows])
    marks = marks_of(rows, DONE)
    marks["x"] = [axis.place(row.values[name]) for row in rows]
    marks["y"] = [min(error(row), high) for row in rows]
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
    low, high = room([error(row) for row in rows])
    marks = marks_of(rows, DONE)
    marks["x"] = [row.second for row in rows]
    marks["y"] = [min(error(row), high) for row in rows]
    front = table.front
    line: Trace = {
        "type": "scatter",
        "mode": "lines+markers",
        "name": "not beaten in both",
        "x": [row.second for row in front],
        "y": [min(error(row), high) for row in front],
        "line": {"shape": "hv", "width": 2, "color": colour(0)},
        **clickable(front),
    }
    layout = common_layout(
        height,
        showlegend=True,
        clickmode="event+select",
        xaxis={
            "type": "log",
            "title": {"text": SECOND[table.plan.minimise].capitalize(), "standoff": 4},
            "fixedrange": True,
            **count_ticks([row.second or 1 for row in rows]),
        },
        yaxis={"fixedrange": True, **stretched_accuracy_axis(low, high)},
    )
    return go.Figure([marks, line], layout)
