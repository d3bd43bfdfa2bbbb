"""The switch "Train as I move", and what follows from it while the page is looked at."""

import streamlit as st

from mnist_core.config import RunConfig
from mnist_core.jobs import standby
from mnist_core.jobs.follow import MOST, Follower, Moment
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from pages.components.shared import common
from pages.components.shared.visitor import actions, may_change

KEY = "train_as_i_move"
FOLLOWER = "train_follower"
LOOK = 0.5  # seconds between two looks
HELP = (
    f"A setting that is not trained yet begins to train by itself if it takes {MOST:.0f} seconds "
    "or less. Moving on pauses a run that has finished an epoch, and discards one that has not."
)
WORDS = {
    Moment.TOO_LONG: f"Takes longer than {MOST:.0f} s: press Train.",
    Moment.UNKNOWN: "Measuring how long it takes …",
}


def switch() -> bool:
    """Whether settings train by themselves. The address bar says so, too."""
    return may_change() and st.toggle(
        "Train as I move", key=KEY, bind="query-params", persist_state="session", help=HELP
    )


def follow(store: RunStore, config: RunConfig) -> None:
    """Trains what is looked at if the switch is on; looks again until there is nothing to do."""
    state = st.session_state
    if not may_change() or not state.get(KEY):
        if FOLLOWER in state:
            state.pop(FOLLOWER).stop_following(store)
        return
    moment = look(store, config)
    every = LOOK if moment.passes else None
    st.fragment(common.show_errors(look_again), run_every=every)(config)


def look(store: RunStore, config: RunConfig) -> Moment:
    """What happens at this setting; the page shows at once that a run has begun."""
    follower = st.session_state.setdefault(FOLLOWER, Follower())
    moment = actions(store).follow(follower, config)
    if moment is Moment.STARTED:
        st.rerun()
    return moment


def look_again(config: RunConfig) -> None:
    store = RunStore()
    moment = look(store, config)
    prepare(store, config, store.find(config))
    if moment in WORDS:
        st.caption(WORDS[moment])


def prepare(store: RunStore, config: RunConfig, run: Run | None) -> None:
    """Has a process on standby for the next move, but not while a run itself gets ready."""
    getting_ready = run and run.state in LIVE and run.folder.progress().get("phase") != "training"
    if not getting_ready:
        standby.prepare(store, config)
