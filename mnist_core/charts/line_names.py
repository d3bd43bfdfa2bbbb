"""Names at the ends of lines, instead of a legend that takes room from the chart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mnist_core.charts.style import Trace

APART = 15  # pixels between two names
AWAY = 10  # pixels from the end of a line to its name


def names_at_ends(
    traces: Iterable[Trace], axis: Mapping[str, Any], height: int
) -> list[dict[str, Any]]:
    """Plotly's annotations: the text under `end` of each trace that has one, beside its last point.

    `axis`: the logarithmic y axis with its `range`; `height`: of the plot area, in pixels. Names
    whose lines end close together are moved apart.
    """
    low, high = axis["range"]
    ends = [end for trace in traces if (end := _end(trace))]
    ends.sort(key=lambda end: (end[1] - low) / (high - low))
    wanted = [height * (y - low) / (high - low) for _, y, _ in ends]
    places = moved_apart(wanted, APART, height)
    return [
        {
            "x": x,
            "y": y,
            "text": text,
            "showarrow": False,
            "xanchor": "left",
            "yanchor": "middle",
            "xshift": AWAY,
            "yshift": round(place - want),
            "font": {"size": 13},
        }
        for (x, y, text), want, place in zip(ends, wanted, places, strict=True)
    ]


def _end(trace: Trace) -> tuple[float, float, str] | None:
    """Where the trace's last drawable point lies, the logarithm of its y, and its name."""
    points = [(x, y) for x, y in zip(trace["x"], trace["y"], strict=True) if 0 < y < math.inf]
    if not points or not trace.get("meta"):
        return None
    x, y = points[-1]
    return x, math.log10(y), trace["meta"]


def moved_apart(places: Sequence[float], apart: float, height: float) -> list[float]:
    """Rising places, moved as little as needed to be `apart` or more, from 0 to `height`.

    Where there is no room for all of them, the first ones lie below 0.
    """
    moved: list[float] = []
    for place in places:
        moved.append(max(place, 0, moved[-1] + apart) if moved else max(place, 0))
    ceiling = height
    for number in reversed(range(len(moved))):
        moved[number] = min(moved[number], ceiling)
        ceiling = moved[number] - apart
    return moved
