"""What all charts share: colours that read on light and on dark ground, layout and ticks."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from mnist_core.dataset_specs import dataset_names

if TYPE_CHECKING:
    import pandas as pd

COLOURS = ("#0d9488", "#e07b00", "#6d5bd0", "#d1426f", "#4b8b1f", "#2b7fc4", "#a3673f", "#7a8794")
GREY = COLOURS[-1]
FAINT = 0.35  # opacity in the background
# A click selects a mark; without this all others would fade.
UNFADED = {"selected": {"marker": {"opacity": 1}}, "unselected": {"marker": {"opacity": 1}}}
# Plotly's name of a symbol, and the same one in text. A triangle pointing down is taken: it
# stands for an accuracy below the axis.
SYMBOLS: tuple[tuple[str, str], ...] = (
    *(("circle", "●"), ("square", "■"), ("diamond", "◆"), ("triangle-up", "▲")),
    *(("pentagon", "⬟"), ("hexagon2", "⬢"), ("star", "★"), ("cross", "✚")),
)

# Traces are dictionaries, and a figure is made of them at once: Plotly checks every change of a
# figure, which costs more than drawing it.
Trace = dict[str, Any]


def colour(index: int) -> str:
    """The colour of the run with this number, the same on every chart of a page."""
    return COLOURS[index % len(COLOURS)]


def symbols(dataset: str) -> tuple[str, str]:
    """The symbol that stands for a data set: Plotly's name of it, and the same as a character."""
    names = dataset_names()
    return SYMBOLS[names.index(dataset) % len(SYMBOLS) if dataset in names else 0]


def common_layout(height: int, showlegend: bool = False, **layout: Any) -> dict[str, Any]:
    """The margins, legend and hover of a chart; `layout` adds to them or replaces them.

    Dragging does not zoom (the chart's own buttons do): on a phone it would trap the page.
    """
    return {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 30 if showlegend else 10, "b": 10},
        "showlegend": showlegend,
        "legend": {"orientation": "h", "yanchor": "bottom", "y": 1.0, "x": 0},
        "hovermode": "closest",
        "hoverlabel": {"align": "left"},
        "dragmode": False,
        **layout,
    }


def whiskers(
    values: pd.Series,
    low: pd.Series,
    high: pd.Series,
    colour: str,
    thickness: float = 1,
    width: int = 4,
) -> dict[str, Any]:
    """Error bars from `low` to `high` through `values`; `thickness` and `width` in pixels."""
    return {
        "array": (high - values).clip(lower=0).tolist(),
        "arrayminus": (values - low).clip(lower=0).tolist(),
        "symmetric": False,
        "color": colour,
        "thickness": thickness,
        "width": width,
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
