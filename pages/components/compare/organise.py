"""Compare: labels, notes and tags of runs; out of the way with some, and away with others."""

from collections.abc import Iterable
from dataclasses import replace

import streamlit as st

from mnist_core.analysis.describe import full_name
from mnist_core.formatting import plain
from mnist_core.runs.about import LONGEST, About, about, tags_of
from mnist_core.runs.bundle import BundledRun
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from pages.components.compare.choice import asked_for
from pages.components.shared import common, deleted
from pages.components.shared.visitor import actions, may_change

ARCHIVED = "cmp_archived"  # whether archived runs are shown, too
KEY = "cmp_organise"


def without_archived(runs: list[Run]) -> tuple[list[Run], int]:
    """Leaves out archived runs unless they are wanted. Also returns how many there are."""
    archived = {run.id for run in runs if not isinstance(run, BundledRun) and about(run).archived}
    wanted = st.query_params.get(ARCHIVED) == "true" or st.session_state.get(ARCHIVED)
    shown = archived if wanted else set(asked_for())
    return [run for run in runs if run.id not in archived or run.id in shown], len(archived)


def organise(store: RunStore, runs: Iterable[Run]) -> None:
    """What can be said of the ticked runs, and how they are put away."""
    common.show_kept_error()
    if not may_change():
        return
    act = actions(store)
    own = {run.id: run for run in runs if run.path.is_dir() and act.may_control(run)}
    with st.popover(
        "Organise",
        icon=":material/label:",
        disabled=not own,
        help="Give a ticked run a label, a note and tags; archive or delete it.",
    ):
        if own:
            run_id = st.selectbox(
                "Run", list(own), format_func=lambda run_id: full_name(own[run_id].config), key=KEY
            )
            one_run(store, own[run_id])


def one_run(store: RunStore, run: Run) -> None:
    said = about(run)
    with st.form(f"cmp_about_{run.id}", border=False):
        label = st.text_input("Label", said.label, max_chars=LONGEST["label"])
        note = st.text_area("Note", said.note, max_chars=LONGEST["note"])
        tags = st.text_input("Tags", ", ".join(said.tags), help="Separated by commas.")
        if st.form_submit_button("Save", icon=":material/save:"):
            common.attempt(lambda: say(store, run, changed_words(said, label, note, tags)))
    with st.container(horizontal=True):
        word = "Take out of the archive" if said.archived else "Archive"
        changed = replace(said, archived=not said.archived)
        if st.button(
            word,
            icon=":material/archive:",
            key="cmp_archive",
            help="Hides the run on all pages; a filter shows archived runs.",
        ):
            common.attempt(lambda: say(store, run, changed))
        if st.button(
            "Delete",
            icon=":material/delete:",
            key="cmp_delete",
            disabled=run.state in LIVE,
            help="Can be undone until you leave this page.",
        ):
            common.attempt(lambda: deleted.delete(store, run))


def changed_words(said: About, label: str, note: str, tags: str) -> About:
    """Raises InputError for what is too long."""
    return replace(said, label=label.strip(), note=note.strip(), tags=tags_of(tags))


def say(store: RunStore, run: Run, said: About) -> None:
    actions(store).annotate(run.id, said)


def archived_filter(count: int) -> None:
    """The switch in the filters' popover."""
    if count:
        st.toggle(plain(f"Archived runs ({count})"), key=ARCHIVED, bind="query-params")
