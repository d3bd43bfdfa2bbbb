"""Accuracy against the size of a network: the table of runs in, Plotly figures out."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.style import COLOURS, colour, common_layout, round_ticks, symbol
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.evaluation.statistics import pareto_front

GREY = COLOURS[-1]  # of runs that were not chosen, so it is no chosen run's
CHOSEN_LIMIT = len(COLOURS) - 1
OFF = "triangle-down"  # of a run whose accuracy is below the axis
WIDTH = 42  # letters of a tooltip's line
RING = "#e0a800"  # around the marked run, on light and on dark ground
ROOM = 3  # an interval that is wider than this factor is cut by the edge of the chart
WHISKERS = 60  # as many runs get a thin interval each; more would be a grey mist


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
    runs: pd.DataFrame,
    published: pd.DataFrame,
    chosen: Sequence[str] = (),
    marked: str | None = None,
    height: int = 340,
) -> go.Figure:
    """Test accuracy against one of AXES; a symbol for each data set.

    `runs` are rows of analysis.aggregate, `published` of table.published. The chosen
    ids have the colours of their curves, the others are grey; `marked` has a ring.
    Accuracy is drawn
    as its error on a reversed logarithmic axis, so that 90 % and 99.5 % both have room. A line
    along the Pareto front of each data set.
    """
    runs = runs[runs["test_accuracy"].notna() & runs[column].notna()]
    published = published[published[column].notna()]
    figure = go.Figure()
    runs = _errors(runs)
    others = runs[~runs["id"].isin(list(chosen))]
    _add_front(figure, runs, column)
    _add_published(figure, published, column)
    if len(others):
        _add_runs(figure, others, column, GREY, faint=True)
    for number, run_id in enumerate(chosen):
        if (runs["id"] == run_id).any():
            _add_runs(figure, runs[runs["id"] == run_id], column, colour(number))
    _add_ring(figure, runs[runs["id"] == marked], column)
    marks = [*runs["error"], *(1 - published["test_accuracy"])]
    most = [error for error in runs["most"] if error < ROOM * max(marks)]
    least = [error for error in runs["least"] if error > min(marks) / ROOM]
    _accuracy_axis(figure, [max(end, 1e-5) for end in (*marks, *most, *least)])
    sizes = [float(size) for size in (*runs[column], *published[column])]
    _size_axis(figure, column, [max(size, 1e-3) for size in sizes])
    return figure.update_layout(common_layout(height, showlegend=False))


def front(runs: pd.DataFrame, column: str) -> pd.DataFrame:
    """The rows on the Pareto front of their data set, the cheapest first, data set by data set."""
    parts = []
    for _, rows in runs[runs[column].notna() & runs["test_accuracy"].notna()].groupby("dataset"):
        costs = rows[column].astype(float).tolist()
        parts.append(rows.iloc[pareto_front(costs, rows["test_accuracy"].tolist())])
    return pd.concat(parts) if parts else runs.head(0)


def points(column: str, runs: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """What the chart shows, as a table for a file: a row a point, accuracies as fractions."""
    ours = runs[runs["test_accuracy"].notna() & runs[column].notna()]
    on_front = ours["id"].isin(front(ours, column)["id"])
    ours = ours.assign(source="this lab", on_front=on_front)
    names = ["source", "title", "dataset", "recipe", column, "test_accuracy", "test_low"]
    names += ["test_high", "seeds", "on_front", "selection", "id"]
    parts = [part.reindex(columns=names) for part in (ours, published) if len(part)]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=names)


def _add_front(figure: go.Figure, runs: pd.DataFrame, column: str) -> None:
    for _, rows in front(runs[~runs["off"]], column).groupby("dataset"):
        figure.add_scatter(
            x=rows[column].astype(float),
            y=rows["error"],
            mode="lines",
            line={"color": GREY, "width": 1.5, "dash": "dot", "shape": "hv"},
            hoverinfo="skip",
        )


def _add_ring(figure: go.Figure, runs: pd.DataFrame, column: str) -> None:
    if len(runs):
        figure.add_scatter(
            x=runs[column].astype(float),
            y=runs["error"],
            mode="markers",
            marker={"symbol": "circle-open", "size": 24, "color": RING, "line": {"width": 3}},
            hoverinfo="skip",
        )


def _errors(runs: pd.DataFrame) -> pd.DataFrame:
    """The runs with their `error`, its interval from `least` to `most`, and who is `off` the axis.

    A run that learned next to nothing would press the others against the upper edge: it is
    drawn at the lower edge. No error at all is drawn as half an image, since log 0 is none.
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


def _add_runs(
    figure: go.Figure, runs: pd.DataFrame, column: str, colour: str, faint: bool = False
) -> None:
    symbols = [symbol(name) for name in runs["dataset"]]
    opacity = 0.6 if faint else 1
    whiskers = {"error_y": _whiskers(runs, colour, faint)} if len(runs) <= WHISKERS else {}
    figure.add_scatter(
        x=runs[column].astype(float).tolist(),
        y=runs["error"].tolist(),
        mode="markers",
        marker={
            "symbol": [OFF if off else s for s, off in zip(symbols, runs["off"], strict=True)],
            "size": 8 if faint else 12,
            "color": colour,
            "opacity": opacity,
        },
        selected={"marker": {"opacity": opacity}},
        unselected={"marker": {"opacity": opacity}},
        customdata=runs["id"].tolist(),
        text=_tooltips(runs, column),
        hovertemplate="%{text}<extra></extra>",
        **whiskers,
    )


