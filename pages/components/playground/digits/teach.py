"""Teaching the chosen network this handwriting: fine-tuning, and what it has brought."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

import numpy as np
import streamlit as st

from mnist_core.analysis.fine_tuned import Outcome, outcome, outcomes, parent_words
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.idx import missing_files
from mnist_core.data.tuning_set import (
    EVERYBODY,
    SET,
    Source,
    TuningSet,
    lacking,
    tuning_set,
)
from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.formatting import counted, duration, number, plain
from mnist_core.jobs.fine_tune import plan, plan_next
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import RunStore
from mnist_core.tuning import PARTS
from pages.components.playground import markup
from pages.components.playground.digits.outcome import show_outcome
from pages.components.playground.digits.reading import Drawn
from pages.components.shared.cache import cached
from pages.components.shared.common import attempt
from pages.components.shared.terms import see
from pages.components.shared.visitor import actions, may_change

PART = "play_teach_part"
PERIOD = 1.0  # seconds between two looks at a run in progress
SMALLER = (
    "With a larger learning rate, fine-tuning on these drawings failed: the loss was no longer "
    "finite. This time it begins with {}."
)
HELP = (
    "The last layer only gives new weights to what the network already sees. All layers can also "
    "learn to see something new, such as a bar through a 7."
)


def source(own: Handwriting) -> Source:
    """Where the drawings on this page come from."""
    return Source(SET, own.set_key) if own.set_key else Source(EVERYBODY)


@cached(lambda _, shown: (shown.folder, shown.version), most=8)
def _drawings(own: Handwriting, shown: Drawn) -> TuningSet:
    return tuning_set(own.dataset, source(own), shown.samples, shown.images)


def teach(own: Handwriting, shown: Drawn, run: Run, every: Sequence[Run]) -> None:
    """Fine-tunes the chosen network on the drawings; then shows how it read them before, and how
    it reads them now."""
    parent = _parent(run, every)
    if parent is None:
        st.html(markup.note("The network that this one was fine-tuned from is not here any more."))
        return
    if parent.state != RunState.DONE:
        st.html(markup.note(_not_yet(parent)))
        return
    store, drawings = RunStore(), _drawings(own, shown)
    here = not missing_files(own.dataset, data_root())
    if reason := lacking(store.root, drawings, guarded=here):
        st.info(plain(f"{reason[:1].upper()}{reason[1:]}."), icon=":material/draw:")
        return
    part = _choose_part(here)
    config = plan_next(store, parent, drawings, part)
    made = store.find_folder(config)
    if made is None or not (made.finished or made.state in LIVE):
        if config != plan(store, parent, drawings, part) and config.tuned:
            st.markdown(SMALLER.format(number(config.tuned.lr)))
        _begin(parent, drawings, part, made)
    elif made.state in LIVE:
        st.fragment(_watch, run_every=PERIOD)(made.id)
    found = outcome(made) if made else None
    latest = found or next(iter(outcomes(every, parent, source(own))), None)
    if made and made.finished and found is None:
        st.error(plain(made.summary.note or "Its files are damaged; delete it and try again."))
    if latest:
        show_outcome(latest, shown, is_latest=latest is found)


def _parent(run: Run, every: Sequence[Run]) -> Run | None:
    """The run that is fine-tuned: the chosen one, or the one that this was fine-tuned from."""
    if not run.config.tuning:
        return run
    return next((each for each in every if each.id == run.config.parent.id), None)


def _not_yet(parent: Run) -> str:
    if parent.state in LIVE:
        return "This network is still training. It can be taught when it is done."
    return "This network was not trained to its end, so it cannot be taught."


def _choose_part(all_can_learn: bool) -> str:
    """What learns, "last" or "all"."""
    if not all_can_learn:
        return "last"
    chosen = st.segmented_control(
        "What learns",
        list(PARTS),
        format_func=lambda name: PARTS[name].capitalize(),
        default="all",
        required=True,
        key=PART,
        help=HELP,
    )
    return chosen or "all"


def _begin(parent: Run, drawings: TuningSet, part: str, made: Run | None) -> None:
    """What will happen, and the button for it."""
    if not may_change():
        st.html(markup.note("Nobody has taught this network these drawings yet."))
        return
    words = (
        f"**{plain(parent_words(parent))}** learns {counted(len(drawings), 'drawing')}, as a new "
        "run: in seconds, or in minutes if it is large. The network itself stays as it is."
    )
    if not missing_files(drawings.dataset, data_root()):
        words += f" Images of {drawings.dataset} are mixed in, so that it does not forget them."
    st.markdown(words)
    if made and made.summary.note:
        st.error(plain(made.summary.note), icon=":material/error:")
    if st.button(
        "Teach it your handwriting",
        icon=":material/school:",
        type="primary",
        key="play_teach",
        help="Fine-tunes the network on these drawings." + see("fine-tuning"),
    ):
        attempt(lambda: actions(RunStore()).fine_tune(parent, drawings, part))


def _watch(run_id: str) -> None:
    """How far a run in progress is; the page is run again when it has ended."""
    store = RunStore()
    with suppress(LabError):
        run = store.get(run_id)
        if run.state in LIVE:
            _progress(run)
            return
    st.rerun()


def _progress(run: Run) -> None:
    share, words = _how_far(run)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.progress(share, words, width="stretch")
        act = actions(RunStore())
        if (
            may_change()
            and act.may_control(run)
            and st.button("Stop", icon=":material/stop:", key="play_teach_stop")
        ):
            attempt(lambda: act.stop(run.id))


def _how_far(run: Run) -> tuple[float, str]:
    """The share that is done, and in words."""
    at = run.folder.progress()
    if at.get("phase") != "training":
        phase = at.get("phase", "starting")
        return (1.0, "reading the test images …") if phase == "testing" else (0.0, f"{phase} …")
    number, of = at["epoch"], at.get("epochs", 1)
    share = min(1.0, (number - 1 + at["step"] / at["steps"]) / of)
    what = "learning all drawings" if number == of else f"leaving out part {number} of {of - 1}"
    return share, f"{what} · {duration(at['seconds_left'])} left"


def not_learned(able: Sequence[Network], said: np.ndarray, shown: Drawn) -> np.ndarray:
    """(networks, N) answers, of which those of a fine-tuned network to drawings that it learned,
    wherever it had them from, are replaced by answers of networks that had not learned them."""
    honest = said.copy()
    for row, network in zip(honest, able, strict=True):
        if found := _outcome(network.run):
            known = found.unlearned
            for place, each in enumerate(shown.hashes):
                row[place] = known.get(each, row[place])
    return honest


@cached(lambda run: (str(run.path), run.summary.weights_sha256))
def _outcome(run: Run) -> Outcome | None:
    return outcome(run)
