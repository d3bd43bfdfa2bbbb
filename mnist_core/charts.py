"""Tables of figures in, Plotly figures out. Colours read on light and on dark ground."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

COLOURS = ("#0d9488", "#e07b00", "#6d5bd0", "#d1426f", "#4b8b1f", "#2b7fc4", "#a3673f", "#7a8794")
GREY = COLOURS[-1]
FAINT = 0.35


@dataclass(frozen=True)
class Curve:
    """One run's history, ready to be drawn. `faint` puts it into the background.

    `history` has a row an epoch, `echoes` a row for each reported loss within the epochs
    (epoch, step, loss); see mnist_core.training. `steps` is the number of steps an epoch.
    """

    label: str
    history: Sequence[Mapping[str, float]]
    best_epoch: int | None = None
    faint: bool = False
    echoes: Sequence[Mapping[str, float]] = ()
    steps: int = 0


def colour(index: int) -> str:
    """The colour of the run with this number, the same on every chart of a page."""
    return COLOURS[index % len(COLOURS)]


def loss_curves(
    curves: Sequence[Curve], height: int = 320, epochs: int = 0, **layout: Any
) -> go.Figure:
    """Training loss dotted, validation loss solid, by epoch, on a logarithmic axis.

    The axis has room for `epochs` at least, so that a run in progress grows into it.
    `layout` goes to Plotly, such as showlegend=False.
    """
    figure = go.Figure()
    for number, curve in enumerate(curves):
        _add_echoes(figure, curve, colour(number))
        _add_line(figure, curve, colour(number), "train_loss", "training", dash="dot")
        _add_line(figure, curve, colour(number), "validation_loss", "validation")
    losses = [loss for trace in figure.data for loss in trace.y if 0 < loss < math.inf]
    ticks = round_ticks(min(losses) / 1.1, max(losses) * 1.1) if losses else None
    figure.update_yaxes(title="Loss (nats)", type="log", tickvals=ticks, tickformat="~g")
    if not losses:
        figure.update_yaxes(range=[-2, 0.5])
    return _by_epoch(figure, height, epochs, **layout)


def accuracy_curves(
    curves: Sequence[Curve], height: int = 320, epochs: int = 0, **layout: Any
) -> go.Figure:
    """Training accuracy dotted, validation accuracy solid, the best epoch marked.

    `epochs` and `layout` as for `loss_curves`.
    """
    figure = go.Figure()
    for number, curve in enumerate(curves):
        _add_line(figure, curve, colour(number), "train_accuracy", "training", dash="dot")
        _add_line(figure, curve, colour(number), "validation_accuracy", "validation")
        _add_best(figure, curve, colour(number))
    figure.update_yaxes(title="Accuracy", tickformat=".4~p")
    if not figure.data:
        figure.update_yaxes(range=[0, 1])
    return _by_epoch(figure, height, epochs, **layout)


def _add_line(
    figure: go.Figure, curve: Curve, colour: str, column: str, part: str, dash: str = "solid"
) -> None:
    if not curve.history:
        return
    figures = ".2%" if "accuracy" in column else ".4f"
    figure.add_scatter(
        x=[row["epoch"] for row in curve.history],
        y=[row[column] for row in curve.history],
        name=f"{curve.label} · {part}" if curve.label else part,
        mode="lines+markers" if len(curve.history) < 8 else "lines",
        line={"color": colour, "dash": dash, "width": 1.5 if curve.faint else 2.5},
        opacity=FAINT if curve.faint else 1,
        hovertemplate=_hover(curve, f"epoch %{{x}}<br>{part} %{{y:{figures}}}"),
    )


def _hover(curve: Curve, text: str) -> str:
    return (f"{curve.label}<br>" if curve.label else "") + text + "<extra></extra>"


def _add_echoes(figure: go.Figure, curve: Curve, colour: str) -> None:
    """The loss of single batches, where within the epoch they lie."""
    if not curve.echoes or not curve.steps:
        return
    figure.add_scatter(
        x=[row["epoch"] - 1 + row["step"] / curve.steps for row in curve.echoes],
        y=[row["loss"] for row in curve.echoes],
        name="one batch",
        mode="lines",
        line={"color": colour, "width": 1},
        opacity=FAINT,
        hovertemplate=_hover(curve, "epoch %{x:.2f}<br>batch loss %{y:.4f}"),
    )


def _add_best(figure: go.Figure, curve: Curve, colour: str) -> None:
    best = [row for row in curve.history if row["epoch"] == curve.best_epoch]
    if not best or curve.faint:
        return
    figure.add_scatter(
        x=[best[0]["epoch"]],
        y=[best[0]["validation_accuracy"]],
        name="best epoch",
        mode="markers",
        marker={"symbol": "star", "size": 13, "color": colour},
        hovertemplate=_hover(curve, "best epoch %{x}<br>validation %{y:.2%}"),
    )


def _by_epoch(figure: go.Figure, height: int, at_least: int, **layout: Any) -> go.Figure:
    epochs = [epoch for trace in figure.data for epoch in trace.x if math.isfinite(epoch)]
    figure.update_xaxes(title="Epoch", range=[0, 1.04 * max([at_least or 1, *epochs])])
    return finish(figure, height, **layout)


def finish(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """The margins, legend and hover that all charts share.

    Dragging does not zoom (the chart's own buttons do): on a phone it would trap the page.
    """
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 30 if layout.get("showlegend", True) else 10, "b": 10},
        legend={"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        hovermode="closest",
        hoverlabel={"align": "left"},
        dragmode=False,
        **layout,
    )
    return figure


def round_ticks(low: float, high: float) -> list[float]:
    """Two to nine round numbers from `low` to `high`, for a logarithmic axis.

    They are 1, 2, 5 times powers of ten or, in a narrow range, even steps.
    """
    series = [digit * 10.0**power for power in range(-8, 6) for digit in (1, 2, 5)]
    ticks = [tick for tick in series if low <= tick <= high]
    if len(ticks) > 9:
        ticks = [tick for tick in ticks if f"{tick:.0e}".startswith("1")]
    if len(ticks) >= 3:
        return ticks
    power = 10.0 ** math.floor(math.log10(high - low))
    step = next(s * power for s in (0.2, 0.5, 1.0, 2.0) if (high - low) / (s * power) <= 7)
    return [n * step for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