def _whiskers(runs: pd.DataFrame, colour: str, faint: bool) -> dict[str, Any]:
    return {
        "array": (runs["most"] - runs["error"]).clip(lower=0).tolist(),
        "arrayminus": (runs["error"] - runs["least"]).clip(lower=0).tolist(),
        "symmetric": False,
        "color": colour,
        "thickness": 1 if faint else 2,
        "width": 3 if faint else 5,
    }


def _tooltips(runs: pd.DataFrame, column: str) -> list[str]:
    """All that is known of a point; of hundreds of points only what they are."""
    if len(runs) <= WHISKERS:
        return [_about_run(row, column) for row in runs.to_dict("records")]
    rows = zip(runs["title"], runs["test_accuracy"], runs["recipe"], strict=True)
    return [_lines([f"<b>{title}</b> {_percent(test)}", recipe]) for title, test, recipe in rows]


def _about_run(row: Mapping[str, Any], column: str) -> str:
    seeds = row["seeds"]
    off = "" if seeds < 2 else f" ± {100 * row['test_accuracy_deviation']:.2f}"
    over = f"{seeds} seeds" if seeds > 1 else f"seed {row['seed']}, {row['test_images']:,} images"
    best = f", best epoch {row['best_epoch']}" if pd.notna(row["best_epoch"]) else ""
    lines = [
        f"<b>{row['title']}</b> on {row['dataset']}",
        f"test {_percent(row['test_accuracy'])}{off} (95 %: {_percent(row['test_low'])} to "
        f"{_percent(row['test_high'])}, {over})",
        f"validation {_percent(row['validation_accuracy'])}{best} of {row['epochs']}",
        f"{row['recipe']} · {row['device'] or 'device not known'}",
        _sizes(row, column),
        row["note"],
    ]
    return _lines(lines)


def _lines(lines: Sequence[str]) -> str:
    """Lines of a tooltip, short enough for a phone."""
    short = [
        line if len(line) < WIDTH else "<br>".join(textwrap.wrap(line, WIDTH)) for line in lines
    ]
    return "<br>".join(filter(None, short))


def _sizes(row: Mapping[str, Any], column: str) -> str:
    shown = dict.fromkeys(("parameters", column))
    return " · ".join(AXES[name].words.format(row[name]) for name in shown if pd.notna(row[name]))


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.2f} %" if math.isfinite(fraction) else "–"


def _add_published(figure: go.Figure, published: pd.DataFrame, column: str) -> None:
    """Hollow marks: what the references report, each with how it was chosen."""
    if published.empty:
        return
    figure.add_scatter(
        x=published[column].astype(float),
        y=1 - published["test_accuracy"],
        mode="markers",
        marker={
            "symbol": [f"{symbol(name)}-open" for name in published["dataset"]],
            "size": 14,
            "color": GREY,
            "line": {"width": 2},
        },
        text=[_about_published(row, column) for row in published.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def _about_published(row: Mapping[str, Any], column: str) -> str:
    lines = [
        f"<b>Published</b>: {row['title']} on {row['dataset']}",
        f"{_percent(row['test_accuracy'])}, no interval given",
        f"chosen by: {row['selection'] or 'not known'}",
        row["source"],
        _sizes(row, column),
    ]
    return _lines(lines)


def _accuracy_axis(figure: go.Figure, errors: Sequence[float]) -> None:
    low, high = (min(errors) / 1.15, max(errors) * 1.15) if errors else (0.01, 0.5)
    ticks = round_ticks(low, high)
    figure.update_yaxes(
        title="Test accuracy",
        type="log",
        range=[math.log10(high), math.log10(low)],
        tickvals=ticks,
        ticktext=[f"{100 * (1 - tick):.6g} %" for tick in ticks],
    )


def _size_axis(figure: go.Figure, column: str, values: Sequence[float]) -> None:
    figure.update_xaxes(title=AXES[column].title)
    if AXES[column].log:
        low, high = (min(values) / 1.6, max(values) * 1.6) if values else (1e3, 1e7)
        figure.update_xaxes(type="log", tickformat="~s", minor={"ticks": ""})
        figure.update_xaxes(range=[math.log10(low), math.log10(high)])
        figure.update_xaxes(dtick="D1" if high / low < 30 else 1)
        return
    top = max([30, *values]) * 1.1
    figure.update_xaxes(range=[0, float(top)])
    figure.add_vline(x=IMAGE_SIDE, line={"color": GREY, "width": 1, "dash": "dot"}, opacity=0.7)
    figure.add_annotation(
        x=IMAGE_SIDE, y=0, yref="paper", text="the image", font={"color": GREY}, showarrow=False
    )
    figure.update_annotations(textangle=-90, xanchor="right", yanchor="bottom")
