"""Loss and accuracy over a training run, for one run or many: rows in, a Plotly figure out.

Rows of analysis.curves rather than a data frame, so that the Train page need not load pandas.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from mnist_core.charts.style import COLOURS, FAINT, UNFADED, Trace, common_layout, round_ticks

FIGURES = {"loss": ".4f", "accuracy": ".2%"}  # formats of the values in a tooltip
TITLES = {"epoch": "Epoch", "elapsed": "Seconds of training, each run on its own machine"}
SEEDS = COLOURS[2]  # the colour of a mean over seeds
FEW = 8  # with fewer epochs than this, a curve has a mark for each

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """How the curves of one run are drawn; below full opacity they are in the background."""

    colour: str
    opacity: float = 1.0


def training_curves(
    rows: Sequence[Row],
    what: str,
    looks: Mapping[str, Look],
    *,
    by: str = "epoch",
    seeds: Sequence[Row] = (),
    batches: Sequence[Row] = (),
    epochs: int = 0,
    clickable: bool = False,
    legend: bool = True,
    height: int = 340,
) -> go.Figure:
    """`what`, "loss" or "accuracy", against `by`, "epoch" or "elapsed".

    Training figures are dotted, validation figures solid, the best epoch is a star, and further
    seeds of a config are thin. `rows`: analysis.curves.curve_rows of one run or several, which
    are drawn in the order of `looks` (by id). Behind them lie `seeds`, a spread_over_seeds, and
    `batches`, the batch_losses of the first run. The axis has room for `epochs` at least, so that
    a run in progress grows into it. `clickable`: a click on a curve returns its id.
    """
    traces = _spread(seeds, what)
    if what == "loss" and batches:
        traces.append(_batches(batches, next(iter(looks.values()))))
    for run_id, look in looks.items():
        mine = [row for row in rows if row["id"] == run_id]
        for seed_place, seed in groupby(mine, key=lambda row: row["seed_place"]):
            history = list(seed)
            if seed_place == 1:
                traces.append(_curve(history, "train", what, by, look, clickable))
            traces.append(_curve(history, "validation", what, by, look, clickable))
        if what == "accuracy" and look.opacity == 1:
            traces += [_star(row, by, look) for row in mine if row["best"]]
    places = [place for trace in traces for place in trace["x"] if math.isfinite(place)]
    x = {"title": {"text": TITLES[by]}, "range": [0, 1.04 * max([epochs or 1, *places])]}
    layout = common_layout(height, xaxis=x, yaxis=_value_axis(what, traces), showlegend=legend)
    return go.Figure(traces, layout)


def _curve(
    rows: Sequence[Row], part: str, what: str, by: str, look: Look, clickable: bool
) -> Trace:
    """One part, "train" or "validation", of the curves of one seed."""
    label, first = rows[0]["network"], rows[0]["seed_place"] == 1
    words = "another seed" if not first else "training" if part == "train" else part
    dash, width = "dot" if part == "train" else "solid", 2.5 if look.opacity == 1 else 1.5
    place = "epoch %{x}" if by == "epoch" else "%{x:.0f} s"
    return {
        "x": [row[by] for row in rows],
        "y": [row[f"{part}_{what}"] for row in rows],
        "name": f"{label} · {words}" if label else words,
        # A line without marks cannot be clicked.
        "mode": "lines+markers" if clickable or len(rows) < FEW else "lines",
        "line": {"color": look.colour, "dash": dash, "width": width if first else 1},
        "marker": {"size": 6 if len(rows) < FEW else 4 if len(rows) < 60 else 2},
        "opacity": look.opacity if first else min(FAINT, look.opacity),
        "customdata": [row["id"] for row in rows],
        "hovertemplate": _hover(label, place, f"{words} %{{y:{FIGURES[what]}}}"),
        **UNFADED,
    }


def _star(row: Row, by: str, look: Look) -> Trace:
    best = f"best epoch {row['epoch']:g}"
    return {
        "x": [row[by]],
        "y": [row["validation_accuracy"]],
        "name": "best epoch",
        "mode": "markers",
        "marker": {"symbol": "star", "size": 13, "color": look.colour},
        "customdata": [row["id"]],
        "hovertemplate": _hover(row["network"], best, "validation %{y:.2%}"),
        **UNFADED,
    }


def _spread(rows: Sequence[Row], what: str) -> list[Trace]:
    """The mean over the seeds, and a deviation to each side of it."""
    if not rows:
        return []
    epochs = [row["epoch"] for row in rows]
    means = [row[f"validation_{what}"] for row in rows]
    deviations = [row[f"validation_{what}_deviation"] for row in rows]
    pairs = list(zip(means, deviations, strict=True))
    name, figures = f"{rows[0]['seeds']} seeds", FIGURES[what]
    return [
        {
            "x": [*epochs, *reversed(epochs)],
            "y": [m + d for m, d in pairs] + [max(m - d, m / 10) for m, d in reversed(pairs)],
            "name": f"{name}: ± deviation",
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": SEEDS,
            "opacity": 0.2,
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
            "hovertemplate": _hover(
                name, "epoch %{x}", f"%{{y:{figures}}} ± %{{customdata:{figures}}}"
            ),
        },
    ]


def _batches(rows: Sequence[Row], look: Look) -> Trace:
    return {
        "x": [row["epoch"] for row in rows],
        "y": [row["loss"] for row in rows],
        "name": "one batch",
        "mode": "lines",
        "line": {"color": look.colour, "width": 1},
        "opacity": FAINT,
        "hovertemplate": _hover("epoch %{x:.2f}", "batch loss %{y:.4f}"),
    }


def _hover(*lines: str) -> str:
    return "<br>".join(filter(None, lines)) + "<extra></extra>"


def _value_axis(what: str, traces: Iterable[Trace]) -> dict[str, Any]:
    """The loss on a logarithmic axis; on an empty chart a range that is usual."""
    values = [value for trace in traces for value in trace["y"]]
    if what == "accuracy":
        axis = {"title": {"text": "Accuracy"}, "tickformat": ".4~p"}
        return axis if values else axis | {"range": [0, 1]}
    axis = {"title": {"text": "Loss"}, "type": "log"}
    losses = [value for value in values if 0 < value < math.inf]
    if not losses:
        return axis | {"range": [-2, 0.5]}
    ticks = round_ticks(min(losses) / 1.1, max(losses) * 1.1)
    return axis | {"tickvals": ticks, "tickformat": "~g"}
