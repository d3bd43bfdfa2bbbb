"""Accuracy against the size of a network: the table of runs in, Plotly figures out."""

from __future__ import annotations

import math
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts import COLOURS, colour, finish, round_ticks

GREY = COLOURS[-1]  # of runs that were not chosen, so it is no chosen run's
CHOSEN_LIMIT = len(COLOURS) - 1
SYMBOLS = {"MNIST": "circle", "FashionMNIST": "square", "KMNIST": "diamond"}
SYMBOLS |= {"QMNIST": "triangle-up"}
OFF = "triangle-down"  # of a run whose accuracy is below the axis
WIDTH = 42  # letters of a tooltip's line
WHISKERS = 200  # as many runs get a thin interval each; more would be a grey mist


def accuracy_against(
    column: str,
    runs: pd.DataFrame,
    published: pd.DataFrame,
    chosen: Sequence[str] = (),
    height: int = 340,
) -> go.Figure:
    """Test accuracy against "parameters" or "receptive_field"; a symbol for each data set.

    `runs` are rows of table.runs_table, `published` of table.published. The chosen ids have the
    colours of their curves, the others are grey. Accuracy is drawn as its error on a reversed
    logarithmic axis, so that 90 % and 99.5 % both have room.
    """
    runs = runs[runs["test_accuracy"].notna() & runs[column].notna()]
    published = published[published[column].notna()]
    figure = go.Figure()
    runs = _errors(runs)
    others = runs[~runs["id"].isin(list(chosen))]
    _add_published(figure, published, column)
    if len(others):
        _add_runs(figure, others, column, GREY, faint=True)
    for number, run_id in enumerate(chosen):
        if (runs["id"] == run_id).any():
            _add_runs(figure, runs[runs["id"] == run_id], column, colour(number))
    ends = [*runs["most"], *runs["least"], *(1 - published["test_accuracy"])]
    _accuracy_axis(figure, [max(end, 1e-5) for end in ends])
    _size_axis(figure, column, [max(size, 1) for size in (*runs[column], *published[column])])
    return finish(figure, height, showlegend=False)


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
    symbols = [SYMBOLS.get(name, "circle") for name in runs["dataset"]]
    figure.add_scatter(
        x=runs[column].astype(float),
        y=runs["error"],
        mode="markers",
        marker={
            "symbol": [OFF if off else s for s, off in zip(symbols, runs["off"], strict=True)],
            "size": 8 if faint else 12,
            "color": colour,
            "opacity": 0.6 if faint else 1,
        },
        error_y={
            "array": (runs["most"] - runs["error"]).clip(lower=0),
            "arrayminus": (runs["error"] - runs["least"]).clip(lower=0),
            "symmetric": False,
            "color": colour,
            "thickness": 1 if faint else 2,
            "width": 3 if faint else 5,
            "visible": not faint or len(runs) <= WHISKERS,
        },
        customdata=runs["id"],
        text=[_about_run(row) for row in runs.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def _about_run(row: Mapping[str, Any]) -> str:
    best = f", best epoch {row['best_epoch']}" if pd.notna(row["best_epoch"]) else ""
    lines = [
        f"<b>{row['title']}</b> on {row['dataset']}",
        f"test {_percent(row['test_accuracy'])} (95 %: {_percent(row['test_low'])} to "
        f"{_percent(row['test_high'])}, {row['test_images']:,} images)",
        f"validation {_percent(row['validation_accuracy'])}{best} of {row['epochs']}",
        f"{row['recipe']} · seed {row['seed']} · {row['device'] or 'device not known'}",
        _sizes(row),
        row["note"],
    ]
    return _lines(lines)


def _lines(lines: Sequence[str]) -> str:
    """Lines of a tooltip, short enough for a phone."""
    short = [
        line if len(line) < WIDTH else "<br>".join(textwrap.wrap(line, WIDTH)) for line in lines
    ]
    return "<br>".join(filter(None, short))


def _sizes(row: Mapping[str, Any]) -> str:
    parts = [f"{row['parameters']:,} parameters"] if pd.notna(row["parameters"]) else []
    if pd.notna(row["receptive_field"]):
        parts.append(f"receptive field {row['receptive_field']} px")
    return " · ".join(parts)


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
            "symbol": [f"{SYMBOLS.get(name, 'circle')}-open" for name in published["dataset"]],
            "size": 14,
            "color": GREY,
            "line": {"width": 2},
        },
        text=[_about_published(row) for row in published.to_dict("records")],
        hovertemplate="%{text}<extra></extra>",
    )


def _about_published(row: Mapping[str, Any]) -> str:
    lines = [
        f"<b>Published</b>: {row['title']} on {row['dataset']}",
        f"{_percent(row['test_accuracy'])}, no interval given",
        f"chosen by: {row['selection'] or 'not known'}",
        row["source"],
        _sizes(row),
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
    if column == "parameters":
        low, high = (min(values) / 1.6, max(values) * 1.6) if values else (1e3, 1e7)
        figure.update_xaxes(title="Parameters", type="log", tickformat="~s", minor={"ticks": ""})
        figure.update_xaxes(range=[math.log10(low), math.log10(high)])
        figure.update_xaxes(dtick="D1" if high / low < 30 else 1)
        return
    top = max([30, *values]) * 1.1
    figure.update_xaxes(title="Receptive field (pixels)", range=[0, float(top)])
    figure.add_vline(x=28, line={"color": GREY, "width": 1, "dash": "dot"}, opacity=0.7)
    figure.add_annotation(
        x=28, y=0, yref="paper", text="the image", font={"color": GREY}, showarrow=False
    )
    figure.update_annotations(textangle=-90, xanchor="right", yanchor="bottom")
