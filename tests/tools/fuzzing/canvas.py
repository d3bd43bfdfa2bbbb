"""What a browser may send in the name of the canvas and of the network's picture."""

import base64
import io
import json
import math
import random
import types
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from mnist_core.imaging.strokes import LARGEST
from pages.components.playground.canvas import SIDE
from pages.components.playground.unit import LINK, Chosen
from tests.app.opening import open_page
from tests.app.play_canvas import stroke
from tests.tools.fuzzing.pages import PER_PROCESS, alone, check, warm_up
from tests.tools.fuzzing.part import ODD, odd_somewhere, part, spoiled

PATTERN = {"type": "pattern", "source": "//evil.example/p.png", "repeat": "repeat"}
OBJECTS: tuple[Any, ...] = (
    {"type": "Image", "src": "//evil.example/p.png", "left": 0, "top": 0, "scaleX": 1},
    {"type": "Path", "path": [["M", 0, 0]], "strokeWidth": 9, "stroke": PATTERN},
    {"type": "Path", "path": [["M", 0, 0]], "strokeWidth": 9, "clipPath": {"type": "Image"}},
    {"type": "Group", "objects": [{"type": "Image", "src": "//evil.example/p.png"}]},
    {"type": "Path", "path": [["L", 1.5, 2]] * 30_000, "strokeWidth": 9},
    {"type": "i-text", "text": "evil.example", "fontFamily": "url(//evil.example/f)"},
)
DEEP: Any = "x"
for _ in range(200):
    DEEP = [DEEP]
STRANGE = (*ODD, *OBJECTS, [stroke(n) for n in range(3000)], "M 0 0 L 9 9", DEEP, [1e308] * 9)


def data_url(chance: random.Random) -> Any:
    """A picture of the canvas: right, of another size or kind, a bomb, or broken."""
    sides = {0: (SIDE, SIDE), 1: (1, 1), 2: (SIDE, SIDE + 1), 3: (5000, 5000)}
    size = sides[chance.choice((0, 0, 0, 0, 1, 2, 3))]
    mode = chance.choice(("RGBA", "RGBA", "L", "P", "1", "LA", "I;16"))
    mode = "1" if size == sides[3] else mode  # what sends a bomb must stay small itself
    if size == (SIDE, SIDE) and mode == "RGBA":
        draw = np.random.default_rng(chance.randrange(2**32))
        ink = np.zeros((SIDE, SIDE, 4), np.uint8)
        ink[draw.random((SIDE, SIDE)) < chance.choice((0.0001, 0.01, 0.5))] = 255
        ink[80:240, 150 : 150 + chance.randint(1, 100)] = 255
        image = Image.fromarray(ink)
    else:
        image = Image.new(mode, size)
    out = io.BytesIO()
    image.save(out, chance.choice(("PNG", "PNG", "PNG", "TIFF")))
    content = out.getvalue()
    content = spoiled(chance, content) if chance.random() < 0.3 else content
    begin = chance.choice(("data:image/png;base64,", "data:image/png;base64,", "data:,", ""))
    return begin + base64.b64encode(content).decode()


def message(chance: random.Random) -> types.SimpleNamespace:
    """A message of the canvas with something odd in it, sometimes with nothing odd."""
    objects: list[Any] = [stroke(n) for n in range(chance.randint(0, 3))]
    if chance.random() < 0.3:
        objects.append(chance.choice(OBJECTS))
    raw = {"version": "7.4.0", "objects": objects, "background": chance.choice(("", PATTERN))}
    drawing: Any = {"raw": raw, "data": data_url(chance)}
    for _ in range(chance.choice((0, 1, 1, 2))):
        drawing = strange(chance, drawing)
    fit = {name: 1.0 for name in ("naturalWidth", "naturalHeight", "scaleX", "scaleY")}
    fit |= {"offsetX": 0.0, "offsetY": 0.0}
    fits = (None, None, fit, strange(chance, fit))
    return types.SimpleNamespace(drawing=drawing, backgroundFit=chance.choice(fits))


def strange(chance: random.Random, value: Any) -> Any:
    """The value with something in it that is odd for a drawing."""
    return odd_somewhere(chance, value, STRANGE)


def check_kept(drawing: Any) -> None:
    """What is kept for others holds strokes of finite numbers and names no address."""
    strokes = drawing["raw"]["objects"]
    assert len(json.dumps(strokes)) <= LARGEST
    assert {each["type"] for each in strokes} <= {"Path"}
    left = [strokes]
    while left:
        value = left.pop()
        left += value if isinstance(value, list) else []
        left += value.values() if isinstance(value, dict) else []
        assert not isinstance(value, float) or math.isfinite(value)
        assert not isinstance(value, str) or "evil" not in value


@part("canvas", prepare=warm_up, count=PER_PROCESS)
def send_messages(chance: random.Random, folder: Path) -> None:
    """A visitor's canvas sends one message or two, and the network's picture one."""
    with alone(folder) as canvas:
        page = open_page("playground")
        for _ in range(chance.randint(1, 2)):
            page.session_state[canvas.key] = message(chance)
            if chance.random() < 0.3:
                unit = {"stage": "conv1", "channel": 0, "row": 1, "col": 1, "reads": 0}
                send_unit(page, strange(chance, unit))
            check(page.run())
            if page.session_state.get("play_drawing"):
                check_kept(page.session_state["play_drawing"])


def send_unit(page: Any, given: Any) -> None:
    """As the page's callback takes a click over."""
    page.session_state[LINK] = Chosen.read(given) if isinstance(given, dict) else None
