"""All of the Playground below its choices. A stroke runs this again, and nothing above it."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from mnist_core.data.drawing_sets import DrawingSet
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.formatting import plain as escaped
from mnist_core.imaging import preprocess
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from pages.components.playground import markup, several
from pages.components.playground.adversarial import adversarial
from pages.components.playground.answer import show_answer, show_nothing
from pages.components.playground.digits import parts as digits
from pages.components.playground.digits import sets
from pages.components.playground.input import DRAW, LIVE, Input, nothing, read_input
from pages.components.playground.live.component import network_data
from pages.components.playground.move import move
from pages.components.playground.nearest import show_nearest
from pages.components.playground.networks import networks, votes_of
from pages.components.playground.plain import plain
from pages.components.playground.prepared import prepared, skips_centring
from pages.components.playground.strip import strip
from pages.components.playground.suggestion import suggest
from pages.components.playground.votes import show_votes
from pages.components.playground.why import why
from pages.components.shared.common import show_errors, show_kept_error
from pages.components.shared.memory import settle
from pages.components.shared.watch import remember_image
from pages.components.shared.watch_choice import watch_part

PREPARED = "How it was prepared"


@dataclass(frozen=True, eq=False)
class Choices:
    """What is chosen above: the input, the network, and the set of drawings that is open, if any.

    `every`: all runs with weights; `voters`: the best of each network trained on this data set.
    Both are as they were when the whole page ran last: a stroke notices no run that has been
    deleted or finished since.
    """

    source: str
    run: Run
    every: list[Run]
    voters: list[Run]
    group: DrawingSet | None
    held: tuple[Any, ...]  # what the controls held when they were read

    @classmethod
    def of(cls, source: str, run: Run, every: list[Run], group: DrawingSet | None) -> "Choices":
        """What was chosen, with the networks that vote and what the controls hold now."""
        voters = best_of_each(every, run.config.dataset)
        return cls(source, run, every, voters, group, held_by_controls(run.config.dataset))

    @property
    def in_its_place(self) -> list[Run]:
        """The best run of each network, but for the chosen one, which stands for its own."""
        own = network_of(self.run.config)
        return [self.run, *(each for each in self.voters if network_of(each.config) != own)]


def held_by_controls(dataset: str) -> tuple[Any, ...]:
    """What the controls above hold: the input, the data set, its network and the open set.

    None for each that the page has not shown yet.
    """
    names = ("play_way", "play_data", f"play_run_{dataset}", sets.OPEN)
    return tuple(st.session_state.get(name) for name in names)


@st.fragment
@show_errors
def contents(chosen: Choices) -> None:
    """Input, answer, network and tabs."""
    run, source = chosen.run, chosen.source
    settle()
    if held_by_controls(run.config.dataset) != chosen.held:
        st.rerun()  # a button below has chosen something above
    told = st.container()
    with told:
        show_kept_error()
    if source == LIVE and not can_be_live(run, told):
        source = DRAW
    left, middle, right = places(source == LIVE)
    with left:
        own = read_input(source, run)
        if chosen.group:
            digits.under_the_canvas(chosen.group, own, run.config.dataset)
    if st.session_state.get("play_lost"):
        told.warning(escaped(st.session_state["play_lost"]), icon=":material/link_off:")
    one = own
    if own and skips_centring():
        one = replace(own, stages=preprocess.without_normalising(own.stages))
    elif own:
        with middle:
            one = own = several.one_digit(run, own)
    label = None
    if one:
        label = answer(chosen, one, middle, right)
    else:
        with middle:
            show_nothing(nothing(source))
    middle.html(markup.note(escape(dataset_spec(run.config.dataset).expects)))
    if chosen.group:
        digits.group(chosen.group, run.config.dataset, chosen.in_its_place, chosen.every)
    show_inside(run, one, source == LIVE)
    if source in (DRAW, LIVE):
        with right:
            suggest(chosen.in_its_place, run.config.dataset, one, label)
    nearest = right.container()  # not under the answer, where it would push the network down
    if one and own and label is not None:
        remember_image(run.config.dataset, one.stages.final)
        sections(chosen, one, label, own)
        with nearest:
            show_nearest(run, one)


def can_be_live(run: Run, told: DeltaGenerator) -> bool:
    """Whether the browser can compute this network; says why where it cannot."""
    try:
        network_data(run)
    except LabError as error:
        words = f"{error} Live answers for small chains such as LeNet-5; here is the usual canvas."
        told.info(escaped(words), icon=":material/bolt:")
        return False
    return True


def places(live: bool) -> tuple[DeltaGenerator, DeltaGenerator, DeltaGenerator]:
    """For the input, the answer and all networks' answers; the Live canvas is above the others."""
    above = st.container() if live else None
    with st.container(horizontal=True, gap="medium"):
        left = above or st.container(width=320)
        middle = st.container(width="stretch", key="play_answer")
        right = st.container(width=250, key="play_votes")
    return left, middle, right


def answer(
    chosen: Choices, one: Input, middle: DeltaGenerator, right: DeltaGenerator
) -> int | None:
    """The chosen network's answer, and beside it all others'. The label; None without network."""
    run, voters = chosen.run, chosen.voters
    ids = [voter.id for voter in voters]
    able, reasons = networks(voters if run.id in ids else [*voters, run])
    said, unlike = votes_of(able, one.stages.final)
    votes = {vote.run.id: vote for vote in said}
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


def show_inside(run: Run, one: Input | None, live: bool) -> None:
    """The network; beside the Live canvas, which shows its maps itself, only where asked for."""
    if not live:
        return show_network(run, one)
    units = st.expander("Unit by unit", on_change="rerun", key="play_units")
    if units.open:
        with units:
            show_network(run, one)


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


def sections(chosen: Choices, one: Input, label: int, own: Input) -> None:
    """What lies below the network; only the open one is computed. `own` is always centred."""
    image, run, every = one.stages.final, chosen.run, chosen.every
    names: dict[str, Callable[[], None]] = {
        "Why": lambda: why(run, image, label),
        "Fool it": lambda: adversarial(run, image),
        "Move it": lambda: move(chosen.in_its_place, chosen.voters, image, run.config.dataset),
        "Watch it learn": lambda: st.fragment(watch_part)(run.config, every, image, "play"),
        "My digits": lambda: digits.tab(own, chosen.in_its_place, every),
        PREPARED: lambda: prepared(one.stages),
    }
    if chosen.group:  # a group's drawings are above
        del names["My digits"]
    # The open one is computed after every stroke: it begins with the one that costs least.
    tabs = st.tabs(
        list(names), default=PREPARED, key="play_tab", on_change="rerun", bind="query-params"
    )
    for tab, show in zip(tabs, names.values(), strict=True):
        if tab.open:
            with tab:
                show()
