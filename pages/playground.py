"""Playground: draw, and see what a network sees, what it answers, and what each layer does."""

import streamlit as st

from mnist_core.data.handwriting import Handwriting
from mnist_core.evaluation.ensemble import rank
from mnist_core.runs.about import without_archived
from pages.components.playground import markup
from pages.components.playground.choice import choose_dataset, choose_run, follow_link
from pages.components.playground.contents import Choices, contents
from pages.components.playground.digits import parts as digits
from pages.components.playground.digits import sets
from pages.components.playground.input import DRAW, SOURCES, clear_problem, follow_test_link
from pages.components.shared.common import (
    all_runs,
    enter_through_app,
    page_title,
    show_kept_error,
)


def choose_source() -> str:
    source = st.segmented_control(
        "Your input",
        SOURCES,
        default=DRAW,
        key="play_way",
        required=True,
        bind="query-params",
        persist_state="session",
        on_change=forget_test,
        label_visibility="collapsed",
        help="A drawing, one that is answered while the pen moves, a picture file or photograph, "
        "or an image of the test set.",
    )
    return source or DRAW


def forget_test() -> None:
    """The address bar names a test image only while one is shown."""
    clear_problem()
    st.session_state["play_test_shown"] = None
    st.query_params.pop("play_test", None)


enter_through_app()
page_title("Playground")
store, found = all_runs()
usable = without_archived([run for run in found if run.has_weights])
ready = {run.id: run for run in sorted(usable, key=rank)}
st.html(markup.STYLE)
if not ready:
    st.info("No network has been trained yet.", icon=":material/school:")
    st.page_link("pages/train.py", label="Train one", icon=":material/tune:")
    st.stop()
follow_test_link()
follow_link(ready)
group = sets.open_set()
with st.container(horizontal=True, vertical_alignment="center", gap="small"):
    source = DRAW if sets.projected(group) else choose_source()
    st.html("<span class='play-label'>Network</span>", width="content")
    place = st.container(width="stretch")
    dataset = choose_dataset(ready)
with place:
    run = choose_run(ready, dataset)
chosen = Choices.of(source, run, list(ready.values()), group)
if group:
    sets.bar(group, Handwriting(store.root, dataset, group.key))
if group and sets.projected(group):
    show_kept_error()  # else `contents` does: what is shown here, strokes do not remove
    digits.wall(group, dataset, chosen.in_its_place, chosen.every)
else:
    contents(chosen)
