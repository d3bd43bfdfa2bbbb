"""Tables of figures in, Plotly figures out. Colours read on light and on dark ground."""

from __future__ import annotations

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

COLOURS = ("#0d9488", "#e07b00", "#6d5bd0", "#d1426f", "#4b8b1f", "#2b7fc4", "#a3673f", "#7a8794")
GREY = COLOURS[-1]
SEEDS = COLOURS[2]  # of what is a mean over seeds
FAINT = 0.35


@dataclass(frozen=True)
class Curve:
    """One run's history, ready to be drawn. `faint` puts it into the background.

    `history` has a row an epoch, `step_losses` a row for each reported loss within the epochs
    (epoch, step, loss); see mnist_core.training. `steps` is the number of steps an epoch.
    """

    label: str
    history: Sequence[Mapping[str, float]]
    best_epoch: int | None = None
    faint: bool = False
    step_losses: Sequence[Mapping[str, float]] = ()
    steps: int = 0


@dataclass(frozen=True)
class Band:
    """The same config over several seeds: their histories, one for each seed."""

    histories: Sequence[Sequence[Mapping[str, float]]]

    def spread(self, column: str) -> tuple[list[float], list[float], list[float]]:
        """(epochs, means, standard deviations) of a column; epochs that at least two reached."""
        values: dict[float, list[float]] = {}
        for history in self.histories:
            for row in history:
                values.setdefault(row["epoch"], []).append(row[column])
        epochs = [epoch for epoch in sorted(values) if len(values[epoch]) > 1]
        means = [statistics.fmean(values[epoch]) for epoch in epochs]
        return epochs, means, [statistics.stdev(values[epoch]) for epoch in epochs]


def colour(index: int) -> str:
    """The colour of the run with this number, the same on every chart of a page."""
    return COLOURS[index % len(COLOURS)]


def loss_curves(
    curves: Sequence[Curve],
    height: int = 320,
    epochs: int = 0,
    band: Band | None = None,
    **layout: Any,
) -> go.Figure:
    """Training loss dotted, validation loss solid, by epoch, on a logarithmic axis.

    The axis has room for `epochs` at least, so that a run in progress grows into it. `band` is
    drawn behind the first curve. `layout` goes to Plotly, such as showlegend=False.
    """
    traces = _band(band, "validation_loss")
    for number, curve in enumerate(curves):
        traces += _step_losses(curve, colour(number))
        traces += _line(curve, colour(number), "train_loss", "training", dash="dot")
        traces += _line(curve, colour(number), "validation_loss", "validation")
    losses = [loss for trace in traces for loss in trace["y"] if 0 < loss < math.inf]
    axis = {"title": {"text": "Loss (nats)"}, "type": "log", "range": [-2, 0.5]}
    if losses:
        ticks = round_ticks(min(losses) / 1.1, max(losses) * 1.1)
        axis |= {"range": None, "tickvals": ticks, "tickformat": "~g"}
    return _by_epoch(traces, axis, height, epochs, **layout)


def accuracy_curves(
    curves: Sequence[Curve],
    height: int = 320,
    epochs: int = 0,
    band: Band | None = None,
    **layout: Any,
) -> go.Figure:
    """Training accuracy dotted, validation accuracy solid, the best epoch marked.

    `epochs`, `band` and `layout` as for `loss_curves`.
    """
    traces = _band(band, "validation_accuracy")
    for number, curve in enumerate(curves):
        traces += _line(curve, colour(number), "train_accuracy", "training", dash="dot")
        traces += _line(curve, colour(number), "validation_accuracy", "validation")
        traces += _best(curve, colour(number))
    axis = {"title": {"text": "Accuracy"}, "tickformat": ".4~p"}
    return _by_epoch(traces, axis if traces else axis | {"range": [0, 1]}, height, epochs, **layout)


# Traces are dictionaries, and a figure is made of them at once: Plotly checks every change of a
# figure, which costs more than drawing it.
Trace = dict[str, Any]


