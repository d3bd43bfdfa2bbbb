"""The playground's canvas and its tools. What is drawn outlives a refresh of its tab."""

import base64
import io
import secrets
from collections.abc import Mapping
from typing import Any

import numpy as np
import streamlit as st
from PIL import Image

from mnist_core.errors import InputError
from mnist_core.files import is_number
from mnist_core.formatting import plain
from mnist_core.imaging import sample_drawings
from mnist_core.imaging.strokes import checked_strokes
from mnist_core.imaging.tiles import png
from pages.components.playground.drawings import kept
from pages.components.shared.cache import cached, same

SIDE = 320  # of the canvas, in pixels
FAINT = 5  # the example behind the ink has a fifth of its brightness
PEN = 23
# What the component says of the picture behind the ink.
FIT = ("naturalWidth", "naturalHeight", "scaleX", "scaleY", "offsetX", "offsetY")
LARGEST_PICTURE = 600_000  # characters of the picture; one of noise has 560,000


@cached(same)
def example(dataset: str) -> np.ndarray:
    """The data set's built-in drawing, (SIDE, SIDE, 4) uint8 RGBA."""
    return sample_drawings.draw(sample_drawings.example_for(dataset), SIDE)


@cached(same)
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
    key = _key()
    if key in state and not _receive(state[key]):
        state["play_cleared"] += 1  # another canvas, with what was drawn before
        key = _key()
    if key not in state:  # a new canvas on the page: put back what was drawn
        state["play_start"] = (state.get("play_drawing") or {}).get("raw")
        state["play_given"] = None
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
    if state.get("play_refused"):
        st.warning(plain(state["play_refused"]), icon=":material/gesture:")
    return pixels()


def _key() -> str:
    return f"play_canvas_{st.session_state.setdefault('play_cleared', 0)}"


def _receive(sent: Any) -> bool:
    """Takes over what the browser sent of the canvas; False, and why, for what is no drawing."""
    state, given = st.session_state, getattr(sent, "drawing", None)
    try:
        check_fit(getattr(sent, "backgroundFit", None))
        if given == state.get("play_given"):  # every click runs the page again
            return True
        drawing = checked_drawing(given)
    except InputError as error:
        state["play_refused"] = str(error)
        return False
    state["play_given"], state["play_refused"] = given, None
    if drawing:
        state["play_drawing"] = drawing
    return True


def check_fit(fit: Any) -> None:
    """Raises InputError unless it is what the component says of the picture behind the ink."""
    known = isinstance(fit, Mapping) and all(is_number(fit.get(name)) for name in FIT)
    if fit is not None and not known:
        raise InputError("The drawing was refused: it is not what the canvas sends.")


def checked_drawing(given: Any) -> dict[str, Any] | None:
    """The strokes and their picture as the canvas component sends them; None while it has none.

    Raises InputError for anything else.
    """
    if not isinstance(given, Mapping):
        raise InputError("The drawing was refused: it is not what the canvas sends.")
    raw, picture = {"objects": checked_strokes(given.get("raw"))}, given.get("data")
    if picture is None:
        return None
    if not isinstance(picture, str) or len(picture) > LARGEST_PICTURE:
        raise InputError("The drawing was refused: it came without a picture of the canvas.")
    return {"raw": raw, "data": picture}


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
            format="pen %d px",
            key="play_pen",
            persist_state="session",
            label_visibility="collapsed",
            help=f"Width of the pen in pixels; the canvas is {SIDE} wide.",
            width=112,
        )


def pixels() -> np.ndarray | None:
    """What is drawn, (SIDE, SIDE, 4) uint8 RGBA, from the PNG that the browser sent; None for
    anything else."""
    if not strokes():
        return None
    try:
        content = base64.b64decode(st.session_state["play_drawing"]["data"].split(",", 1)[-1])
        image = Image.open(io.BytesIO(content), formats=["PNG"])
        right = image.size == (SIDE, SIDE)  # known before it is decoded
        return np.asarray(image.convert("RGBA")) if right else None
    except Exception:  # it is not the canvas that sent this
        return None


def put(lines: sample_drawings.Strokes) -> None:
    """Puts a drawing of the lab's on the canvas, as if the visitor had drawn it."""
    width = st.session_state.get("play_pen", PEN)
    objects = [_path(SIDE * sample_drawings.rounded(np.array(line), 3), width) for line in lines]
    st.session_state["play_touched"] = True
    start(objects)


def start(objects: list[dict[str, Any]]) -> None:
    """Has the canvas draw these strokes instead of what is on it."""
    st.session_state["play_start"] = {"objects": objects, "version": _next_version()}


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
    st.session_state["play_refused"] = None
    st.session_state.pop("play_drawing", None)


def undo() -> None:
    """Removes the last stroke."""
    kept = strokes()[:-1]
    if not kept:
        return clear()
    start(kept)


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
