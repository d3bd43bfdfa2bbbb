"""The landscape as a Plotly figure: a heatmap whose cells say their accuracy and can be clicked."""

import math
from collections.abc import Sequence

import plotly.graph_objects as go

from mnist_core.analysis.landscape import Cell, Landscape
from mnist_core.charts.style import GREY, Trace, common_layout
from mnist_core.config import RunConfig
from mnist_core.formatting import field_name, number, percent
from mnist_core.runs.states import RunState

WORST, BEST = 0.0, 2.4  # ends of the scale: the negative decimal logarithm of the error
# From cold and dark to warm and light in even steps, without white and black.
COLOURS = ("#2b2a5e", "#3c4f8a", "#3f7a96", "#4fa28f", "#8dc47a", "#e3de72")
FRAME = (("#10151c", 5), ("#ffffff", 2))  # colour and width: one of them shows on any ground
DARK_UP_TO = 0.55  # the part of the scale on which white text reads better


def landscape_figure(land: Landscape, here: RunConfig, height: int) -> go.Figure:
    """Validation accuracy by colour and number, and a frame around `here`.

    ★ marks the best cell of all, ☆ the best one in the row of `here`.
    Cells can be clicked: their `customdata` is (x, y) as indices into `land.xs` and `land.ys`.
    """
    layout = common_layout(
        height,
        clickmode="event+select",
        hoverdistance=50,
        margin={"l": 10, "r": 4, "t": 4, "b": 10},
        xaxis=_axis(land.x, land.xs),
        yaxis=_axis(land.y, land.ys),
        shapes=_frame(land, here),
    )
    return go.Figure([_heat(land), _cells(land, getattr(here, land.y))], layout)


def _axis(field: str, values: Sequence[object]) -> dict[str, object]:
    return {
        "title": {"text": field_name(field).capitalize(), "standoff": 4},
        "tickvals": list(range(len(values))),
        "ticktext": [number(value) for value in values],
        "range": [-0.54, len(values) - 0.46],
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
        "showscale": False,
    }


def _scaled(accuracy: float) -> float:
    """The error on a logarithmic scale: from 98 to 99 % is as far as from 80 to 90 %."""
    return -math.log10(max(1 - accuracy, 10**-BEST))


def _colour_value(cell: Cell | None) -> float | None:
    return None if cell is None or cell.accuracy is None else _scaled(cell.accuracy)


def _cells(land: Landscape, row: object) -> Trace:
    """A text and an invisible square for each cell: Plotly hears no clicks on a heatmap."""
    points = [(x, y) for y in land.ys for x in land.xs if (x, y) in land.cells]
    places = [(land.xs.index(x), land.ys.index(y)) for x, y in points]
    cells = [land.cells[point] for point in points]
    hidden = {"marker": {"opacity": 0}}
    marks = {id(land.best_of_row(row)): "☆ ", id(land.best): "★ "}
    return {
        "x": [i for i, _ in places],
        "y": [j for _, j in places],
        "customdata": places,
        "text": [_label(cell, marks.get(id(cell), "")) for cell in cells],
        "hovertext": [_hover(cell) for cell in cells],
        "hovertemplate": "%{hovertext}<extra></extra>",
        "mode": "markers+text",
        "textposition": "middle center",
        "textfont": {"color": [_ink(cell) for cell in cells], "size": 13},
        "marker": {"size": 30, "symbol": "square", "opacity": 0},
        "selected": hidden,
        "unselected": hidden,
    }


def _label(cell: Cell, mark: str) -> str:
    if cell.accuracy is not None:
        number = f"{100 * cell.accuracy:.1f}"
        return f"<b>{mark}{number}</b>" if mark else number
    if cell.run is None:
        return "·"
    return "diverged" if cell.run.state == RunState.DIVERGED else "…"


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


def _frame(land: Landscape, here: RunConfig) -> list[dict[str, object]]:
    x, y = land.xs.index(getattr(here, land.x)), land.ys.index(getattr(here, land.y))
    corners = {"x0": x - 0.5, "x1": x + 0.5, "y0": y - 0.5, "y1": y + 0.5}
    return [
        {"type": "rect", **corners, "line": {"color": colour, "width": width}}
        for colour, width in FRAME
    ]
