"""Accuracy against the size of a network: a data frame in, a Plotly figure out."""

import math
import textwrap
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mnist_core.analysis.pareto import OURS
from mnist_core.charts.style import (
    COLOURS,
    GREY,
    Trace,
    colour,
    common_layout,
    round_ticks,
    symbols,
    whiskers,
)
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.formatting import percent

CHOSEN_LIMIT = len(COLOURS) - 1  # the last colour, GREY, is that of the runs that are not chosen
OFF = "triangle-down"  # the symbol of a run whose accuracy is below the axis
WIDTH = 42  # characters in a line of a tooltip
RING = "#e0a800"  # around the marked run, on light and on dark ground
ROOM = 3  # by this factor intervals may widen the axis; the edge of the chart cuts the rest
WHISKERS = 60  # intervals and long tooltips are for up to so many runs; more would be a blur


@dataclass(frozen=True)
class Axis:
    """What accuracy is drawn against: its title, and how a figure on it is written."""

    title: str
    words: str
    log: bool = True


AXES = {
    "parameters": Axis("Parameters", "{:,} parameters"),
    "macs": Axis("MACs for one image", "{:,} MACs"),
    "latency_ms": Axis("Latency for one image (ms)", "{:.2f} ms for one image"),
    "receptive_field": Axis("Receptive field (pixels)", "receptive field {} px", log=False),
}


def accuracy_against(
    column: str,
    points: pd.DataFrame,
    chosen: Sequence[str] = (),
    marked: str | None = None,
) -> go.Figure:
    """Test accuracy against one of AXES; a symbol for each data set.

    `points`: analysis.pareto.points of the same column. The `chosen` ids have the colours of
    their curves, other runs are grey, published figures hollow; `marked` has a ring. Accuracy is
    drawn as its error on a reversed logarithmic axis, so that 90 % and 99.5 % both have room. A
    dotted line joins the runs on the Pareto front of each data set.
    """
    ours = points["source"] == OURS
    runs, published = _errors(points[ours]), points[~ours]
    published = published.assign(error=1 - published["test_accuracy"])
    traces = [*_fronts(runs, column), _published(published, column)]
    traces.append(_runs(runs[~runs["id"].isin(list(chosen))], column, GREY, faint=True))
    for number, run_id in enumerate(chosen):
        traces.append(_runs(runs[runs["id"] == run_id], column, colour(number)))
    traces.append(_ring(runs[runs["id"] == marked], column))
    marks = [*runs["error"], *published["error"]]
    most = [error for error in runs["most"] if error < ROOM * max(marks)]
    least = [error for error in runs["least"] if error > min(marks) / ROOM]
    sizes = [max(float(size), 1e-3) for size in points[column]]
    layout = common_layout(
        height=340,
        xaxis=_size_axis(column, sizes),
        yaxis=_accuracy_axis([max(end, 1e-5) for end in (*marks, *most, *least)]),
    )
    figure = go.Figure([trace for trace in traces if len(trace["x"])], layout)
    return figure if AXES[column].log else _with_image_size(figure)


def _fronts(runs: pd.DataFrame, column: str) -> list[Trace]:
    on_front = runs[runs["on_front"].astype(bool) & ~runs["off"]].sort_values(column)
    return [
        {
            "x": rows[column].astype(float),
            "y": rows["error"],
            "mode": "lines",
            "line": {"color": GREY, "width": 1.5, "dash": "dot", "shape": "hv"},
            "hoverinfo": "skip",
        }
        for _, rows in on_front.groupby("dataset")
    ]


def _ring(runs: pd.DataFrame, column: str) -> Trace:
    return {
        "x": runs[column].astype(float),
        "y": runs["error"],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 24, "color": RING, "line": {"width": 3}},
        "hoverinfo": "skip",
    }


