"""Saving a drawing with what it is: a button for each class."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core.data.handwriting import Handwriting
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.formatting import plain
from mnist_core.imaging.preprocess import INK
from mnist_core.runs.store import RunStore
from pages.components.playground import canvas
from pages.components.playground.digits.sets import TAG
from pages.components.playground.input import Input
from pages.components.shared.visitor import actions

SAVED = "play_saved"  # in the session: what to say once, as Markdown


def picture_of(one: Input | None) -> np.ndarray | None:
    """The ink that would be saved; None where nothing is the visitor's own."""
    if one is None or one.kind not in ("drawing", "picture"):
        return None
    return one.stages[INK].image if one.kind == "drawing" else one.stages.final


def buttons(own: Handwriting, picture: np.ndarray | None, *, in_set: bool = False) -> None:
    """A button for each class. In a set, the canvas is empty afterwards, for the next one."""
    classes = dataset_spec(own.dataset).classes
    short = in_set and max(map(len, classes)) == 1  # five of them in a row below the canvas
    if in_set:
        st.markdown(
            "**What did you draw?**" if picture is not None else "Draw, then say what it is."
        )
    with st.container(horizontal=True, vertical_alignment="center", gap="xsmall", key="play_this"):
        if not in_set:
            st.markdown("This is", width="content")
        for label, name in enumerate(classes):
            st.button(
                name,
                width=54 if short else "content",
                key=f"play_this_is_{label}",
                disabled=picture is None,
                on_click=_add,
                args=(own, picture, label, in_set),
                help="Saves the drawing with this label.",
            )


def _add(own: Handwriting, picture: np.ndarray, label: int, in_set: bool) -> None:
    tag = str(st.session_state.get(TAG) or "") if in_set else ""
    try:
        actions(RunStore()).save_drawing(own, picture, label, tag)
    except LabError as error:
        st.session_state[SAVED] = f":red-badge[Not saved] {plain(error)}"
        return
    name = dataset_spec(own.dataset).classes[label]
    st.session_state[SAVED] = f":green-badge[Saved] as {name}."
    if in_set:
        st.session_state[SAVED] += " Draw the next one."
        canvas.clear()
        canvas.start([])


def tell() -> None:
    """What came of the last click, once."""
    told = st.session_state.pop(SAVED, None)
    if told:
        st.markdown(told)
