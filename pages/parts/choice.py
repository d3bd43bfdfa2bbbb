"""Which runs Compare compares: ticks in its table, the address bar, or the best ones.

The table's ticks and the address bar's `cmp_runs` say the same at the end of every script run.
A dataframe's selection cannot be bound to the address bar by Streamlit, hence this file.
"""

from __future__ import annotations

import pandas as pd
import streamlit as st

from mnist_core.table import best_runs
from mnist_core.tradeoff import CHOSEN_LIMIT


def choose(shown: pd.DataFrame, known: set[str]) -> list[str]:
    """The ids of the runs to compare: those a person wants and the filters show, else the best.

    Ticks the table's rows to match, and writes a person's choice into the address bar.
    """
    state, ids = st.session_state, shown["id"].tolist()
    rows = {run_id: row for row, run_id in enumerate(ids)}
    wanted = wish(known)
    chosen = [run_id for run_id in wanted or [] if run_id in rows]
    if wanted is None or (wanted and not chosen):
        chosen = best_runs(shown, CHOSEN_LIMIT)
    ticks = sorted(rows[run_id] for run_id in chosen)
    if "cmp_table" not in state or sorted(state["cmp_table"]["selection"]["rows"]) != ticks:
        state["cmp_table"] = {"selection": {"rows": ticks, "columns": [], "cells": []}}
    address = wanted or []
    if st.query_params.get_all("cmp_runs") != address:
        st.query_params["cmp_runs"] = address
    state["cmp_shown"], state["cmp_chosen"], state["cmp_ticks"] = ids, chosen, ticks
    state["cmp_wanted"], state["cmp_address"] = wanted, address
    return chosen


def wish(known: set[str]) -> list[str] | None:
    """The runs that a person wants, or None when the best will do.

    The last word has, in this order: a click in the table, an address that was opened, what was
    wanted before.
    """
    state = st.session_state
    asked = st.query_params.get_all("cmp_runs")
    ticks = state["cmp_table"]["selection"]["rows"] if "cmp_table" in state else None
    if ticks is not None and sorted(ticks) != state.get("cmp_ticks"):
        clicked = [state["cmp_shown"][row] for row in ticks if row < len(state["cmp_shown"])]
        kept = [run_id for run_id in state["cmp_chosen"] if run_id in clicked]
        wanted = kept + [run_id for run_id in clicked if run_id not in kept]
        if len(wanted) > CHOSEN_LIMIT:
            st.toast(f"Up to {CHOSEN_LIMIT} runs can be compared: untick one first.")
    elif asked and asked != state.get("cmp_address"):
        wanted = asked
    else:
        wanted = state.get("cmp_wanted")
    if not wanted:
        return wanted
    return [run_id for run_id in wanted if run_id in known][:CHOSEN_LIMIT] or None


def want(runs: list[str] | None) -> None:
    st.session_state["cmp_wanted"] = runs
