"""All drawings of a set, and how every network reads them. In a group's set they come in live."""

from __future__ import annotations

import time
from collections.abc import Sequence

import numpy as np
import streamlit as st

from mnist_core.analysis.describe import distinct_titles
from mnist_core.data.drawing_sets import DrawingSet, find_set
from mnist_core.data.handwriting import Handwriting, people
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.network import Network
from mnist_core.evaluation.scores import score, test_score
from mnist_core.formatting import counted, plain
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from pages.components.playground import markup
from pages.components.playground.digits.accuracy import Row, table
from pages.components.playground.digits.grid import grid
from pages.components.playground.digits.moved import moved
from pages.components.playground.digits.reading import Drawn, answers, drawn
from pages.components.playground.digits.save import SAVED, tell
from pages.components.playground.digits.teach import not_learned, teach
from pages.components.playground.networks import networks
from pages.components.shared.common import show_errors
from pages.components.shared.visitor import actions, may_change

OFTEN, SELDOM = 2.0, 5.0  # seconds between two looks: on the projector, and beside a canvas
LIVE = ' <span style="font-size:.85rem;font-weight:500;color:var(--play-top)">● live</span>'
LESSON = 45 * 60.0  # seconds without a new drawing, after which nobody looks again by itself


def period(one: DrawingSet | None, own: Handwriting, large: bool) -> float | None:
    """How often the drawings are looked at again; None for what nobody is drawing for."""
    if one is None or not one.open:
        return None
    if time.time() - max(own.last_change(), one.begun_at()) > LESSON:
        return None
    return OFTEN if large else SELDOM


def view(
    one: DrawingSet | None, own: Handwriting, runs: list[Run], every: list[Run], large: bool = False
) -> None:
    """The drawings of the set `one`, or everybody's. `runs`: one of each network, the chosen one
    first; `every`: all that have weights."""
    every_so_often = period(one, own, large)

    def look() -> None:
        if one is not None and _has_changed(one, own, large, every_so_often):
            st.rerun()  # it was closed or renamed, for instance
        show(one, own, runs, every, large, every_so_often is not None)
        if one is not None and one.open and every_so_often is None:
            st.button(
                "Look again",
                icon=":material/refresh:",
                key="play_look_again",
                help="Nobody has drawn for a while, so new drawings do not appear by themselves.",
            )

    st.fragment(show_errors(look), run_every=every_so_often)()


def _has_changed(one: DrawingSet, own: Handwriting, large: bool, before: float | None) -> bool:
    try:
        now = find_set(RunStore().root, one.key)
    except NotFound:
        return True
    return now != one or period(now, own, large) != before


def show(
    one: DrawingSet | None,
    own: Handwriting,
    runs: list[Run],
    every: list[Run],
    large: bool,
    live: bool,
) -> None:
    """Their number, all of them, and the networks' accuracies: beside the drawings where they are
    large, below them elsewhere."""
    tell()
    shown = drawn(own)
    if not shown.samples:
        if not shown.unreadable:
            st.html(markup.note(nothing(one)))
        return tell_unreadable(own, shown.unreadable)
    able, _ = networks(runs)
    said = not_learned(able, answers(able, shown), shown)
    heading(one, shown, large, live)
    with st.container(horizontal=large, gap="large"):
        with st.container(width="stretch", key="play_digits_all"):
            drawings(own, shown, able, said, large)
        with st.container(width=470 if large else "stretch"):
            compare([each.run for each in able], said == shown.labels, runs[0])
    after = st.expander(
        "After training on images that are turned and shifted",
        key="play_digits_moved",
        on_change="rerun",
    )
    if after.open:
        with after:
            moved(shown, runs[0], every)
    learn = st.expander("Teach it your handwriting", key="play_digits_teach", on_change="rerun")
    if learn.open:
        with learn:
            teach(own, shown, runs[0], every)
    tell_unreadable(own, shown.unreadable)


def drawings(
    own: Handwriting, shown: Drawn, able: Sequence[Network], said: np.ndarray, large: bool
) -> None:
    """The grid, in which visitors can remove their own, and whoever began the set any."""
    act = actions(RunStore())
    mine = [each.file for each in act.removable(own, shown.samples)] if may_change() else []
    titles = distinct_titles(each.run for each in able)
    classes = dataset_spec(own.dataset).classes
    grid(shown, said, titles, classes, mine, lambda file: _remove(own, [file]), large)


def heading(one: DrawingSet | None, shown: Drawn, large: bool, live: bool) -> None:
    """Such as "37 drawings, 4 people"; and whether new ones appear by themselves."""
    words = counted(len(shown.samples), "drawing")
    number = people(shown.samples)
    if one is not None or number > 1:
        words += ", 1 person" if number == 1 else f", {number:,} people"
    size = "1.9rem" if large else "1.25rem"
    st.html(
        f'<h2 class="digits-count" style="font-size:{size};font-weight:650;margin:0;padding:0">'
        f"{words}{LIVE * live}</h2>"
    )


def nothing(one: DrawingSet | None) -> str:
    if one is None:
        return "No drawings are saved yet."
    return "No drawings yet: draw one, and say what it is."


def compare(runs: Sequence[Run], right: np.ndarray, chosen: Run) -> None:
    """MNIST beside our drawings, network by network. `right`: (networks, N)."""
    rows = [
        Row(title, test_score(run), score(line), own=run.id == chosen.id)
        for title, run, line in zip(distinct_titles(runs), runs, right, strict=True)
    ]
    rows.sort(key=lambda row: -(row.second.right if row.second else 0))
    st.subheader("How well each network reads them", anchor=False)
    st.markdown(verdict(rows))
    st.html(table((f"{chosen.config.dataset} test set", "these drawings"), rows))


def verdict(rows: Sequence[Row]) -> str:
    """For how many networks the drawings are harder than the test set."""
    both = [(row.first, row.second) for row in rows if row.first and row.second]
    if not both:
        return "None of these networks was tested on the test set."
    harder = sum(ours.interval.high < test.interval.low for test, ours in both)
    if harder:
        return (
            f"**{harder} of {len(both)}** networks read these drawings worse than the test set: "
            "their intervals do not overlap."
        )
    return (
        "No network reads these drawings clearly worse than the test set: the intervals overlap. "
        "They get narrower with more drawings."
    )


def tell_unreadable(own: Handwriting, samples: Sequence) -> None:
    """Drawings whose files are damaged or gone are left out of everything else."""
    if not samples:
        return
    names = ", ".join(sample.file for sample in samples[:3]) + (" …" if samples[3:] else "")
    st.warning(
        f"{counted(len(samples), 'drawing')} cannot be read: {plain(names)}",
        icon=":material/broken_image:",
    )
    act = actions(RunStore())
    if may_change() and len(act.removable(own, samples)) == len(samples):
        st.button(
            "Remove unreadable drawings",
            key="play_remove_unreadable",
            on_click=_remove,
            args=(own, [sample.file for sample in samples]),
        )


def _remove(own: Handwriting, files: list[str]) -> None:
    try:
        actions(RunStore()).remove_drawings(own, files)
        st.session_state[SAVED] = ":green-badge[Removed]"
    except LabError as error:
        st.session_state[SAVED] = f":red-badge[Not removed] {plain(error)}"
