"""What can be done with a search: pause it, continue it, end it, delete it."""

from collections.abc import Callable

import streamlit as st

from mnist_core.formatting import plain
from mnist_core.jobs import sweep_job
from mnist_core.runs.store import RunStore
from mnist_core.sweeps import home
from mnist_core.sweeps.plan import check_name
from mnist_core.sweeps.table import DONE, FAILED, PRUNED, StudyTable
from pages.components.shared import common
from pages.components.shared.visitor import actions

MORE = 50  # trials that a finished search can be given
STOP_HELP = "Ends the search with the trials so far, and trains the best setting with 5 seeds."


def buttons(store: RunStore, name: str, table: StudyTable | None, live: bool) -> None:
    if live:
        button("Pause", "pause", lambda: actions(store).pause_search(name))
        return
    if table and table.rows and sweep_job.is_known(store, name):
        continue_or_end(store, name, table)
    delete(store, name)


def continue_or_end(store: RunStore, name: str, table: StudyTable) -> None:
    example = table.plan.space.example()
    again = ["--name", name]
    if not table.is_complete:
        button("Continue", "fast_forward", lambda: actions(store).search(name, again, example))
        done = table.count(DONE, PRUNED, FAILED)
        stop = [*again, "--trials", str(done)]
        if table.best:
            button("Stop", "stop", lambda: actions(store).search(name, stop, example), STOP_HELP)
    elif table.wanted:
        more = [*again, "--trials", str(table.wanted + MORE)]
        label = f"{MORE} more trials"
        button(label, "add", lambda: actions(store).search(name, more, example))


def delete(store: RunStore, name: str) -> None:
    """Asks before: a search that is deleted does not come back."""
    with st.popover("Delete", icon=":material/delete:", type="tertiary", key=f"search_away_{name}"):
        st.markdown(plain(f"Delete {name}, its trials and their curves?"))
        everywhere = " It is deleted for all machines that share it." if home.is_elsewhere() else ""
        st.caption(f"This cannot be undone. Runs with weights stay on Compare.{everywhere}")
        button("Delete for good", "delete_forever", lambda: delete_now(store, name))


def delete_now(store: RunStore, name: str) -> None:
    """Raises LabError where it is refused."""
    with st.spinner("Deleting …"):
        actions(store).delete_search(check_name(name))


def button(label: str, icon: str, act: Callable[[], object], help: str = "") -> None:
    key = f"search_{label.lower().replace(' ', '_')}"
    if st.button(label, icon=f":material/{icon}:", key=key, help=help or None):
        common.attempt(act)
