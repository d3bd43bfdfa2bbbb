"""The playground's ways in: a canvas to draw on, or a picture file."""

from __future__ import annotations

import numpy as np
import streamlit as st

from mnist_core import examples, photo, preprocess
from mnist_core.errors import InputError
from mnist_core.explain import png

SIDE = 280  # of the canvas, in pixels
FAINT = 5  # the example behind the ink has a fifth of its brightness
KINDS = ["png", "jpg", "jpeg", "webp", "bmp", "gif", "tif", "tiff"]


@st.cache_data
def example(dataset: str) -> np.ndarray:
    """The data set's built-in drawing, (SIDE, SIDE, 4) uint8 RGBA."""
    return examples.draw(examples.EXAMPLES[dataset], SIDE)


@st.cache_data
def backdrop(dataset: str | None) -> bytes:
    """What lies behind the ink: black, with the data set's example faintly on it."""
    ink = example(dataset)[..., 3] if dataset else np.zeros((SIDE, SIDE), np.uint8)
    return png(ink // FAINT)


def drawing(dataset: str) -> preprocess.Stages | None:
    """The canvas and its tools; None until something is drawn.

    The drawing outlives a visit to another page. The ink is white and the canvas transparent:
    what lies behind it does not come back with the ink.
    """
    from streamlit_drawable_canvas import st_canvas

    state = st.session_state
    key = f"play_canvas_{state.setdefault('play_cleared', 0)}"
    if key not in state:  # a new canvas on the page: put back what was drawn
        state["play_start"] = state.get("play_drawing")
    elif state[key].drawing["data"]:
        state["play_drawing"] = state[key].drawing["raw"]
    canvas = st.container()
    pen = st.slider(
        "Pen",
        min_value=6,
        max_value=40,
        value=20,
        format="%d px",
        key="play_pen",
        persist_state="session",
        help="Width of the pen; the canvas is 280 pixels wide.",
    )
    with canvas:
        result = st_canvas(
            stroke_width=pen,
            stroke_color="#ffffff",
            background_image=backdrop(None if strokes() else dataset),
            width=SIDE,
            height=SIDE,
            initial_drawing=state.get("play_start"),
            return_image_data=True,
            key=key,
        )
    if result.image_data is not None:
        state["play_image"] = result.image_data
    with st.container(horizontal=True):
        st.button("Undo stroke", icon=":material/undo:", on_click=undo, disabled=not strokes())
        st.button("Clear", icon=":material/delete:", on_click=clear, disabled=not strokes())
    image = state.get("play_image")
    return None if image is None else preprocess.from_canvas(image)


def strokes() -> list[dict]:
    """What is on the canvas, as the canvas component describes it."""
    return (st.session_state.get("play_drawing") or {}).get("objects", [])


def clear() -> None:
    """An empty canvas: another key is another canvas."""
    st.session_state["play_cleared"] += 1
    st.session_state.pop("play_image", None)
    st.session_state.pop("play_drawing", None)


def undo() -> None:
    """Takes the last stroke back. The canvas draws itself anew when its start changes."""
    kept = strokes()[:-1]
    if not kept:
        return clear()
    turn = (st.session_state["play_start"] or {}).get("turn", 0) + 1
    st.session_state["play_start"] = {"objects": kept, "turn": turn}


def upload() -> preprocess.Stages | None:
    """A picture file; None until there is one in which something is found."""
    file = st.file_uploader(
        "A picture",
        KINDS,
        key="play_file",
        help="Dark ink on paper, a scan, a screenshot, or a 28×28 image.",
    )
    if file is None:
        return None
    try:
        stages = photo.from_image(file.getvalue())
    except InputError as error:
        st.error(str(error), icon=":material/broken_image:")
        return None
    if stages is None:
        st.warning("Nothing was found in this picture; is there dark ink on light paper?")
    return stages
