"""Playground: draw, and see what a network sees, what it answers, and what each layer does."""

from collections.abc import Callable
from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.data.handwriting import Handwriting
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import best_of_each, rank, vote
from mnist_core.formatting import plain as escaped
from mnist_core.imaging import preprocess
from mnist_core.models import network_of
from mnist_core.runs.about import without_archived
from mnist_core.runs.run import Run
from pages.components.playground import markup, several
from pages.components.playground.adversarial import adversarial
from pages.components.playground.answer import show_answer, show_nothing
from pages.components.playground.choice import choose_dataset, choose_run, follow_link
from pages.components.playground.digits import parts as digits
from pages.components.playground.digits import sets
from pages.components.playground.input import (
    DRAW,
    LIVE,
    SOURCES,
    Input,
    clear_problem,
    follow_test_link,
    nothing,
    read_input,
)
from pages.components.playground.live.component import network_data
from pages.components.playground.move import move
from pages.components.playground.nearest import show_nearest
from pages.components.playground.networks import networks, novelties
from pages.components.playground.plain import plain
from pages.components.playground.prepared import prepared, skips_centring
from pages.components.playground.strip import strip
from pages.components.playground.suggestion import suggest
from pages.components.playground.votes import show_votes
from pages.components.playground.why import why
from pages.components.shared.common import (
    all_runs,
    enter_through_app,
    page_title,
    show_kept_error,
)
from pages.components.shared.watch import remember_image
from pages.components.shared.watch_choice import watch_part

PREPARED = "How it was prepared"


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


def places(live: bool) -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """For the input, the answer and all networks' answers; the Live canvas is above the others."""
    above = st.container() if live else None
    with st.container(horizontal=True, gap="medium"):
        left = above or st.container(width=320)
        middle = st.container(width="stretch", key="play_answer")
        right = st.container(width=250, key="play_votes")
    return left, middle, right


def can_be_live(run: Run) -> bool:
    """Whether the browser can compute this network; says why where it cannot."""
    try:
        network_data(run)
    except LabError as error:
        words = f"{error} Live answers for small chains such as LeNet-5; here is the usual canvas."
        told.info(escaped(words), icon=":material/bolt:")
        return False
    return True


def answer(
    run: Run, voters: list[Run], one: Input, middle: DeltaGenerator, right: DeltaGenerator
) -> int | None:
    """The chosen network's answer, and beside it all others'. The label; None without network."""
    ids = [voter.id for voter in voters]
    able, reasons = networks(voters if run.id in ids else [*voters, run])
    votes = {each.run.id: each for each in vote(able, one.stages.final)}
    unlike = novelties(able, one.stages.final)
    own = votes.get(run.id)
    with middle:
        if own:
            show_answer(one, own, unlike.get(run.id))
        else:
            st.error(escaped(reasons[run.id]), icon=":material/error:")
    counted = [votes[run_id] for run_id in ids if run_id in votes]
    if counted:
        with right:
            beside = None if run.id in ids else own
            show_votes(counted, reasons, run, voters, beside, unlike)
    return own.label if own else None


def before_the_last_stroke(one: Input | None) -> np.ndarray | None:
    """The drawing as it was before it last changed; None where there was none, or several digits:
    another one that is looked at is no stroke."""
    state = st.session_state
    if one is None or one.kind != "drawing" or several.KEY in state:
        state["play_latest"] = state["play_before"] = None
        return None
    image, latest = one.stages.final, state.get("play_latest")
    if latest is None or not np.array_equal(latest, image):
        state["play_before"], state["play_latest"] = latest, image
    before: np.ndarray | None = state["play_before"]
    return before


def show_network(run: Run, one: Input | None) -> None:
    """The network from left to right; as plain pictures where that is asked for."""
    image, before = one.stages.final if one else None, before_the_last_stroke(one)
    if st.session_state.get("play_plain") and image is not None:
        plain(run, image)
    else:
        strip(run, image, before)
    st.toggle(
        "Plain pictures",
        key="play_plain",
        bind="query-params",
        help="The same maps as pictures without interaction, and one unit by its numbers.",
    )


def in_its_place(run: Run, voters: list[Run]) -> list[Run]:
    """The best run of each network, but for the chosen one, which stands for its own."""
    return [run, *(voter for voter in voters if network_of(voter.config) != network_of(run.config))]


def sections(
    run: Run, every: list[Run], voters: list[Run], one: Input, label: int, own: Input
) -> None:
    """What lies below the network; only the open one is computed. `own` is always centred."""
    image = one.stages.final
    runs = in_its_place(run, voters)
    names: dict[str, Callable[[], None]] = {
        "Why": lambda: why(run, image, label),
        "Fool it": lambda: adversarial(run, image),
        "Move it": lambda: move(runs, image, run.config.dataset),
        "Watch it learn": lambda: st.fragment(watch_part)(run.config, every, image, "play"),
        "My digits": lambda: digits.tab(own, runs, every),
        PREPARED: lambda: prepared(one.stages),
    }
    if st.session_state.get(sets.OPEN):  # a group's drawings are above
        del names["My digits"]
    # The open one is computed after every stroke: it begins with the one that costs least.
    tabs = st.tabs(
        list(names), default=PREPARED, key="play_tab", on_change="rerun", bind="query-params"
    )
    for tab, show in zip(tabs, names.values(), strict=True):
        if tab.open:
            with tab:
                show()


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
told = st.container()
voters = best_of_each(ready.values(), run.config.dataset)
show_kept_error()
if group:
    sets.bar(group, Handwriting(store.root, dataset, group.key))
    if sets.projected(group):
        digits.wall(group, dataset, in_its_place(run, voters), list(ready.values()))
        st.stop()

if source == LIVE and not can_be_live(run):
    source = DRAW
left, middle, right = places(source == LIVE)
with left:
    own = read_input(source, run)
    if group:
        digits.under_the_canvas(group, own, dataset)
one = own
if own and skips_centring():
    one = replace(own, stages=preprocess.without_normalising(own.stages))
elif own:
    with middle:
        one = own = several.one_digit(run, own)
if st.session_state.get("play_lost"):
    told.warning(escaped(st.session_state["play_lost"]), icon=":material/link_off:")
label = None
if one:
    label = answer(run, voters, one, middle, right)
else:
    with middle:
        show_nothing(nothing(source))
middle.html(markup.note(escape(dataset_spec(run.config.dataset).expects)))
if group:
    digits.group(group, dataset, in_its_place(run, voters), list(ready.values()))
if source == LIVE:
    units = st.expander("Unit by unit", on_change="rerun", key="play_units")
    if units.open:
        with units:
            show_network(run, one)
else:
    show_network(run, one)
if source in (DRAW, LIVE):
    with right:
        suggest(in_its_place(run, voters), dataset, one, label)
nearest = right.container()  # not under the answer, where it would push the network down
if one and own and label is not None:
    remember_image(run.config.dataset, one.stages.final)
    sections(run, list(ready.values()), voters, one, label, own)
    with nearest:
        show_nearest(run, one)
