"""Which rows are compared: those in the address bar, those clicked, or the first choice.

The address bar's `cmp_runs` and the choice agree at the end of every script run. A row is named
by any of its runs. A row that the recipe or the data set hides gives its place to the same
network's row there, and comes back with it.
"""

import time
from collections.abc import Mapping, Sequence

import pandas as pd
import streamlit as st

from mnist_core.analysis.table import best_networks
from mnist_core.charts.pareto import CHOSEN_LIMIT

OPENS_WITH = ("lenet5", "medium")  # networks that most people want to see first
TOP = 5  # rows for the button that chooses the best; more would be a tangle of curves
FRESH = 24 * 3600  # seconds for which a run of the visitor's own is chosen by itself


def choose(rows: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The ids of the rows to compare, and the address bar to match.

    `rows`: what is shown, of analysis.aggregate, with `yours`. `networks`: the network of every
    run, see models.network_of.
    """
    wanted = _wanted(rows, networks)
    chosen = _rows_of(wanted or [], rows, networks)
    if wanted is None or (wanted and not chosen):
        chosen = first_choice(rows)
    address = wanted or []
    if st.query_params.get_all("cmp_runs") != address:
        st.query_params["cmp_runs"] = address
    state = st.session_state
    state["cmp_chosen"], state["cmp_wanted"], state["cmp_address"] = chosen, wanted, address
    return chosen


def _wanted(rows: pd.DataFrame, networks: Mapping[str, str]) -> list[str] | None:
    """The runs that the visitor wants, or None for the first choice."""
    asked = new_in_address()
    wanted: list[str] | None = asked or st.session_state.get("cmp_wanted")
    if not wanted:
        return wanted
    known = [run_id for run_id in wanted if run_id in networks][:CHOSEN_LIMIT]
    if asked and len(known) == 1 and _is_yours(known[0], rows):
        return [*known, *_partners(known[0], rows, networks)]
    return known or None


def new_in_address() -> list[str]:
    """The runs in the address bar, where the visitor followed a link and did not click."""
    asked = st.query_params.get_all("cmp_runs")
    return asked if asked != st.session_state.get("cmp_address", []) else []


def asked_for() -> list[str]:
    """The runs that the address bar or an earlier click names, before they are looked up."""
    return [*st.query_params.get_all("cmp_runs"), *(st.session_state.get("cmp_wanted") or [])]


def _rows_of(wanted: Sequence[str], rows: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """The rows of these runs or, where they are hidden, those of the same networks."""
    row_of = {
        run: row for row, runs in zip(rows["id"], rows["members"], strict=True) for run in runs
    }
    best = dict(zip(rows["network"][::-1], rows["id"][::-1], strict=True))
    found = [row_of.get(run_id) or best.get(networks[run_id]) for run_id in wanted]
    return list(dict.fromkeys(filter(None, found)))


def first_choice(rows: pd.DataFrame) -> list[str]:
    """What a visitor sees who has not chosen: two networks, and a new run of one's own."""
    rows = rows[rows["epochs_done"].fillna(0) > 0]
    best = rows.drop_duplicates("network").set_index("network")["id"]
    names = [name for name in OPENS_WITH if name in best.index]
    pair = list(dict.fromkeys([*best[names], *best_networks(rows, len(OPENS_WITH))]))
    new = rows[rows["yours"] & (rows["created"] > time.time() - FRESH)]
    newest = new.sort_values("created", ascending=False)["id"].head(1).tolist()
    return list(dict.fromkeys([*newest, *pair[: len(OPENS_WITH)]]))


def _is_yours(run_id: str, rows: pd.DataFrame) -> bool:
    return any(run_id in members for members in rows.loc[rows["yours"], "members"])


def _partners(run_id: str, rows: pd.DataFrame, networks: Mapping[str, str]) -> list[str]:
    """What a run of the visitor's own is compared with: the lab's best run of the same network."""
    others = rows[~rows["yours"]]
    same = others[others["network"] == networks[run_id]]["id"].head(1).tolist()
    return same or first_choice(others)[:1]


def want(runs: list[str] | None) -> None:
    """Chooses these runs, or with None what a visitor sees first."""
    st.session_state["cmp_wanted"] = runs


def toggle(run_id: str) -> None:
    """Adds a row to the comparison, or takes it out."""
    chosen = st.session_state.get("cmp_chosen", [])
    if run_id in chosen:
        want([other for other in chosen if other != run_id])
    elif len(chosen) >= CHOSEN_LIMIT:
        st.toast(f"Up to {CHOSEN_LIMIT} networks can be compared: take one out first.")
    else:
        want([*chosen, run_id])


def clicked(chart: str) -> None:
    """A click on a point of a chart adds or removes its row.

    Plotly reports a click on the selected point as the end of the selection: then the point is
    the one before.
    """
    state = st.session_state
    points = state[chart]["selection"]["points"]
    ids = [point["customdata"] for point in points if point.get("customdata")]
    run_id = ids[-1] if ids else state.get(f"{chart}_last")
    if isinstance(run_id, list):
        run_id = run_id[0]
    state[f"{chart}_last"] = run_id
    if run_id:
        toggle(run_id)


def slots_of(chosen: Sequence[str]) -> dict[str, int]:
    """A number for each chosen row, which it keeps for as long as it is chosen."""
    before: dict[str, int] = st.session_state.get("cmp_slots", {})
    slots = {run_id: before[run_id] for run_id in chosen if run_id in before}
    for run_id in chosen:
        free = next(n for n in range(CHOSEN_LIMIT + 1) if n not in slots.values())
        slots.setdefault(run_id, free)
    st.session_state["cmp_slots"] = slots = {run_id: slots[run_id] for run_id in chosen}
    return slots
