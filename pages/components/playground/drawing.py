"""The playground's canvas and its tools."""

from __future__ import annotations

import base64
import io

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core.imaging import sample_drawings
from mnist_core.imaging.tiles import png
from pages.components.playground import keep

SIDE = 280  # of the canvas, in pixels
FAINT = 5  # the example behind the ink has a fifth of its brightness
PEN = 20


@st.cache_data
def example(dataset: str) -> np.ndarray:
    """The data set's built-in drawing, (SIDE, SIDE, 4) uint8 RGBA."""
    return sample_drawings.draw(sample_drawings.example_for(dataset), SIDE)


@st.cache_data
def backdrop(dataset: str | None) -> bytes:
    """What lies behind the ink: black, with the data set's example faintly on it."""
    ink = example(dataset)[..., 3] if dataset else np.zeros((SIDE, SIDE), np.uint8)
    return png(ink // FAINT)


def drawing(dataset: str) -> np.ndarray | None:
    """The canvas and its tools; what is drawn, (SIDE, SIDE, 4) uint8 RGBA, or None.

    The drawing outlives a visit to another page, and a refresh. The ink is white and the canvas
    transparent: what lies behind it does not come back with the ink.
    """
    from streamlit_drawable_canvas import st_canvas

    state = st.session_state
    keep.take_up()
    key = f"play_canvas_{state.setdefault('play_cleared', 0)}"
    if key not in state:  # a new canvas on the page: put back what was drawn
        state["play_start"] = state.get("play_drawing")
    elif state[key].drawing["data"]:
        state["play_drawing"] = state[key].drawing["raw"]
        state["play_data_url"] = state[key].drawing["data"]
    keep.keep()
    st_canvas(
        stroke_width=state.get("play_pen", PEN),
        stroke_color="#ffffff",
        background_image=backdrop(None if strokes() else dataset),
        width=SIDE,
        height=SIDE,
        initial_drawing=state.get("play_start"),
        return_image_data=True,
        key=key,
    )
    _tools()
    return _pixels(state.get("play_data_url"))


def _tools() -> None:
    with st.container(horizontal=True, gap="small"):
        st.button("Undo stroke", icon=":material/undo:", on_click=undo, disabled=not strokes())
        st.button("Clear", icon=":material/delete:", on_click=clear, disabled=not strokes())
    st.slider(
        "Pen",
        min_value=6,
        max_value=40,
        value=PEN,
        format="%d px",
        key="play_pen",
        persist_state="session",
        help="Width of the pen; the canvas is 280 pixels wide.",
    )


def _pixels(data_url: str | None) -> np.ndarray | None:
    """The picture that the browser sent: a PNG of the canvas. Anything else is no drawing."""
    if not data_url or not strokes():
        return None
    try:
        content = base64.b64decode(data_url.split(",", 1)[-1])
        image = Image.open(io.BytesIO(content), formats=["PNG"])
        right = image.size == (SIDE, SIDE)  # known before it is decoded
        return np.asarray(image.convert("RGBA")) if right else None
    except Exception:  # it is not the canvas that sent this
        return None


def strokes() -> list[dict]:
    """What is on the canvas, as the canvas component describes it."""
    return (st.session_state.get("play_drawing") or {}).get("objects", [])


def clear() -> None:
    """An empty canvas: another key is another canvas."""
    st.session_state["play_cleared"] += 1
    st.session_state.pop("play_data_url", None)
    st.session_state.pop("play_drawing", None)


def undo() -> None:
    """Takes the last stroke back. The canvas draws itself anew when its start changes."""
    kept = strokes()[:-1]
    if not kept:
        return clear()
    turn = (st.session_state["play_start"] or {}).get("turn", 0) + 1
    st.session_state["play_start"] = {"objects": kept, "turn": turn}
