"""The map of settings: accuracy over two settings. A click on a cell shows its run."""

from collections.abc import Sequence

import streamlit as st

from mnist_core.analysis.landscape import FIELDS, Landscape, landscape
from mnist_core.charts.landscape import landscape_figure
from mnist_core.config import RunConfig
from mnist_core.formatting import field_name, percent, setting
from mnist_core.runs.run import Run
from pages.components.train.controls import show

CELL, MARGIN = 62, 90  # pixels: of a row, and of what surrounds the rows


def landscape_tab(config: RunConfig, runs: list[Run]) -> None:
    """The choice of the two axes, the map, and its best cell in words."""
    x, y = axes()
    land = landscape(config, runs, x, y)
    clicks = st.session_state.setdefault("train_clicks", 0)
    key = f"landscape_{clicks}"  # a chart of its own for each click: none stays selected
    figure = landscape_figure(land, config, MARGIN + CELL * max(3, len(land.ys)))

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            i, j = points[0]["customdata"]
            st.session_state.train_clicks = clicks + 1
            show(land.cells[land.xs[i], land.ys[j]].config)

    st.plotly_chart(
        figure,
        key=key,
        on_select=clicked,
        selection_mode="points",
        alt=f"Validation accuracy by {field_name(x)} and {field_name(y)}",
    )
    st.caption(summary_of(land))


def axes() -> tuple[str, str]:
    """The two settings on the axes, different ones."""
    state = st.session_state
    state.setdefault("train_x", "lr")
    state.setdefault("train_y", "batch_size")
    with st.container(horizontal=True):
        x = axis("Horizontal", FIELDS, "train_x")
        rest = [name for name in FIELDS if name != x]
        if state.train_y not in rest:
            state.train_y = next(name for name in ("lr", "batch_size") if name in rest)
        return x, axis("Vertical", rest, "train_y")


def axis(label: str, names: Sequence[str], key: str) -> str:
    return st.selectbox(
        label,
        names,
        format_func=lambda name: field_name(name).capitalize(),
        key=key,
        persist_state="session",
        width=220,
        help="The setting along this axis.",
    )


def summary_of(land: Landscape) -> str:
    """How many cells are trained, and where the best one lies."""
    trained = sum(cell.run is not None for cell in land.cells.values())
    words = f"Best validation accuracy in per cent; {trained} of {len(land.cells)} settings are "
    words += "trained. All other settings are as above. Click a cell to see its run."
    if land.best:
        at = (setting(name, getattr(land.best.config, name)) for name in (land.x, land.y))
        words += f" Best: {percent(land.best.accuracy)} at {', '.join(at)}."
    return words
