"""What all charts share: colours that read on light and on dark ground, layout and ticks."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

# Any two differ by a CIEDE2000 of 11 or more, also for people who see no red or no green, and
# each by a contrast of 3 from its ground. `.streamlit/config.toml` gives them to Streamlit.
LIGHT = ("#2d7d70", "#d67c1d", "#6f49d1", "#d4256f", "#3b7314", "#2b90e0", "#642b04", "#7b8a9b")
DARK = ("#31d5c0", "#f39b00", "#bda1fe", "#cf68ad", "#b8eb82", "#0079ff", "#c2723a", "#888a85")
# The names under which Streamlit looks for the theme's colours in a figure: what a browser draws
# follows its theme, also when that changes.
COLOURS = tuple(f"#00000{number}" for number in range(1, 9))
GREY = COLOURS[-1]
FAINT = 0.35  # opacity in the background
LEAST = 4  # the factor that a logarithmic axis spans at least
DASHES = ("solid", "dash", "dashdot", "longdash", "longdashdot", "5px,2px", "2px,3px", "solid")
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
    """The colour in a figure of the run with this number, the same on every chart of a page."""
    return COLOURS[index % len(COLOURS)]


def css_colour(index: int) -> str:
    """The same colour in HTML, where the browser chooses between the light and the dark one."""
    place = index % len(LIGHT)
    return f"light-dark({LIGHT[place]}, {DARK[place]})"


def live_theme_rules() -> str:
    """CSS by which the colours of a figure follow the theme while the figure stands on the page.

    Streamlit puts a theme's colours in place of COLOURS once, when it first draws a figure.
    """
    rules = []
    for light, dark in zip(LIGHT, DARK, strict=True):
        drawn = [_as_browsers_write_it(name) for name in (light, dark)]
        for part in ("stroke", "fill"):
            marks = ",".join(f'.js-plotly-plot [style*="{part}: {each}"]' for each in drawn)
            rules.append(f"{marks}{{{part}:light-dark({light},{dark})!important}}")
    return "".join(rules)


def _as_browsers_write_it(colour: str) -> str:
    """A colour such as "#2d7d70" in an element's style: "rgb(45, 125, 112)"."""
    return f"rgb({', '.join(str(byte) for byte in bytes.fromhex(colour[1:]))})"


def dash(index: int) -> str:
    """The line style of the run with this number: runs differ by more than their hue."""
    return DASHES[index % len(DASHES)]


def marker(index: int) -> tuple[str, str]:
    """The symbol of the run with this number: Plotly's name of it, and the same as a character."""
    return SYMBOLS[index % len(SYMBOLS)]


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


def log_range(values: Iterable[float], usual: tuple[float, float]) -> tuple[float, float]:
    """The ends of a logarithmic axis with room around the values: of one value and of none, too.

    It spans a factor of LEAST or more, so that the first figures of a run in progress have an axis
    to move on. Without a value that can be drawn it is the `usual` one.
    """
    drawn = [value for value in values if 0 < value < math.inf]
    if not drawn:
        return usual
    low, high = min(drawn) / 1.15, max(drawn) * 1.15
    widen = math.sqrt(max(1.0, LEAST * low / high))
    return low / widen, high * widen


def stretched_accuracy_axis(low: float, high: float) -> dict[str, Any]:
    """An axis of accuracy for errors from `low` to `high`: from 98 to 99 % is as far as 80 to 90 %.

    What is drawn on it is the error, 1 - accuracy.
    """
    ticks = round_ticks(low, min(high, 0.99))
    return {
        "type": "log",
        "range": [math.log10(high), math.log10(low)],
        "tickvals": ticks,
        "ticktext": [f"{100 * (1 - tick):.6g} %" for tick in ticks],
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


def percent_ticks(low: float, high: float) -> dict[str, Any]:
    """At most seven even ticks of fractions from `low` to `high`, written as "98.5 %"."""
    step = next((s for s in (0.002, 0.005, 0.01, 0.02, 0.05, 0.1) if high - low <= 6 * s), 0.2)
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    ticks = [place * step for place in places]
    return {"tickvals": ticks, "ticktext": [f"{100 * tick:.6g} %" for tick in ticks]}


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
