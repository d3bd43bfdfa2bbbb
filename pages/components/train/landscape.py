"""The landscape: accuracy over two knobs. A click on a cell's dot moves the knobs there."""

from __future__ import annotations

import streamlit as st

from mnist_core.analysis.landscape import FIELDS, landscape
from mnist_core.charts.landscape import landscape_figure
from mnist_core.config import RunConfig
from mnist_core.formatting import field_name, percent, setting
from mnist_core.runs.store import Run
from pages.components.train.controls import move_to

CELL, MARGIN = 62, 90  # pixels: of a row, and of what surrounds the rows


def terrain(config: RunConfig, runs: list[Run]) -> None:
    """Two choosers for the axes, the chart, and its best cell in words."""
    x, y = axes()
    land = landscape(config, runs, x, y)
    turn = st.session_state.setdefault("train_clicks", 0)
    key = f"landscape_{turn}"  # a chart of its own for each click: none stays selected
    figure = landscape_figure(land, config, MARGIN + CELL * max(3, len(land.ys)))

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            i, j = points[0]["customdata"]
            st.session_state.train_clicks = turn + 1
            move_to(land.cells[land.xs[i], land.ys[j]].config)

    st.plotly_chart(
        figure,
        key=key,
        on_select=clicked,
        selection_mode="points",
        alt=f"Validation accuracy by {field_name(x)} and {field_name(y)}",
    )
    st.caption(summary_of(land))


def axes() -> tuple[str, str]:
    """The two knobs, different ones."""
    state = st.session_state
    state.setdefault("train_x", "lr")
    state.setdefault("train_y", "batch_size")
    with st.container(horizontal=True):
        names = {"format_func": lambda name: field_name(name).capitalize(), "width": 220}
        x = st.selectbox("Across", FIELDS, key="train_x", persist_state="session", **names)
        rest = [knob for knob in FIELDS if knob != x]
        if state.train_y not in rest:
            state.train_y = next(knob for knob in ("lr", "batch_size") if knob in rest)
        y = st.selectbox("Up", rest, key="train_y", persist_state="session", **names)
    return x, y


def summary_of(land) -> str:
    """How many cells are trained, and where the best one lies."""
    trained = sum(cell.run is not None for cell in land.cells.values())
    words = f"Best validation accuracy of each run, in per cent; {trained} of {len(land.cells)} "
    words += "settings are trained. Every other knob is as above."
    if land.best:
        at = (setting(name, getattr(land.best.config, name)) for name in (land.x, land.y))
        words += f" The best: {percent(land.best.accuracy)} at {', '.join(at)}."
    return words
