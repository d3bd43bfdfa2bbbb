"""The landscape as a Plotly figure: a heatmap, with a dot on each cell that can be clicked."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from mnist_core.analysis.landscape import Cell, Landscape
from mnist_core.charts.style import GREY, UNFADED, Trace, common_layout
from mnist_core.config import RunConfig
from mnist_core.formatting import field_name, number, percent
from mnist_core.runs.states import RunState

TICKS = (0.1, 0.5, 0.9, 0.97, 0.99, 0.997)
WORST, BEST = 0.0, 2.4  # ends of the scale: the negative decimal logarithm of the error
# From cold and dark to warm and light in even steps, without white and black.
COLOURS = ("#2b2a5e", "#3c4f8a", "#3f7a96", "#4fa28f", "#8dc47a", "#e3de72")
HERE = "#e07b00"
DARK_UP_TO = 0.55  # the part of the scale on which white text reads better


def landscape_figure(land: Landscape, here: RunConfig, height: int) -> go.Figure:
    """Validation accuracy by colour and number, with a ring around the cell of `here`.

    The dots can be clicked: their `customdata` is (x, y) as indices into `land.xs` and `land.ys`.
    """
    x, y = _axis(land.x, land.xs), _axis(land.y, land.ys)
    layout = common_layout(height, clickmode="event+select", xaxis=x, yaxis=y)
    return go.Figure([_heat(land), _dots(land), _here(land, here)], layout)


def _axis(field: str, values: Sequence[object]) -> dict[str, object]:
    return {
        "title": {"text": field_name(field).capitalize()},
        "tickvals": list(range(len(values))),
        "ticktext": [number(value) for value in values],
        "range": [-0.5, len(values) - 0.5],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
    }


def _heat(land: Landscape) -> Trace:
    return {
        "type": "heatmap",
        "z": [[_colour_value(land.cells.get((x, y))) for x in land.xs] for y in land.ys],
        "zmin": WORST,
        "zmax": BEST,
        "colorscale": [[i / (len(COLOURS) - 1), colour] for i, colour in enumerate(COLOURS)],
        "xgap": 2,
        "ygap": 2,
        "hoverinfo": "skip",
        "colorbar": {
            "thickness": 10,
            "tickvals": [_scaled(value) for value in TICKS],
            "ticktext": [f"{100 * value:g} %" for value in TICKS],
        },
    }


def _scaled(accuracy: float) -> float:
    """The error on a logarithmic scale: from 98 to 99 % is as far as from 80 to 90 %."""
    return -math.log10(max(1 - accuracy, 10**-BEST))


def _colour_value(cell: Cell | None) -> float | None:
    return None if cell is None or cell.accuracy is None else _scaled(cell.accuracy)


def _dots(land: Landscape) -> Trace:
    points = [(x, y) for y in land.ys for x in land.xs if (x, y) in land.cells]
    places = [(land.xs.index(x), land.ys.index(y)) for x, y in points]
    cells = [land.cells[point] for point in points]
    inks = [_ink(cell) for cell in cells]
    return {
        "x": [i for i, _ in places],
        "y": [j for _, j in places],
        "customdata": places,
        "text": [_label(cell) for cell in cells],
        "hovertext": [_hover(cell) for cell in cells],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "mode": "markers+text",
        "textposition": "top center",
        "textfont": {"color": inks, "size": 13},
        "marker": {
            "size": 11,
            "color": inks,
            "symbol": ["circle" if cell.run else "circle-open" for cell in cells],
        },
        **UNFADED,
    }


def _label(cell: Cell) -> str:
    if cell.accuracy is not None:
        return f"{100 * cell.accuracy:.1f}"
    return "diverged" if cell.run and cell.run.state == RunState.DIVERGED else ""


def _ink(cell: Cell) -> str:
    value = _colour_value(cell)
    if value is None:
        return GREY
    return "#ffffff" if value < DARK_UP_TO * BEST else "#10151c"


def _hover(cell: Cell) -> str:
    if cell.run is None:
        return "not trained yet; click to choose these settings"
    summary = cell.run.summary
    if cell.accuracy is None:
        return cell.run.state
    best = f"{percent(cell.accuracy)} in epoch {summary.best_epoch:.0f}"
    test = f"<br>test {percent(summary.test_accuracy)}" if summary.test_accuracy else ""
    note = "<br>diverged later" if cell.run.state == RunState.DIVERGED else ""
    return f"validation {best}{test}{note}"


def _here(land: Landscape, here: RunConfig) -> Trace:
    return {
        "x": [land.xs.index(getattr(here, land.x))],
        "y": [land.ys.index(getattr(here, land.y))],
        "mode": "markers",
        "marker": {"symbol": "circle-open", "size": 22, "color": HERE, "line": {"width": 4}},
        "hoverinfo": "skip",
        **UNFADED,
    }
