"""Which runs are compared: those ticked in the table, those in the address bar, or the best ones.

The table's ticks and the address bar's `cmp_runs` agree at the end of every script run. Streamlit
cannot bind a dataframe's selection to the address bar, hence this module. One of the chosen runs
can be marked by a click on it in any chart; the address bar's `cmp_mark` names it.
"""

import pandas as pd
import streamlit as st

from mnist_core.analysis.table import best_runs
from mnist_core.charts.pareto import CHOSEN_LIMIT

FIRST_LIMIT = 5  # rows chosen for a visitor who has not chosen; more would be a tangle of curves


def choose(shown: pd.DataFrame, known: set[str]) -> list[str]:
    """The ids of the rows to compare: those the visitor wants and the filters show, else the best.

    `shown` are rows of analysis.aggregate; to ask for any run of a row is to ask for the row.
    Ticks the table's rows to match, and writes the visitor's choice into the address bar.
    """
    state, ids = st.session_state, shown["id"].tolist()
    row_of = {run_id: row for row, members in enumerate(shown["members"]) for run_id in members}
    wanted = wanted_runs(known)
    rows = list(dict.fromkeys(row_of[run_id] for run_id in wanted or [] if run_id in row_of))
    chosen = [ids[row] for row in rows][:CHOSEN_LIMIT]
    if wanted is None or (wanted and not chosen):
        chosen = best_runs(shown, FIRST_LIMIT)
    ticks = sorted(row_of[run_id] for run_id in chosen)
    if "cmp_table" not in state or sorted(state["cmp_table"]["selection"]["rows"]) != ticks:
        state["cmp_table"] = {"selection": {"rows": ticks, "columns": [], "cells": []}}
    address = wanted or []
    if st.query_params.get_all("cmp_runs") != address:
        st.query_params["cmp_runs"] = address
    state["cmp_shown"], state["cmp_chosen"], state["cmp_ticks"] = ids, chosen, ticks
    state["cmp_wanted"], state["cmp_address"] = wanted, address
    return chosen


def wanted_runs(known: set[str]) -> list[str] | None:
    """The runs that the visitor wants, or None when the best ones will do.

    A click in the table comes first, then an address that was opened, then what was wanted before.
    """
    state = st.session_state
    wanted: list[str] | None
    asked = st.query_params.get_all("cmp_runs")
    ticks = state["cmp_table"]["selection"]["rows"] if "cmp_table" in state else None
    if ticks is not None and sorted(ticks) != state.get("cmp_ticks"):
        clicked = [state["cmp_shown"][row] for row in ticks if row < len(state["cmp_shown"])]
        kept = [run_id for run_id in state["cmp_chosen"] if run_id in clicked]
        wanted = kept + [run_id for run_id in clicked if run_id not in kept]
        if len(wanted) > CHOSEN_LIMIT:
            st.toast(f"Up to {CHOSEN_LIMIT} rows can be compared: untick one first.")
    elif asked and asked != state.get("cmp_address"):
        wanted = asked
    else:
        wanted = state.get("cmp_wanted")
    if not wanted:
        return wanted
    return [run_id for run_id in wanted if run_id in known][:CHOSEN_LIMIT] or None


def want(runs: list[str] | None) -> None:
    st.session_state["cmp_wanted"] = runs


def asked_for() -> list[str]:
    """The runs that the address bar or an earlier click names, before they are looked up."""
    return [*st.query_params.get_all("cmp_runs"), *(st.session_state.get("cmp_wanted") or [])]


def marked(chosen: list[str]) -> str | None:
    """The chosen row that stands out in every chart, if any."""
    run_id = st.query_params.get("cmp_mark")
    if run_id and run_id not in chosen:
        del st.query_params["cmp_mark"]
    return run_id if run_id in chosen else None


def clicked(chart: str) -> None:
    """A click on a point or curve marks its row in all charts; a second click unmarks it.

    Plotly reports a click on the selected point as the end of the selection: then the point is
    the one before. A row that was not chosen becomes chosen.
    """
    state = st.session_state
    points = state[chart]["selection"]["points"]
    ids = [point["customdata"] for point in points if point.get("customdata")]
    run_id = ids[-1] if ids else state.get(f"{chart}_last")
    if isinstance(run_id, list):  # other charts' points carry the id alone
        run_id = run_id[0]
    state[f"{chart}_last"] = run_id
    if not run_id:
        return
    if st.query_params.get("cmp_mark") == run_id:
        del st.query_params["cmp_mark"]
        return
    chosen = state.get("cmp_chosen", [])
    if run_id not in chosen and len(chosen) >= CHOSEN_LIMIT:
        st.toast(f"Up to {CHOSEN_LIMIT} rows can be compared: untick one first.")
        return
    if run_id not in chosen:
        want([*chosen, run_id])
    st.query_params["cmp_mark"] = run_id
