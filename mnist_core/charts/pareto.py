"""Accuracy against what a network costs: a data frame in, a Plotly figure out."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mnist_core.analysis.pareto import OURS
from mnist_core.charts.point_names import Plane, names_of_points
from mnist_core.charts.point_words import about_published, tooltips
from mnist_core.charts.style import (
    COLOURS,
    FAINT,
    GREY,
    UNFADED,
    Trace,
    colour,
    common_layout,
    marker,
    round_ticks,
    whiskers,
)
from mnist_core.dataset_specs import IMAGE_SIDE

CHOSEN_LIMIT = len(COLOURS) - 1  # the last colour, GREY, is that of the runs that are not chosen
CLIPPED = "triangle-down-open"  # the symbol of a run whose accuracy is below the axis
REACH = 3  # the axis goes down to so many times the errors of the best network
FAR = 10  # … where small networks are to be seen, too
FRONT, WHISKERS, NAMED = "front", "whiskers", 60  # so many points at most have names and whiskers
PLOT = 1060, 0.72  # the usual width in pixels of a plot, and its part of the chart's height


@dataclass(frozen=True)
class Axis:
    """What accuracy is drawn against."""

    name: str
    title: str
    log: bool = True


AXES = {
    "parameters": Axis("Parameters", "Parameters"),
    "macs": Axis("MACs", "Multiply-accumulate operations for one image"),
    "latency_ms": Axis("Latency", "Milliseconds for one image"),
    "receptive_field": Axis(
        "Receptive field", "Receptive field of the last convolution, in pixels", log=False
    ),
}


def accuracy_against(
    column: str,
    points: pd.DataFrame,
    slots: Mapping[str, int],
    names: Mapping[str, str],
    height: int = 340,
    reach: float = REACH,
) -> go.Figure:
    """Test accuracy against one of AXES, every point with its name.

    `points`: analysis.pareto.points of the same column and one data set. Ids in `slots` have the
    colour and symbol of that number, other runs are grey, published figures hollow. `names` by
    id. Accuracy is drawn as its error on a reversed logarithmic axis, which goes down to `reach`
    times the errors of the best network: runs below it are triangles at its lower edge. A dotted
    line joins the runs that no other beats. A click returns the run's id; the runs are one trace,
    so that a point keeps its number whatever is chosen.
    """
    ours = points["source"] == OURS
    runs, published = _errors(points[ours]), points[~ours]
    published = published.assign(error=1 - published["test_accuracy"])
    floor = _floor(runs["error"], reach)
    runs = runs.assign(clipped=runs["error"] > floor, shown=runs["error"].clip(upper=floor))
    published = published[published["error"] <= floor]
    within = runs[~runs["clipped"]]
    traces = [
        _front(within, column),
        *_whiskers(within, column, slots),
        _published(published, column),
        _runs(runs, column, slots),
    ]
    axes = _size_axis(column, points[column]), _accuracy_axis(within, published, floor, runs)
    layout = common_layout(height, xaxis=axes[0], yaxis=axes[1])
    if len(runs) <= NAMED:
        plane = Plane(*axes, PLOT[0], PLOT[1] * height)
        layout["annotations"] = names_of_points(runs, column, slots, names, plane)
    figure = go.Figure([trace for trace in traces if len(trace["x"])], layout)
    return figure if AXES[column].log else _with_image_size(figure)


def _errors(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with `error`, and the ends of its interval, `least` and `most`.

    An error of 0, which has no logarithm, is drawn as half an image.
    """
    smallest = 0.5 / runs["test_images"].astype(float)
    error = (1 - runs["test_accuracy"]).clip(lower=smallest)
    least = (1 - runs["test_high"]).clip(lower=smallest)
    return runs.assign(error=error, least=least, most=1 - runs["test_low"])


def _floor(errors: pd.Series, reach: float) -> float:
    """The largest error on the axis."""
    return max(reach * float(errors.min()), 1e-4) if len(errors) else 1.0


def _front(runs: pd.DataFrame, column: str) -> Trace:
    rows = runs[runs["on_front"].astype(bool)].sort_values(column)
    return {
        "name": FRONT,
        "x": rows[column].astype(float),
        "y": rows["error"],
        "mode": "lines",
        "line": {"color": GREY, "width": 1.5, "dash": "dot", "shape": "hv"},
        "hoverinfo": "skip",
    }