def _errors(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with `error`, its interval from `least` to `most`, and whether it is `off` the axis.

    A run that learned next to nothing would press the others against the upper edge, so it is
    drawn at the lower edge. An error of 0, which has no logarithm, is drawn as half an image.
    """
    smallest = 0.5 / runs["test_images"].astype(float)
    error = (1 - runs["test_accuracy"]).clip(lower=smallest)
    most = 1 - runs["test_low"]
    off = (error > 0.5) & (error.min() <= 0.5)
    bottom = 1.2 * most[~off].max()
    return runs.assign(
        off=off,
        error=error.clip(upper=bottom),
        most=most.clip(upper=bottom),
        least=(1 - runs["test_high"]).clip(lower=smallest, upper=bottom),
    )


def _runs(runs: pd.DataFrame, column: str, colour: str, faint: bool = False) -> Trace:
    opacity = 0.6 if faint else 1
    unfaded = {"marker": {"opacity": opacity}}
    trace = {
        "x": runs[column].astype(float).tolist(),
        "y": runs["error"].tolist(),
        "mode": "markers",
        "marker": {
            "symbol": [
                OFF if off else symbols(dataset)[0]
                for dataset, off in zip(runs["dataset"], runs["off"], strict=True)
            ],
            "size": 8 if faint else 12,
            "color": colour,
            "opacity": opacity,
        },
        "selected": unfaded,
        "unselected": unfaded,
        "customdata": runs["id"].tolist(),
        "text": _tooltips(runs, column),
        "hovertemplate": "%{text}<extra></extra>",
    }
    if len(runs) <= WHISKERS:
        ends = runs["error"], runs["least"], runs["most"]
        thickness, width = (1, 3) if faint else (2, 5)
        trace["error_y"] = whiskers(*ends, colour, thickness, width)
    return trace


def _tooltips(runs: pd.DataFrame, column: str) -> list[str]:
    """All about a point; with many points only the network, its accuracy and its recipe."""
    if len(runs) <= WHISKERS:
        return [_about_run(row, column) for row in runs.to_dict("records")]
    rows = zip(runs["title"], runs["test_accuracy"], runs["recipe"], strict=True)
    return [_lines(f"<b>{title}</b> {percent(test)}", recipe) for title, test, recipe in rows]


def _about_run(row: Mapping[Hashable, Any], column: str) -> str:
    seeds = row["seeds"]
    off = "" if seeds < 2 else f" ± {100 * row['test_accuracy_deviation']:.2f}"
    over = f"{seeds} seeds" if seeds > 1 else f"seed {row['seed']}, {row['test_images']:,} images"
    best = f", best epoch {row['best_epoch']}" if pd.notna(row["best_epoch"]) else ""
    return _lines(
        f"<b>{row['title']}</b> on {row['dataset']}",
        f"test {percent(row['test_accuracy'])}{off} (95 %: {percent(row['test_low'])} to "
        f"{percent(row['test_high'])}, {over})",
        f"validation {percent(row['validation_accuracy'])}{best} of {row['epochs']}",
        f"{row['recipe']} · {row['device'] or 'device not known'}",
        _sizes(row, column),
        row["note"],
    )


def _lines(*lines: str) -> str:
    """The lines of a tooltip, wrapped to fit a phone."""
    return "<br>".join(part for line in lines for part in textwrap.wrap(line, WIDTH))


def _sizes(row: Mapping[Hashable, Any], column: str) -> str:
    shown = dict.fromkeys(("parameters", column))
    return " · ".join(AXES[name].words.format(row[name]) for name in shown if pd.notna(row[name]))


def _published(published: pd.DataFrame, column: str) -> Trace:
    """Hollow marks for the published figures; the tooltips say how each was chosen."""
    return {
        "x": published[column].astype(float),
        "y": published["error"],
        "mode": "markers",
        "marker": {
            "symbol": [f"{symbols(name)[0]}-open" for name in published["dataset"]],
            "size": 14,
            "color": GREY,
            "line": {"width": 2},
        },
        "text": [_about_published(row, column) for row in published.to_dict("records")],
        "hovertemplate": "%{text}<extra></extra>",
    }


def _about_published(row: Mapping[Hashable, Any], column: str) -> str:
    return _lines(
        f"<b>Published</b>: {row['title']} on {row['dataset']}",
        f"{percent(row['test_accuracy'])}, no interval given",
        f"chosen by: {row['selection'] or 'not known'}",
        row["source"],
        _sizes(row, column),
    )


def _accuracy_axis(errors: Sequence[float]) -> dict[str, Any]:
    low, high = (min(errors) / 1.15, max(errors) * 1.15) if errors else (0.01, 0.5)
    ticks = round_ticks(low, high)
    return {
        "title": {"text": "Test accuracy"},
        "type": "log",
        "range": [math.log10(high), math.log10(low)],
        "tickvals": ticks,
        "ticktext": [f"{100 * (1 - tick):.6g} %" for tick in ticks],
    }


def _size_axis(column: str, values: Sequence[float]) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": AXES[column].title}}
    if not AXES[column].log:
        return axis | {"range": [0, max([30, *values]) * 1.1]}
    low, high = (min(values) / 1.6, max(values) * 1.6) if values else (1e3, 1e7)
    axis |= {"type": "log", "tickformat": "~s", "minor": {"ticks": ""}}
    axis |= {"range": [math.log10(low), math.log10(high)]}
    return axis | {"dtick": "D1" if high / low < 30 else 1}


def _with_image_size(figure: go.Figure) -> go.Figure:
    """A line at the side of the image: a larger receptive field reaches beyond it."""
    line = {"color": GREY, "width": 1, "dash": "dot"}
    words = {"text": "the image", "font": {"color": GREY}, "textangle": -90, "y": 0}
    words |= {"xanchor": "right", "yanchor": "bottom"}
    return figure.add_vline(x=IMAGE_SIDE, line=line, opacity=0.7, annotation=words)
