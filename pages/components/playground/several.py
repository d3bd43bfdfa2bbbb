"""Several digits in one picture: all of them are read, and the page is about the chosen one."""

from dataclasses import replace
from html import escape

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.imaging.digits import Digit, digits_of, in_words
from mnist_core.inspection.novelty import known
from mnist_core.runs.run import Run
from pages.components.playground.input import Input
from pages.components.playground.networks import network, novelties, score_of

KEY = "play_digit"


def one_digit(run: Run, given: Input) -> Input:
    """What the page is about: the picture, or the digit that is chosen where there are several."""
    own = given.kind in ("drawing", "picture") and dataset_spec(given.dataset).one_character
    digits = _digits(run, given) if own else ()
    if len(digits) < 2:
        st.session_state.pop(KEY, None)
        return given
    chosen = _choose(run, digits)
    return replace(given, stages=digits[chosen].stages)


def _digits(run: Run, given: Input) -> tuple[Digit, ...]:
    try:
        return digits_of(given.stages, score_of(run))
    except LabError:  # the measure of novelty belongs to another network
        return digits_of(given.stages)


def _choose(run: Run, digits: tuple[Digit, ...]) -> int:
    """The whole reading, each digit a button. The number of the chosen one."""
    if st.session_state.get(KEY, len(digits)) >= len(digits):
        st.session_state[KEY] = 0
    names, unknown = _names(run, digits), _unknown(run, digits)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        reading = escape(in_words(digits, names))
        st.html(f"<b>{len(digits)} digits: {reading}</b> · look at", width="content")
        chosen = st.segmented_control(
            "Digit to look at",
            range(len(digits)),
            format_func=lambda number: f"{names[number]}{'?' * (number in unknown)}",
            key=KEY,
            required=True,
            label_visibility="collapsed",
            help="From left to right, line by line. Everything below is about the chosen one. "
            "A question mark: unlike any digit that the network learned.",
        )
    return chosen or 0


def _names(run: Run, digits: tuple[Digit, ...]) -> list[str]:
    """What the chosen network reads in each."""
    try:
        labels = network(run).logits(np.stack([digit.image for digit in digits])).argmax(axis=1)
    except LabError:  # the answer says why
        return ["?"] * len(digits)
    return [dataset_spec(run.config.dataset).classes[label] for label in labels]


def _unknown(run: Run, digits: tuple[Digit, ...]) -> set[int]:
    """The numbers of those that are unlike anything that the chosen network learned."""
    try:
        one = [network(run)]
    except LabError:
        return set()
    found = [novelties(one, digit.image).get(run.id, 0.0) for digit in digits]
    return {number for number, novelty in enumerate(found) if not known(novelty)}
