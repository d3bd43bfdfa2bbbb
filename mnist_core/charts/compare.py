"""Charts that lay networks over each other: tables of figures in, Plotly figures out."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
import plotly.graph_objects as go

from mnist_core.charts.training import FAINT, GREY, finish, round_ticks
from mnist_core.evaluation.calibration import Calibration
from mnist_core.evaluation.predictions import ClassAccuracy

CURVES = ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy")


@dataclass(frozen=True)
class Line:
    """One row of the table as a line: the histories of its seeds, its best run's first.

    A history has a row an epoch: see run.HISTORY. `id` is what a click on the line gives back.
    """

    id: str
    label: str
    colour: str
    histories: Sequence[Sequence[dict[str, float]]]
    best_epoch: int | None = None


def curve_points(lines: Sequence[Line]) -> pd.DataFrame:
    """A row for each network, seed and epoch; `elapsed` is the time spent in epochs till then."""
    rows = []
    for line in lines:
        for place, history in enumerate(line.histories):
            elapsed = 0.0
            for row in history:
                elapsed += row["seconds"]
                figures = {name: row[name] for name in CURVES}
                here = {"id": line.id, "network": line.label, "seed_place": place + 1}
                rows.append(here | {"epoch": row["epoch"], "elapsed": elapsed} | figures)
    names = ["id", "network", "seed_place", "epoch", "elapsed", *CURVES]
    return pd.DataFrame(rows, columns=names)


def curves(
    lines: Sequence[Line],
    points: pd.DataFrame,
    what: str,
    by: str = "epoch",
    marked: str | None = None,
    height: int = 340,
) -> go.Figure:
    """`what`: "loss" or "accuracy", `by`: "epoch" or "elapsed", of `curve_points` of the lines.

    Validation solid, training dotted, the best epoch a star; further seeds of a row thin. When
    a line is marked, the others step back.
    """
    figure = go.Figure()
    for line in lines:
        mine = points[points["id"] == line.id]
        dimmed = marked is not None and marked != line.id
        for place, seed in mine.groupby("seed_place"):
            if place == 1:
                _add_curve(figure, line, seed, f"train_{what}", by, "training", "dot", dimmed)
            words, thin = "validation" if place == 1 else "another seed", place > 1
            _add_curve(figure, line, seed, f"validation_{what}", by, words, "solid", dimmed, thin)
        if what == "accuracy":
            _add_star(figure, line, mine, by, dimmed)
    _curve_axes(figure, points, what, by)
    return finish(figure, height, showlegend=False)


def _add_curve(
    figure: go.Figure,
    line: Line,
    rows: pd.DataFrame,
    column: str,
    by: str,
    words: str,
    dash: str,
    dimmed: bool,
    thin: bool = False,
) -> None:
    opacity = FAINT / 2 if dimmed else FAINT if thin else 1
    place = "epoch %{x}" if by == "epoch" else "%{x:.0f} s"
    value = "%{y:.2%}" if "accuracy" in column else "%{y:.4f}"
    figure.add_scatter(
        x=rows[by].tolist(),
        y=rows[column].tolist(),
        name=f"{line.label} · {words}",
        mode="lines+markers",  # a line without markers cannot be clicked
        line={"color": line.colour, "dash": dash, "width": 1 if thin else 2.2},
        marker={"size": 7 if len(rows) == 1 else 4 if len(rows) < 60 else 2},
        opacity=opacity,
        selected={"marker": {"opacity": 1}},
        unselected={"marker": {"opacity": 1}},
        customdata=rows["id"].tolist(),
        hovertemplate=f"{line.label}<br>{place}<br>{words} {value}<extra></extra>",
    )


def _add_star(figure: go.Figure, line: Line, rows: pd.DataFrame, by: str, dimmed: bool) -> None:
    best = rows[(rows["seed_place"] == 1) & (rows["epoch"] == line.best_epoch)]
    if len(best) and not dimmed:
        figure.add_scatter(
            x=best[by],
            y=best["validation_accuracy"],
            mode="markers",
            marker={"symbol": "star", "size": 13, "color": line.colour},
            selected={"marker": {"opacity": 1}},
            unselected={"marker": {"opacity": 1}},
            customdata=best["id"],
            hovertemplate=f"{line.label}<br>best epoch {line.best_epoch}<br>"
            "validation %{y:.2%}<extra></extra>",
        )


def _curve_axes(figure: go.Figure, points: pd.DataFrame, what: str, by: str) -> None:
    title = "Epoch" if by == "epoch" else "Seconds spent in epochs, each on its own machine"
    top = points[by].max() if len(points) else 1
    figure.update_xaxes(title=title, range=[0, 1.04 * max(1, top)])
    values = points[[f"train_{what}", f"validation_{what}"]].to_numpy().ravel()
    if what == "loss":
        losses = [value for value in values if 0 < value < math.inf]
        ticks = round_ticks(min(losses) / 1.1, max(losses) * 1.1) if losses else None
        figure.update_yaxes(title="Loss (nats)", type="log", tickvals=ticks, tickformat="~g")
    else:
        figure.update_yaxes(title="Accuracy", tickformat=".4~p")


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
    return finish(figure, height, showlegend=False)


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
    return finish(figure, height, showlegend=False, scattermode="group", scattergap=0.35)
