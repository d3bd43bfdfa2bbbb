"""Loss and accuracy over a training run, for one run or many: rows in, a Plotly figure out.

Rows of analysis.curves rather than a data frame, so that the Train page need not load pandas.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Any

import plotly.graph_objects as go

from mnist_core.charts.line_names import names_at_ends
from mnist_core.charts.style import (
    COLOURS,
    FAINT,
    UNFADED,
    Trace,
    common_layout,
    log_range,
    round_ticks,
    stretched_accuracy_axis,
)
from mnist_core.formatting import percent

TITLES = {"epoch": "Epoch", "elapsed": "Seconds of training, each run on its own machine"}
SEEDS = COLOURS[2]  # the colour of a mean over seeds
FEW = 8  # with fewer epochs or batches than this, a curve has a mark for each
MARKS = 7  # symbols along a longer curve that has one
MOST_TICKS = 10
SMALLEST = 1e-4  # the error that is drawn for an accuracy of 100 %
USUAL = {"loss": (0.02, 3.0), "accuracy": (0.01, 0.95)}  # ranges of an empty chart; of the error
BATCH = "one batch"
BELOW = 4  # by this factor the losses of single batches may widen the axis
MARGIN = {"l": 68, "r": 12, "t": 10, "b": 44}  # fixed: the plot keeps its place
ROOM_FOR_NAMES = 74  # pixels at the right of the plot

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Look:
    """How the curves of one run are drawn; below full opacity they are in the background.

    A `symbol` (Plotly's name of it) marks some points of the validation curve. `name` stands at
    the end of that curve, in place of "validation"; of such a run no other curve is drawn.
    """

    colour: str
    opacity: float = 1.0
    symbol: str = ""
    name: str = ""


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
    names: bool = True,
    empty: str = "",
    height: int = 340,
) -> go.Figure:
    """`what`, "loss" or "accuracy", against `by`, "epoch" or "elapsed".

    Training figures are dotted, validation figures solid, the best epoch is a star, and further
    seeds of a config are thin. `rows`: analysis.curves.curve_rows of one run or several, which
    are drawn in the order of `looks` (by id). Behind them lie `seeds`, a spread_over_seeds, and
    `batches`, the batch_losses of the first run. The axis has room for `epochs` at least, so that
    a run in progress grows into it. Both axes are logarithmic, that of accuracy in its error.
    `names` stand at the ends of the lines; `empty` is said where there is nothing to draw.
    `clickable`: a click on a curve returns its id.
    """
    traces = _spread(seeds, what)
    if what == "loss" and batches:
        traces.append(_batches(batches, next(iter(looks.values())), alone=not rows))
    for run_id, look in looks.items():
        mine = [row for row in rows if row["id"] == run_id]
        for seed_place, seed in groupby(mine, key=lambda row: row["seed_place"]):
            history = list(seed)
            if seed_place == 1 and not look.name:
                traces.append(_curve(history, "train", what, by, look, clickable))
            traces.append(_curve(history, "validation", what, by, look, clickable))
        if what == "accuracy" and look.opacity == 1:
            traces += [_star(row, by, look) for row in mine if row["best"]]
    return _figure(traces, what, by, epochs, names, empty, height)


def _figure(
    traces: list[Trace], what: str, by: str, epochs: int, names: bool, empty: str, height: int
) -> go.Figure:
    margin = MARGIN | ({"r": ROOM_FOR_NAMES} if names else {})
    places = [place for trace in traces for place in trace["x"] if math.isfinite(place)]
    x: dict[str, Any] = {"title": {"text": TITLES[by], "standoff": 6}, "automargin": False}
    last = max([epochs or 1, *places])
    if by == "epoch" and last <= MOST_TICKS:
        x["dtick"] = 1  # there is no half epoch to point at
    x["range"] = [-0.02 * last, 1.04 * last]  # room for the marks of the first and the last point
    y = _value_axis(what, traces)
    inside = height - margin["t"] - margin["b"]
    annotations = names_at_ends(traces, y, inside) if names else []
    if not traces and empty:
        middle = {"xref": "paper", "yref": "paper", "x": 0.5, "y": 0.5, "showarrow": False}
        annotations = [{"text": empty, "font": {"size": 13}, **middle}]
    layout = common_layout(height, margin=margin, xaxis=x, yaxis=y, annotations=annotations)
    return go.Figure(traces, layout)


def _drawn(what: str, value: float) -> float:
    """What is drawn of a figure: the loss itself, of an accuracy the error."""
    return value if what == "loss" else max(1 - value, SMALLEST)


def _words(what: str, value: float) -> str:
    return f"{value:.4f}" if what == "loss" else percent(value)


def _curve(
    rows: Sequence[Row], part: str, what: str, by: str, look: Look, clickable: bool
) -> Trace:
    """One part, "train" or "validation", of the curves of one seed."""
    label, first = rows[0]["network"], rows[0]["seed_place"] == 1
    words = "another seed" if not first else "training" if part == "train" else part
    dash, width = "dot" if part == "train" else "solid", 2.5 if look.opacity == 1 else 1.5
    place = "epoch %{x}" if by == "epoch" else "%{x:.0f} s"
    values = [row[f"{part}_{what}"] for row in rows]
    return {
        "x": [row[by] for row in rows],
        "y": [_drawn(what, value) for value in values],
        "text": [_words(what, value) for value in values],
        "name": f"{label} · {words}" if label else words,
        "meta": (look.name or words) if first else "",
        # A line without marks cannot be clicked.
        "mode": "lines+markers" if clickable or len(rows) < FEW or look.symbol else "lines",
        "line": {"color": look.colour, "dash": dash, "width": width if first else 1},
        "marker": _marker(len(rows), look, solid=first and part == "validation"),
        "opacity": look.opacity if first else min(FAINT, look.opacity),
        "customdata": [row["id"] for row in rows],
        "hovertemplate": _hover(label, place, f"{words} %{{text}}"),
        **UNFADED,
    }


def _marker(points: int, look: Look, solid: bool) -> dict[str, Any]:
    small = 6 if points < FEW else 4 if points < 60 else 2
    if not (look.symbol and solid):
        return {"size": small}
    step = max(1, round(points / MARKS))
    sizes = [9 if number % step == 0 else small for number in range(points)]
    return {"symbol": look.symbol, "size": sizes}


def _star(row: Row, by: str, look: Look) -> Trace:
    best = f"best epoch {row['epoch']:g}"
    return {
        "x": [row[by]],
        "y": [_drawn("accuracy", row["validation_accuracy"])],
        "name": "best epoch",
        "mode": "markers",
        "marker": {"symbol": "star", "size": 13, "color": look.colour},
        "customdata": [row["id"]],
        "hovertemplate": _hover(
            row["network"], best, f"validation {percent(row['validation_accuracy'])}"
        ),
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
    upper = [_drawn(what, m + d) for m, d in pairs]
    lower = [_drawn(what, max(m - d, m / 10)) for m, d in reversed(pairs)]
    name = f"{rows[0]['seeds']} seeds"
    return [
        {
            "x": [*epochs, *reversed(epochs)],
            "y": upper + lower,
            "name": f"{name}: ± deviation",
            "mode": "lines",
            "line": {"width": 0},
            "fill": "toself",
            "fillcolor": SEEDS,
            "opacity": 0.2,
            "hoverinfo": "skip",
        },
        {
            "x": epochs,
            "y": [_drawn(what, mean) for mean in means],
            "text": [f"{_words(what, m)} ± {_words(what, d)}" for m, d in pairs],
            "name": f"{name}: mean",
            "meta": f"{rows[0]['seeds']} seeds",
            "mode": "lines",
            "line": {"color": SEEDS, "width": 2},
            "hovertemplate": _hover(name, "epoch %{x}", "%{text}"),
        },
    ]


def _batches(rows: Sequence[Row], look: Look, alone: bool) -> Trace:
    return {
        "x": [row["epoch"] for row in rows],
        "y": [row["loss"] for row in rows],
        "name": BATCH,
        "meta": BATCH if alone else "",
        "mode": "lines+markers" if len(rows) < FEW else "lines",
        "line": {"color": look.colour, "width": 1},
        "marker": {"size": 6},
        "opacity": 0.55,
        "hovertemplate": _hover("epoch %{x:.2f}", "batch loss %{y:.4f}"),
    }


def _hover(*lines: str) -> str:
    return "<br>".join(filter(None, lines)) + "<extra></extra>"


def _value_axis(what: str, traces: Iterable[Trace]) -> dict[str, Any]:
    """A logarithmic axis with a range, and ticks, from the first point on."""
    values = [value for trace in traces for value in trace["y"] if 0 < value < math.inf]
    epochs = [v for trace in traces if trace["name"] != BATCH for v in trace["y"] if v > 0]
    least = min(epochs, default=0.0) / BELOW  # single batches may go beyond the axis
    low, high = log_range([value for value in values if value > least], USUAL[what])
    axis: dict[str, Any] = {"title": {"text": what.capitalize()}, "automargin": False}
    if what == "accuracy":
        return axis | stretched_accuracy_axis(low, high)
    axis |= {"type": "log", "range": [math.log10(low), math.log10(high)]}
    return axis | {"tickvals": round_ticks(low, high), "tickformat": "~g"}
