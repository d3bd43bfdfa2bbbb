"""Drawing on the Live canvas; what is drawn is the same drawing as on the canvas of Draw."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.formatting import plain
from mnist_core.runs.run import Run
from pages.components.playground import canvas
from pages.components.playground.live.accuracy import accuracy
from pages.components.playground.live.component import component, example_data, sent
from pages.components.playground.prepared import skips_centring

KEY = "play_live"
KNOWN = "play_live_known"  # the run whose network the browser has, as it says itself
ASKED = "play_live_asked"  # what to measure the accuracy of, as the browser sent it


def live_drawing(run: Run) -> np.ndarray | None:
    """The Live canvas; what is drawn, (SIDE, SIDE, 4) uint8 RGBA, or None.

    Raises InputError for a network that the browser cannot compute.
    """
    state, dataset = st.session_state, run.config.dataset
    canvas.restore()
    if KEY not in state:  # a new canvas on the page: put back what was drawn
        canvas.start(canvas.strokes())
        for name in ("play_live_given", KNOWN, ASKED):
            state[name] = None
    _receive(getattr(state.get(KEY), "drawing", None))
    if canvas.strokes():
        state["play_touched"] = True
    canvas.keep()
    component(
        data={
            "network": sent(run, state[KNOWN] == run.id),
            "start": state["play_start"],
            "prepare": {"fill": dataset_spec(dataset).filled, "centred": not skips_centring()},
            "accuracy": accuracy(run, state[ASKED]),
            **example_data(dataset, canvas.untouched()),
        },
        key=KEY,
        on_drawing_change=lambda: None,
        on_measure_change=_asked,
        on_missing_change=_missing,
    )
    if state.get("play_refused"):
        st.warning(plain(state["play_refused"]), icon=":material/gesture:")
    return canvas.pixels()


def _receive(given: Any) -> None:
    """Takes over the drawing that the browser sent, or says why not."""
    state = st.session_state
    if given is None or given == state.get("play_live_given"):
        return  # every click runs the page again
    try:
        drawing = canvas.checked_drawing(given)
    except InputError as error:
        state["play_refused"] = str(error)
        return
    state["play_live_given"], state["play_refused"], state["play_touched"] = given, None, True
    state["play_drawing"] = drawing if drawing and drawing["raw"]["objects"] else None
    _note_network(given)


def _note_network(given: Any) -> None:
    """The browser says with each message whose network it has."""
    if isinstance(given, Mapping):
        st.session_state[KNOWN] = given.get("network")


def _asked() -> None:
    st.session_state[ASKED] = getattr(st.session_state[KEY], "measure", None)
    _note_network(st.session_state[ASKED])


def _missing() -> None:
    st.session_state[KNOWN] = None
