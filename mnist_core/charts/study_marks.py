"""What the charts of a search share: the trials as marks, and their scale of accuracy.

A mark's `customdata` is a trial's number.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from mnist_core.charts.landscape import COLOURS
from mnist_core.charts.style import GREY, UNFADED, Trace, stretched_accuracy_axis
from mnist_core.formatting import field_name, number, percent
from mnist_core.sweeps.table import DONE, PRUNED, TrialRow

SCALE = [[i / (len(COLOURS) - 1), each] for i, each in enumerate(COLOURS)]
SHOWN = (DONE, PRUNED)  # the states of trials that have a mark
LEAST = 1e-4  # the smallest error that is drawn: no logarithm shows one of 0


def room(errors: Sequence[float]) -> tuple[float, float]:
    if not errors:
        return 0.01, 0.9
    high = float(np.quantile(errors, 0.9)) * 1.15
    low = min(errors) / 1.1
    return max(low, LEAST / 1.3), min(max(high, low * 1.5), 1.0)


def marks_of(rows: Sequence[TrialRow], state: str) -> Trace:
    """The trials of one state as marks that can be clicked; pruned ones are crosses."""
    pruned = state == PRUNED
    marker = {"symbol": "x-thin-open" if pruned else "circle", "size": 6, "color": GREY}
    return {
        "type": "scatter",
        "mode": "markers",
        "name": "ended early" if pruned else "trial",
        "marker": marker | {"opacity": 0.55 if pruned else 0.8},
        **clickable(rows),
    }


def clickable(rows: Sequence[TrialRow]) -> Trace:
    """What a click on a mark and the pointer over it tell."""
    return {
        "customdata": [row.number for row in rows],
        "hovertext": [told(row) for row in rows],
        "hovertemplate": "%{hovertext}<extra></extra>",
        **UNFADED,
    }


def error(row: TrialRow) -> float:
    """1 without an accuracy."""
    return max(1 - (row.accuracy or 0.0), LEAST)


def told(row: TrialRow) -> str:
    """A trial in a few lines: its accuracy and its values."""
    ended = f", ended after epoch {row.epochs}" if row.state == PRUNED else ""
    lines = [f"trial {row.number}: {percent(row.accuracy)}{ended}"]
    lines += [f"{field_name(name)} {short(value)}" for name, value in row.values.items()]
    return "<br>".join(lines)


def short(value: Any) -> str:
    return number(float(f"{value:.3g}")) if isinstance(value, float) else str(value)


def height_of(error: float) -> float:
    """On the landscape's scale: from 98 to 99 % is as far as from 80 to 90 %."""
    return -math.log10(max(error, 1e-6))


def height_ticks(low: float, high: float) -> dict[str, Any]:
    """The ticks of such heights for errors from `low` to `high`."""
    axis = stretched_accuracy_axis(low, high)
    return {
        "tickvals": [height_of(each) for each in axis["tickvals"]],
        "ticktext": axis["ticktext"],
    }