def _whiskers(runs: pd.DataFrame, column: str, slots: Mapping[str, int]) -> list[Trace]:
    """Intervals: thin for the other runs, in their own colour for the chosen ones."""
    if len(runs) > NAMED:
        return []
    chosen = runs["id"].isin(list(slots))
    traces = [_whisker(runs[~chosen], column, GREY, 1, 3)]
    for run_id, slot in slots.items():
        traces.append(_whisker(runs[runs["id"] == run_id], column, colour(slot), 2, 5))
    return traces


def _whisker(runs: pd.DataFrame, column: str, colour: str, thickness: float, width: int) -> Trace:
    return {
        "name": WHISKERS,
        "x": runs[column].astype(float),
        "y": runs["error"],
        "mode": "markers",
        "marker": {"size": 1, "color": colour, "opacity": 0},
        "opacity": FAINT if colour == GREY else 1,
        "error_y": whiskers(runs["error"], runs["least"], runs["most"], colour, thickness, width),
        "hoverinfo": "skip",
    }


def _runs(runs: pd.DataFrame, column: str, slots: Mapping[str, int]) -> Trace:
    chosen = [slots.get(run_id) for run_id in runs["id"]]
    return {
        "name": OURS,
        "x": runs[column].astype(float),
        "y": runs["shown"],
        "mode": "markers",
        "marker": {
            "symbol": [
                CLIPPED if off else "circle" if slot is None else marker(slot)[0]
                for slot, off in zip(chosen, runs["clipped"], strict=True)
            ],
            "size": [9 if slot is None else 14 for slot in chosen],
            "color": [GREY if slot is None else colour(slot) for slot in chosen],
            "line": {"width": [1.5 if off else 0 for off in runs["clipped"]]},
            "opacity": 1,
        },
        "customdata": runs["id"].tolist(),
        "text": tooltips(runs, column, short=len(runs) > NAMED),
        "hovertemplate": "%{text}<extra></extra>",
        **UNFADED,
    }


def _published(published: pd.DataFrame, column: str) -> Trace:
    """Hollow marks for the published figures; the tooltips say how each was chosen."""
    return {
        "name": "published",
        "x": published[column].astype(float),
        "y": published["error"],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 11, "color": GREY, "line": {"width": 1.5}},
        "text": [about_published(row, column) for row in published.to_dict("records")],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _accuracy_axis(
    runs: pd.DataFrame, published: pd.DataFrame, floor: float, every: pd.DataFrame
) -> dict[str, Any]:
    """From the best runs' errors down to the floor or, where no run is clipped, the worst."""
    marks = [*runs["error"], *published["error"]] or [0.01]
    high = floor * 1.12 if every["clipped"].any() else max(marks) * 1.2
    low = max(min([*marks, *runs["least"]]), min(marks) / 2, 1e-5) / 1.12
    ticks = round_ticks(low, high)
    return {
        "title": {"text": "Test accuracy"},
        "type": "log",
        "range": [math.log10(high), math.log10(low)],
        "tickvals": ticks,
        "ticktext": [f"{100 * (1 - tick):.6g} %" for tick in ticks],
    }


def _size_axis(column: str, values: pd.Series) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": AXES[column].title}}
    sizes = [max(float(value), 1e-3) for value in values]
    if not AXES[column].log:
        return axis | {"range": [0, max([30, *sizes]) * 1.1]}
    low, high = (min(sizes) / 1.8, max(sizes) * 1.8) if sizes else (1e3, 1e7)
    axis |= {"type": "log", "tickformat": "~s", "minor": {"ticks": ""}}
    axis |= {"range": [math.log10(low), math.log10(high)]}
    return axis | {"dtick": "D1" if high / low < 30 else 1}


def _with_image_size(figure: go.Figure) -> go.Figure:
    """A line at the side of the image: a larger receptive field reaches beyond it."""
    line = {"color": GREY, "width": 1, "dash": "dot"}
    words = {"text": "side of the image", "font": {"color": GREY}, "textangle": -90, "y": 0}
    words |= {"xanchor": "right", "yanchor": "bottom"}
    return figure.add_vline(x=IMAGE_SIDE, line=line, opacity=0.7, annotation=words)
