"""The playground's canvas, its tools, and the drawings that outlive a refresh of their tab.

They are in memory, under a name that only the tab knows.
"""

import base64
import io
import json
import secrets
import threading
import zlib
from collections import OrderedDict
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core.imaging import sample_drawings
from mnist_core.imaging.tiles import png

SIDE = 320  # of the canvas, in pixels
FAINT = 5  # the example behind the ink has a fifth of its brightness
PEN = 23
BUDGET = 32 * 2**20  # bytes of all kept drawings together; the oldest make room
LARGEST = 2**20  # bytes of one drawing, packed


@st.cache_data
def example(dataset: str) -> np.ndarray:
    """The data set's built-in drawing, (SIDE, SIDE, 4) uint8 RGBA."""
    return sample_drawings.draw(sample_drawings.example_for(dataset), SIDE)


@st.cache_data
def backdrop(dataset: str | None) -> bytes:
    """The picture behind the ink: black, with the data set's example faintly on it."""
    ink = example(dataset)[..., 3] if dataset else np.zeros((SIDE, SIDE), np.uint8)
    return png(ink // FAINT)


def drawing(dataset: str) -> np.ndarray | None:
    """The canvas and its tools; what is drawn, (SIDE, SIDE, 4) uint8 RGBA, or None.

    The drawing outlives a visit to another page and a refresh. The ink is white and the canvas
    transparent: what lies behind it does not come back with the ink.
    """
    from streamlit_drawable_canvas import st_canvas

    state = st.session_state
    restore()
    key = f"play_canvas_{state.setdefault('play_cleared', 0)}"
    if key not in state:  # a new canvas on the page: put back what was drawn
        state["play_start"] = (state.get("play_drawing") or {}).get("raw")
    elif state[key].drawing["raw"] and state[key].drawing["data"]:
        state["play_drawing"] = {name: state[key].drawing[name] for name in ("raw", "data")}
    if strokes():
        state["play_touched"] = True
    keep()
    st_canvas(
        stroke_width=state.get("play_pen", PEN),
        stroke_color="#ffffff",
        background_image=backdrop(dataset if untouched() else None),
        width=SIDE,
        height=SIDE,
        initial_drawing=state.get("play_start"),
        return_image_data=True,
        key=key,
    )
    _tools()
    return _pixels(state["play_drawing"]["data"]) if strokes() else None


def untouched() -> bool:
    """Whether this visitor has drawn or cleared nothing yet: then the lab's example is read."""
    return not st.session_state.get("play_touched")


def _tools() -> None:
    with st.container(horizontal=True, gap="small", vertical_alignment="center"):
        st.button(
            "Undo",
            icon=":material/undo:",
            on_click=undo,
            disabled=not strokes(),
            help="Takes the last stroke back.",
            key="play_undo",
        )
        st.button(
            "Clear",
            icon=":material/delete:",
            on_click=clear,
            disabled=not (strokes() or untouched()),
            help="An empty canvas.",
        )
        st.slider(
            "Pen",
            min_value=7,
            max_value=45,
            value=PEN,
            format="%d px",
            key="play_pen",
            persist_state="session",
            label_visibility="collapsed",
            help=f"Width of the pen in pixels; the canvas is {SIDE} wide.",
            width=112,
        )


def _pixels(data_url: str) -> np.ndarray | None:
    """The picture that the browser sent: a PNG of the canvas; None for anything else."""
    try:
        content = base64.b64decode(data_url.split(",", 1)[-1])
        image = Image.open(io.BytesIO(content), formats=["PNG"])
        right = image.size == (SIDE, SIDE)  # known before it is decoded
        return np.asarray(image.convert("RGBA")) if right else None
    except Exception:  # it is not the canvas that sent this
        return None


def put(lines: sample_drawings.Strokes) -> None:
    """Puts a drawing of the lab's on the canvas, as if the visitor had drawn it."""
    state, width = st.session_state, st.session_state.get("play_pen", PEN)
    objects = [_path(SIDE * sample_drawings.rounded(np.array(line), 3), width) for line in lines]
    state["play_touched"] = True
    state["play_start"] = {"objects": objects, "version": _next_version()}


def _path(points: np.ndarray, width: int) -> dict[str, Any]:
    """A stroke as the canvas component describes one."""
    steps = [["L", round(x, 2), round(y, 2)] for x, y in points.tolist()]
    steps[0][0] = "M"
    pen = {"fill": None, "stroke": "#ffffff", "strokeWidth": width}
    ends = {"strokeLineCap": "round", "strokeLineJoin": "round"}
    return {"type": "Path", "path": steps, **pen, **ends}


def _next_version() -> int:
    """The canvas redraws itself when its initial drawing changes."""
    return (st.session_state.get("play_start") or {}).get("version", 0) + 1


def strokes() -> list[dict]:
    """What is on the canvas, as the canvas component describes it."""
    drawing = st.session_state.get("play_drawing")
    return drawing["raw"].get("objects", []) if drawing else []


def clear() -> None:
    """An empty canvas: another key is another canvas."""
    st.session_state["play_cleared"] += 1
    st.session_state["play_touched"] = True
    st.session_state.pop("play_drawing", None)


def undo() -> None:
    """Removes the last stroke."""
    kept = strokes()[:-1]
    if not kept:
        return clear()
    st.session_state["play_start"] = {"objects": kept, "version": _next_version()}


class Drawings:
    """Drawings by name, packed. Many threads may use one."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget, self._size, self._lock = budget, 0, threading.Lock()
        self._packed: OrderedDict[str, bytes] = OrderedDict()

    def put(self, name: str, drawing: dict[str, Any]) -> None:
        """Replaces the earlier drawing of that name. One that is far too large is not kept."""
        packed = zlib.compress(json.dumps(drawing).encode(), 1)
        with self._lock:
            self._size -= len(self._packed.pop(name, b""))
            if len(packed) > min(LARGEST, self._budget):
                return
            self._packed[name] = packed
            self._size += len(packed)
            while self._size > self._budget:
                self._size -= len(self._packed.popitem(last=False)[1])

    def get(self, name: str) -> dict[str, Any] | None:
        """The drawing of that name, or None."""
        with self._lock:
            packed = self._packed.get(name)
        return None if packed is None else json.loads(zlib.decompress(packed))

    def drop(self, name: str) -> None:
        with self._lock:
            self._size -= len(self._packed.pop(name, b""))


@st.cache_resource(show_spinner=False)
def kept() -> Drawings:
    """The drawings of all visitors."""
    return Drawings()


def restore() -> None:
    """Once in a visitor's session: restores the drawing that the address bar names.

    The session then keeps it under a name of its own: whoever opens the link sees the drawing,
    and what they draw stays theirs.
    """
    state = st.session_state
    if "play_name" in state:
        return
    state["play_name"] = secrets.token_urlsafe(9)
    found = kept().get(st.query_params.get("play_drawing", ""))
    if found:
        state["play_drawing"] = found
        kept().put(state["play_name"], found)


def keep() -> None:
    """The present drawing, under the session's name, which the address bar holds."""
    state, drawing = st.session_state, st.session_state.get("play_drawing")
    name = state["play_name"]
    if not drawing:
        kept().drop(name)
        st.query_params.pop("play_drawing", None)
        return
    if state.get("play_kept") != drawing:
        kept().put(name, drawing)
        state["play_kept"] = drawing
    if st.query_params.get("play_drawing") != name:
        st.query_params["play_drawing"] = name
