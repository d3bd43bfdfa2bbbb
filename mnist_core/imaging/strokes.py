"""What a browser's canvas says was drawn on it, which may come from anybody: strokes and no more.

The canvas speaks the JSON of Fabric.js, in which an object may also be a picture from any address,
or be filled with one. Whoever opens the link to a drawing is sent what was kept, so only the path
of each stroke and its place are taken over.
"""

import json
from collections.abc import Mapping
from typing import Any

from mnist_core.errors import InputError

LARGEST = 200_000  # bytes of all strokes of a drawing, as JSON
# The commands of a path, with how many numbers follow each.
COMMANDS = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}
# Where a stroke stands: numbers that a visitor changes by moving, turning or scaling it.
PLACE = ("left", "top", "width", "height", "scaleX", "scaleY", "angle", "skewX", "skewY")
ORIGINS = {"originX": ("left", "center", "right"), "originY": ("top", "center", "bottom")}
FLIPS = ("flipX", "flipY")
WIDEST = 1000.0  # pixels of a pen
FARTHEST = 1e6  # pixels from the canvas
# White ink with round ends, as the canvas of the Playground draws.
PEN = {"fill": None, "stroke": "#ffffff", "strokeLineCap": "round", "strokeLineJoin": "round"}


def checked_strokes(drawing: Any) -> list[dict[str, Any]]:
    """The strokes of a drawing in the canvas's JSON, made anew from what is known of strokes.

    Raises InputError for anything but freehand strokes with finite numbers, and for a drawing of
    more than LARGEST bytes.
    """
    if not isinstance(drawing, Mapping) or not isinstance(drawing.get("objects"), list):
        raise InputError("The drawing was refused: it is not a list of strokes.")
    strokes = [_stroke(each) for each in drawing["objects"]]
    size = len(json.dumps(strokes))
    if size > LARGEST:
        raise InputError(
            f"The drawing was refused: its strokes have {size:,} bytes, and {LARGEST:,} are "
            "allowed. Undo some, or clear the canvas."
        )
    return strokes


def _stroke(given: Any) -> dict[str, Any]:
    if not isinstance(given, Mapping) or given.get("type") not in ("Path", "path"):
        raise InputError("The drawing was refused: it holds something that is not a stroke.")
    if any(isinstance(value, Mapping) for value in given.values()):  # a pattern, a clip path …
        raise InputError("The drawing was refused: a stroke is painted with more than a colour.")
    steps = given.get("path")
    if not isinstance(steps, list) or not steps:
        raise InputError("The drawing was refused: a stroke has no path.")
    width = _number(given.get("strokeWidth"), WIDEST)
    stroke = {"type": "Path", "path": [_step(each) for each in steps], "strokeWidth": width, **PEN}
    stroke |= {name: _number(given[name], FARTHEST) for name in PLACE if name in given}
    stroke |= {name: given[name] for name, known in ORIGINS.items() if given.get(name) in known}
    return stroke | {name: True for name in FLIPS if given.get(name) is True}


def _step(given: Any) -> list[Any]:
    """One command of a path, such as ["L", 12.5, 300]."""
    command, *numbers = given if isinstance(given, list) and given else [None]
    if not isinstance(command, str) or len(numbers) != COMMANDS.get(command):
        raise InputError("The drawing was refused: a stroke's path is not one of a pen.")
    return [command, *(round(_number(each, FARTHEST), 2) for each in numbers)]


def _number(value: Any, limit: float) -> float:
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not known or not abs(value) <= limit:  # NaN is not
        raise InputError(
            "The drawing was refused: a stroke has something else than finite numbers."
        )
    return round(float(value), 4)