def _line(curve: Curve, colour: str, column: str, part: str, dash: str = "solid") -> list[Trace]:
    if not curve.history:
        return []
    figures = ".2%" if "accuracy" in column else ".4f"
    return [
        {
            "x": [row["epoch"] for row in curve.history],
            "y": [row[column] for row in curve.history],
            "name": f"{curve.label} · {part}" if curve.label else part,
            "mode": "lines+markers" if len(curve.history) < 8 else "lines",
            "line": {"color": colour, "dash": dash, "width": 1.5 if curve.faint else 2.5},
            "opacity": FAINT if curve.faint else 1,
            "hovertemplate": _hover(curve, f"epoch %{{x}}<br>{part} %{{y:{figures}}}"),
        }
    ]


def _band(band: Band | None, column: str) -> list[Trace]:
    """The mean over the seeds, and a deviation to each side of it."""
    if band is None:
        return []
    epochs, means, deviations = band.spread(column)
    pairs = list(zip(means, deviations, strict=True))
    figures = ".2%" if "accuracy" in column else ".4f"
    name = f"{len(band.histories)} seeds"
    return [
        {
            "x": [*epochs, *reversed(epochs)],
            "y": [m + d for m, d in pairs] + [max(m - d, m / 10) for m, d in reversed(pairs)],
            "name": f"{name}: ± deviation",
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": _translucent(SEEDS, 0.2),
            "hoverinfo": "skip",
            "showlegend": False,
        },
        {
            "x": epochs,
            "y": means,
            "customdata": deviations,
            "name": f"{name}: mean",
            "mode": "lines",
            "line": {"color": SEEDS, "width": 2},
            "hovertemplate": f"{name}<br>epoch %{{x}}<br>%{{y:{figures}}} ± "
            f"%{{customdata:{figures}}}<extra></extra>",
        },
    ]


def _translucent(colour: str, opacity: float) -> str:
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def _hover(curve: Curve, text: str) -> str:
    return (f"{curve.label}<br>" if curve.label else "") + text + "<extra></extra>"


def _step_losses(curve: Curve, colour: str) -> list[Trace]:
    """The loss of single batches, where within the epoch they lie."""
    if not curve.step_losses or not curve.steps:
        return []
    return [
        {
            "x": [row["epoch"] - 1 + row["step"] / curve.steps for row in curve.step_losses],
            "y": [row["loss"] for row in curve.step_losses],
            "name": "one batch",
            "mode": "lines",
            "line": {"color": colour, "width": 1},
            "opacity": FAINT,
            "hovertemplate": _hover(curve, "epoch %{x:.2f}<br>batch loss %{y:.4f}"),
        }
    ]


def _best(curve: Curve, colour: str) -> list[Trace]:
    best = [row for row in curve.history if row["epoch"] == curve.best_epoch]
    if not best or curve.faint:
        return []
    return [
        {
            "x": [best[0]["epoch"]],
            "y": [best[0]["validation_accuracy"]],
            "name": "best epoch",
            "mode": "markers",
            "marker": {"symbol": "star", "size": 13, "color": colour},
            "hovertemplate": _hover(curve, "best epoch %{x}<br>validation %{y:.2%}"),
        }
    ]


def _by_epoch(
    traces: Sequence[Trace], y: Mapping[str, Any], height: int, at_least: int, **layout: Any
) -> go.Figure:
    epochs = [epoch for trace in traces for epoch in trace["x"] if math.isfinite(epoch)]
    x = {"title": {"text": "Epoch"}, "range": [0, 1.04 * max([at_least or 1, *epochs])]}
    return go.Figure(
        [{"type": "scatter", **trace} for trace in traces],
        common_layout(height, xaxis=x, yaxis=y, **layout),
    )


def finish(figure: go.Figure, height: int, **layout: Any) -> go.Figure:
    """Gives a figure the layout that all charts share."""
    figure.update_layout(common_layout(height, **layout))
    return figure


def common_layout(height: int, **layout: Any) -> dict[str, Any]:
    """The margins, legend and hover that all charts share.

    Dragging does not zoom (the chart's own buttons do): on a phone it would trap the page.
    """
    return {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 30 if layout.get("showlegend", True) else 10, "b": 10},
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        **layout,
    }


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
