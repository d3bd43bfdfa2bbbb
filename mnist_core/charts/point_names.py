"""The names beside the points of accuracy against cost, as Plotly's annotations."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import pandas as pd

from mnist_core.charts.labels import Box, Place, place_labels
from mnist_core.charts.style import GREY
from mnist_core.formatting import percent

HALF = 2.0  # half the width in pixels that a line takes


@dataclass(frozen=True)
class Plane:
    """The plot: its two axes with their `range`, and its size in pixels."""

    x: Mapping[str, Any]
    y: Mapping[str, Any]
    width: float
    height: float

    def pixels(self, x: float, y: float) -> tuple[float, float]:
        """From the left and from the top."""
        right, up = _along(self.x, x), _along(self.y, y)
        return right * self.width, (1 - up) * self.height


def _along(axis: Mapping[str, Any], value: float) -> float:
    """How far along an axis a value lies, from 0 to 1."""
    low, high = axis["range"]
    return (on_axis(axis, value) - low) / (high - low)


def on_axis(axis: Mapping[str, Any], value: float) -> float:
    """A value as annotations and ranges have it: of a logarithmic axis, its logarithm."""
    return math.log10(value) if axis.get("type") == "log" else value


def names_of_points(
    runs: pd.DataFrame,
    column: str,
    slots: Mapping[str, int],
    names: Mapping[str, str],
    plane: Plane,
) -> list[dict[str, Any]]:
    """A name beside every run; those of the chosen ones, in `slots`, come first and are bold.

    A clipped run's accuracy, which the axis does not show, stands behind its name.
    """
    rows = runs.assign(x=runs[column].astype(float)).set_index("id")
    chosen = [run_id for run_id in slots if run_id in rows.index]
    rows = pd.concat([rows.loc[chosen], rows[~rows.index.isin(chosen)]])
    points = [plane.pixels(x, y) for x, y in zip(rows["x"], rows["shown"], strict=True)]
    texts = [
        names[str(run_id)] + (f" {percent(row['test_accuracy'], 1)}" if row["clipped"] else "")
        for run_id, row in rows.iterrows()
    ]
    lines = [*_whiskers(rows, plane), *_front(rows, plane)]
    places = place_labels(points, texts, plane.width, plane.height, lines)
    return [
        _name(text, place, run_id in slots)
        | {"x": on_axis(plane.x, row["x"]), "y": on_axis(plane.y, row["shown"])}
        for (run_id, row), text, place in zip(rows.iterrows(), texts, places, strict=True)
    ]


def _whiskers(rows: pd.DataFrame, plane: Plane) -> Iterator[Box]:
    """What the intervals cover."""
    for row in rows[~rows["clipped"]].to_dict("records"):
        x, top = plane.pixels(row["x"], row["least"])
        yield x - HALF, top, x + HALF, plane.pixels(row["x"], row["most"])[1]


def _front(rows: pd.DataFrame, plane: Plane) -> Iterator[Box]:
    """What the line that joins the best trade-offs covers: along, then up."""
    best = rows[rows["on_front"].astype(bool) & ~rows["clipped"]].sort_values("x")
    points = [plane.pixels(x, y) for x, y in zip(best["x"], best["shown"], strict=True)]
    for (left, low), (right, high) in pairwise(points):
        yield left, low - HALF, right, low + HALF
        yield right - HALF, high, right + HALF, low


def _name(text: str, place: Place, chosen: bool) -> dict[str, Any]:
    """The annotation without its point; a name that is far from its point has a line to it."""
    return {
        "text": f"<b>{text}</b>" if chosen else text,
        "ax": place.right,
        "ay": place.down,
        "xanchor": "center",
        "yanchor": "middle",
        "showarrow": True,
        "arrowhead": 0,
        "arrowwidth": 1,
        "arrowcolor": GREY if place.far else "rgba(0,0,0,0)",
        "standoff": 6,
        "font": {"size": 12},
    }
