"""The other runs in progress; nothing where there are none."""

import streamlit as st

from mnist_core.analysis.describe import full_name
from mnist_core.config import RunConfig
from mnist_core.formatting import percent
from mnist_core.jobs.queue import ids as waiting_ids
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import AUTOMATIC, RunStore
from pages.components.shared import common
from pages.components.shared.visitor import actions, may_change
from pages.components.train.controls import show
from pages.components.train.progress import in_progress
from pages.components.train.status import halt

MOST_AT_ONCE = 8
MOST_SHOWN = 10


def others_live(config: RunConfig, runs: list[Run]) -> list[Run]:
    """The runs in progress but the one that is shown."""
    return [run for run in runs if run.state in LIVE and run.id != config.id]


def others(store: RunStore, config: RunConfig, runs: list[Run]) -> None:
    """What else is in progress, in one line that opens to a list of the first of them."""
    live = others_live(config, runs)
    if not live:
        return
    working = [run for run in live if run.state == RunState.RUNNING]
    share = sum(in_progress(run, run.folder.progress())[0] for run in working) / len(live)
    number = "1 other run" if len(live) == 1 else f"{len(live)} other runs"
    label = f"{number} in progress · {share:.0%} done"
    with st.expander(label, icon=":material/hourglass_top:", key="train_queue"):
        for run in in_order(store, live)[:MOST_SHOWN]:
            row(store, run, *in_progress(run, run.folder.progress()))
        if len(live) > MOST_SHOWN:
            st.caption(f"{len(live) - MOST_SHOWN} more wait behind these.")
        if may_change() and actions(store).visitor.trusted:
            at_once(store)


def in_order(store: RunStore, live: list[Run]) -> list[Run]:
    """The visitor's own runs first; of each, those that train, then as they are in the queue."""
    mine = actions(store).may_control
    places = {run_id: place for place, run_id in enumerate(waiting_ids(store))}
    return sorted(live, key=lambda run: (not mine(run), places.get(run.id, -1)))


def row(store: RunStore, run: Run, share: float, words: str) -> None:
    """One run: its name shows it, and it can be paused and stopped."""
    with st.container(horizontal=True, vertical_alignment="center", border=True):
        best = run.summary.validation_accuracy
        reached = f" · {percent(best, 1)}" if best is not None else ""
        if st.button(
            full_name(run.config), type="tertiary", key=f"show_{run.id}", help="Show this run"
        ):
            show(run.config)
            st.rerun()
        st.progress(share, f"{words}{reached}", width="stretch")
        if not may_change() or not actions(store).may_control(run):
            return
        for label in ("Pause", "Stop"):
            icon = f":material/{label.lower()}:"
            if st.button(label, icon=icon, key=f"{label.lower()}_{run.id}"):
                halt(label, store, run)


def at_once(store: RunStore) -> None:
    """The setting: how many runs train at the same time."""
    common.show_kept_error()
    key = "train_at_once"
    st.session_state[key] = min(store.at_once(), MOST_AT_ONCE)  # another tab may have changed it
    st.selectbox(
        "Runs trained at the same time",
        range(AUTOMATIC, MOST_AT_ONCE + 1),
        key=key,
        width=220,
        format_func=lambda number: str(number) if number != AUTOMATIC else "automatic",
        on_change=common.error_shown_later(
            lambda: actions(store).set_at_once(st.session_state[key])
        ),
        help="Further runs wait in the queue. Automatic: one run alone uses all cores; when "
        "several wait, each trains on one core, which is faster than one after the other.",
    )
