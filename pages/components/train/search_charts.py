"""The charts and the table of a search. A click on a trial moves the controls there."""

from typing import Any

import streamlit as st

from mnist_core.charts.study import (
    SECOND,
    best_so_far,
    importance_bars,
    parallel_coordinates,
    slice_of,
    two_objectives,
)
from mnist_core.charts.study_map import contour
from mnist_core.charts.study_marks import short
from mnist_core.formatting import field_name
from mnist_core.sweeps.table import PRUNED, StudyTable
from pages.components.train.controls import show
from pages.components.train.layout import reachable

QUIET = {"displayModeBar": False}
ENDED = {PRUNED: "ended early"}
CLICKS = "train_trial_clicks"


def charts(table: StudyTable) -> None:
    """All of a study, and the trial that is clicked on."""
    if table.importance:
        left, right = st.columns([3, 2])
    else:
        left, right = st.container(), None
    with left:
        st.markdown("**Best so far**", help="Click a trial to move the controls to its setting.")
        clickable(table, best_so_far(table), "best", "Validation accuracy over the trials")
    if right:
        with right:
            help = "How much each setting decides whether a trial is in the best tenth (PED-ANOVA)."
            st.markdown("**What matters**", help=help)
            alt = "Importance of each setting"
            st.plotly_chart(importance_bars(table), config=QUIET, key="search_bars", alt=alt)
    if table.plan.minimise and table.front:
        second = SECOND[table.plan.minimise]
        st.markdown(f"**Accuracy and {second}**")
        alt = f"Validation accuracy by {second}"
        clickable(table, two_objectives(table), "front", alt)
    if len(table.done) > 1:
        st.markdown(
            "**All settings together**",
            help="A line for each completed trial; the best tenth is coloured.",
        )
        alt = "Parallel coordinates of the completed trials"
        with st.container(key="search_wide"):
            reachable("All settings together")
            st.plotly_chart(
                parallel_coordinates(table), config=QUIET, key="search_parallel", alt=alt
            )
    two_fields(table)
    trials(table)


def two_fields(table: StudyTable) -> None:
    """A map of two fields, and the accuracy against each."""
    names = table.fields
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        st.markdown("**Two settings**", width="content")
        x = field("Horizontal", names, 0)
        rest = [name for name in names if name != x]
        y = field("Vertical", rest, 0) if rest else None
    if y:
        alt = f"Validation accuracy by {field_name(x)} and {field_name(y)}"
        clickable(table, contour(table, x, y), f"contour_{x}_{y}", alt)
    places = st.columns(2) if y else [st.container()]
    for place, name in zip(places, filter(None, (x, y)), strict=True):
        with place:
            alt = f"Validation accuracy by {field_name(name)}"
            clickable(table, slice_of(table, name), f"slice_{name}", alt)


def field(label: str, names: list[str], first: int) -> str:
    key = f"search_{label.lower()}"
    if st.session_state.get(key) not in (None, *names):
        del st.session_state[key]
    return st.selectbox(
        label,
        names,
        index=first,
        key=key,
        format_func=lambda name: f"{label}: {field_name(name)}",
        persist_state="session",
        label_visibility="collapsed",
        width=230,
    )


def clickable(table: StudyTable, figure: Any, name: str, alt: str) -> None:
    """A chart whose marks are trials."""
    clicks = st.session_state.setdefault(CLICKS, 0)  # a chart of its own after each click
    key = f"search_{name}_{clicks}"
    event = st.plotly_chart(
        figure, key=key, on_select="rerun", selection_mode="points", config=QUIET, alt=alt
    )
    points = event["selection"]["points"]
    if points and "customdata" in points[0]:
        found = points[0]["customdata"]
        open_trial(table, found[0] if isinstance(found, (list, tuple)) else found)


def trials(table: StudyTable) -> None:
    """All trials, the best first; a chosen row moves the controls there."""
    rows = sorted(table.rows, key=lambda row: (-(row.accuracy or 0.0), row.number))
    shown = [
        {
            "Trial": row.number,
            "Validation": None if row.accuracy is None else 100 * row.accuracy,
            **{field_name(n).capitalize(): cell(row.values.get(n)) for n in table.fields},
            "Epochs": row.epochs,
            "State": ENDED.get(row.state, row.state),
        }
        for row in rows
    ]
    st.markdown("**Trials**", help="Choose a row to move the controls to its setting.")
    event = st.dataframe(
        shown,
        key=f"search_table_{st.session_state[CLICKS]}",
        on_select="rerun",
        selection_mode="single-row",
        hide_index=True,
        height=300,
        column_config={"Validation": st.column_config.NumberColumn(format="%.2f %%")},
    )
    chosen = event["selection"]["rows"]
    if chosen:
        open_trial(table, rows[chosen[0]].number)


def cell(value: Any) -> Any:
    return value if not isinstance(value, float) else float(short(value))


def open_trial(table: StudyTable, number: int) -> None:
    """Shows the trial's run: the controls move to its setting."""
    row = next((row for row in table.rows if row.number == number), None)
    if row and row.values:
        st.session_state[CLICKS] += 1
        show(table.config(row))
        st.rerun()
