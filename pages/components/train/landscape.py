"""The map of settings: accuracy over two settings. A click on a cell shows its run."""

from collections.abc import Sequence

import streamlit as st

from mnist_core.analysis.landscape import FIELDS, Cell, Landscape, landscape
from mnist_core.charts.landscape import landscape_figure
from mnist_core.config import RunConfig
from mnist_core.formatting import duration, field_name, percent, setting
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from pages.components.shared.common import attempt, unbroken
from pages.components.shared.visitor import actions, may_change
from pages.components.train.controls import show
from pages.components.train.layout import reachable

ROW, MARGIN = 34, 52  # pixels: of a row of cells, and of the axis below them
STEPS = {"←": (-1, 0), "→": (1, 0), "↑": (0, 1), "↓": (0, -1)}
BEST = "★"
OPENS_WITH = {"train_x": "lr", "train_y": "batch_size"}  # by their names in the address bar
LAYERS_NAME = ("activation", "dropout")  # settings of a network that layers of one's own name
WORDS = {"←": "left", "→": "right", "↑": "up", "↓": "down", BEST: "to the best"}


def landscape_map(store: RunStore, config: RunConfig, runs: list[Run]) -> None:
    """The choice of the two axes, steps by keyboard, the best cells in words, and the map."""
    with st.container(
        key="train_map_head", horizontal=True, vertical_alignment="center", gap="small"
    ):
        st.markdown("**Map of settings**", width="content")
        x, y = axes(config)
        land = landscape(config, runs, x, y)
        steps(land, config)
        suggestion(store, land, config)
    trained = sum(cell.run is not None for cell in land.cells.values())
    if land.best and trained > 1:  # the best of one would be no news
        with st.container(key="train_map_best"):
            st.markdown(f":small[{unbroken(best_in_words(land, config))}]")
    clicks = st.session_state.setdefault("train_clicks", 0)
    key = f"landscape_{clicks}"  # a chart of its own for each click: none stays selected
    figure = landscape_figure(land, config, MARGIN + ROW * len(land.ys))

    def clicked() -> None:
        points = st.session_state[key]["selection"]["points"]
        if points:
            i, j = points[0]["customdata"]
            st.session_state.train_clicks = clicks + 1
            show(land.cells[land.xs[i], land.ys[j]].config)

    with st.container(key="train_map"):
        reachable("Map of settings")
        st.plotly_chart(
            figure,
            key=key,
            on_select=clicked,
            selection_mode="points",
            config={"displayModeBar": False},
            alt=f"Validation accuracy by {field_name(x)} and {field_name(y)}",
        )
    st.caption(
        "Best validation accuracy in per cent; all other settings are those of the controls. "
        f"{trained} of {len(land.cells)} are trained."
    )


def axes(config: RunConfig) -> tuple[str, str]:
    """The two settings on the axes, different ones. The address bar names them."""
    state, query = st.session_state, st.query_params
    named_by_layers = LAYERS_NAME if config.layers else ()
    fields = [name for name in FIELDS if name not in named_by_layers]
    for key, first in OPENS_WITH.items():
        linked = query.get(key)
        state.setdefault(key, linked if linked in fields else first)
        if state[key] not in fields:
            state[key] = first
    x = axis("Horizontal", fields, "train_x")
    rest = [name for name in fields if name != x]
    if state.train_y not in rest:
        state.train_y = next(name for name in OPENS_WITH.values() if name in rest)
    y = axis("Vertical", rest, "train_y")
    for (key, first), name in zip(OPENS_WITH.items(), (x, y), strict=True):
        if name == first:
            query.pop(key, None)
        elif query.get(key) != name:
            query[key] = name
    return x, y


def axis(label: str, names: Sequence[str], key: str) -> str:
    return st.selectbox(
        label,
        names,
        format_func=lambda name: f"{label}: {field_name(name)}",
        key=key,
        persist_state="session",
        label_visibility="collapsed",
        width=210,
    )


def steps(land: Landscape, config: RunConfig) -> None:
    """Moves to a neighbouring cell, or to the best one, also without a mouse."""

    def step() -> None:
        cell = goal(land, config, st.session_state.train_step)
        st.session_state.train_step = None
        if cell:
            show(cell.config)

    st.segmented_control(
        "Move in the map",
        list(WORDS),
        key="train_step",
        on_change=step,
        label_visibility="collapsed",
        help=None,
    )


def goal(land: Landscape, config: RunConfig, step: str | None) -> Cell | None:
    """The cell that a step leads to from the present one, None at an edge."""
    if step == BEST:
        return land.best
    dx, dy = STEPS.get(step or "", (0, 0))
    i = land.xs.index(getattr(config, land.x)) + dx
    j = land.ys.index(getattr(config, land.y)) + dy
    if not (0 <= i < len(land.xs) and 0 <= j < len(land.ys)):
        return None
    return land.cells.get((land.xs[i], land.ys[j]))


def suggestion(store: RunStore, land: Landscape, config: RunConfig) -> None:
    """On an empty map: trains the present cell and its neighbours."""
    if not may_change() or any(cell.run for cell in land.cells.values()):
        return
    wanted = nearest_cells(land, config, 3)
    known = cost.load(store, config)
    seconds = sum(known.run(each) for each in wanted) if known else None
    about = f" (≈ {duration(seconds)})" if seconds else ""
    if st.button(
        f"Train these {len(wanted)}{about}",
        key="train_these",
        icon=":material/play_arrow:",
        help="The framed setting and those beside it.",
    ):
        act = actions(store)
        attempt(lambda: [act.start(each) for each in wanted])


def nearest_cells(land: Landscape, config: RunConfig, count: int) -> list[RunConfig]:
    """The configs of so many cells in the present row, the present one and the nearest."""
    here, y = land.xs.index(getattr(config, land.x)), getattr(config, land.y)
    row = [(i, land.cells[x, y]) for i, x in enumerate(land.xs) if (x, y) in land.cells]
    row.sort(key=lambda pair: abs(pair[0] - here))
    return [cell.config for _, cell in row[:count]]


def best_in_words(land: Landscape, config: RunConfig) -> str:
    """Where the best cell of all lies, and the best one of the framed row."""
    assert land.best
    words = f"★ **Best: {told(land.best, land.x, land.y)}**."
    row = land.best_of_row(getattr(config, land.y))
    if row and row is not land.best:
        where = setting(land.y, getattr(config, land.y))
        words += f" ☆ Best with {where}: **{told(row, land.x)}**."
    return words


def told(cell: Cell, *names: str) -> str:
    """A cell's accuracy and where it lies: "98.58 % at learning rate 0.05"."""
    at = ", ".join(setting(name, getattr(cell.config, name)) for name in names)
    return f"{percent(cell.accuracy)} at {at}"
