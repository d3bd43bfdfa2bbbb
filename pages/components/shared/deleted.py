"""Runs that this visitor has deleted: they can be brought back until the page is left."""

from contextlib import suppress

import streamlit as st

from mnist_core.analysis.describe import full_name
from mnist_core.errors import LabError, NotFound
from mnist_core.formatting import plain
from mnist_core.runs import trash
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.shared import common
from pages.components.shared.visitor import actions, may_change

DELETED = "deleted_runs"  # of the session: names by id, the last one deleted at the end


def delete(store: RunStore, run: Run) -> None:
    """Raises LabError where it is refused."""
    actions(store).delete(run.id)
    st.session_state.setdefault(DELETED, {})[run.id] = full_name(run.config)


def offer_undo(store: RunStore) -> None:
    """One line for what was deleted on this page last, with a button that brings it back."""
    names = st.session_state.get(DELETED, {})
    if not names:
        return
    run_id = list(names)[-1]
    with st.container(horizontal=True, vertical_alignment="center", key="deleted"):
        st.markdown(f"Deleted: {plain(names[run_id])}", width="content")
        if st.button("Undo", icon=":material/undo:", key="undo_delete"):
            common.attempt(lambda: bring_back(store, run_id))


def bring_back(store: RunStore, run_id: str) -> None:
    """Raises LabError where that fails; Undo is offered again unless the run is gone for good."""
    try:
        actions(store).restore(run_id)
    except NotFound:
        st.session_state[DELETED].pop(run_id)
        raise
    st.session_state[DELETED].pop(run_id)


def page_is_left(store: RunStore) -> None:
    """For good, now. What a closed tab leaves goes within the hour (see runs.trash)."""
    for run_id in st.session_state.pop(DELETED, {}):
        with suppress(LabError, OSError):
            actions(store).empty(run_id)


@st.cache_resource(ttl=trash.KEPT, show_spinner=False)
def sweep_hourly(root: str) -> None:
    """Deletes for good what waited too long: when the server starts, and once an hour."""
    if may_change():
        with suppress(LabError, OSError):
            trash.sweep(RunStore(root))
