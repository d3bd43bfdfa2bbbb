"""What pictures of digits are made of: strokes of several hands, printed lines, paper, and light.

Every random choice comes from the generator that is passed in, so a seed is a picture.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageFilter

from tests.drawing import arc, encode, ink_mask, strokes

FINER = 2  # masks are drawn that much larger, then averaged
OTHER_HAND = 0.4  # of the digits: one of HANDS
Random = np.random.Generator
Layers = list[tuple[Image.Image, np.ndarray]]  # masks, each with its colour
# Other ways to write a digit: a 1 with a flag, a 7 with a bar, a closed 4 …
HANDS: dict[int, list[list[list[tuple]]]] = {
    1: [[[(0.08, 0.16), (0.28, 0.0), (0.28, 1.0)]]],
    2: [[[(0.02, 0.3), *arc(0.32, 0.3, 0.3, 0.3, -170, 40), (0.0, 0.97), (0.66, 1.0)]]],
    3: [[[(0.04, 0.03), (0.56, 0.0), (0.26, 0.4), *arc(0.26, 0.7, 0.34, 0.3, -75, 150)]]],
    4: [[[(0.52, 1.0), (0.52, 0.0), (0.0, 0.66), (0.68, 0.66)]]],
    5: [
        [
            [(0.64, 0.0), (0.16, 0.02)],
            [(0.15, 0.0), (0.09, 0.45), *arc(0.28, 0.7, 0.34, 0.3, -120, 150)],
        ]
    ],
    6: [[[*arc(0.58, 0.66, 0.56, 0.66, -88, -180), *arc(0.32, 0.7, 0.3, 0.3, 180, 540)]]],
    7: [[[(0.0, 0.04), (0.62, 0.0), (0.22, 1.0)], [(0.12, 0.5), (0.56, 0.48)]]],
    9: [
        [
            [
                *arc(0.32, 0.3, 0.3, 0.3, 0, -360),
                (0.62, 0.3),
                (0.58, 0.75),
                (0.42, 0.98),
                (0.14, 0.97),
            ]
        ]
    ],
}


def digit_mask(
    digit: int,
    size: tuple[int, int],
    height: float,
    pen: float,
    rng: Random,
    centre: tuple[float, float] | None = None,
    wobble: float = 0.0,
) -> Image.Image:
    """L, 255 = ink: a digit of `height` pixels, pen included, inside (width, height) `size`.

    `pen`: width in pixels. `centre`: of the digit; at random unless given. `wobble`: how far the
    pen trembles, in pixels.
    """
    others = HANDS.get(digit, [])
    other = others[rng.integers(len(others))] if others and rng.random() < OTHER_HAND else None
    lines = [line * (height - pen) for line in strokes(digit, rng, other)]
    return strokes_mask(lines, size, pen, rng, centre, wobble)


def strokes_mask(
    lines: list[np.ndarray],
    size: tuple[int, int],
    pen: float,
    rng: Random,
    centre: tuple[float, float] | None = None,
    wobble: float = 0.0,
) -> Image.Image:
    """The same of strokes, (points, 2) arrays of x, y in pixels."""
    if wobble:
        lines = [_resampled(line, 4 * pen) for line in lines]
        lines = [line + rng.normal(0, wobble, line.shape) for line in lines]
    low, high = np.min([x.min(0) for x in lines], 0), np.max([x.max(0) for x in lines], 0)
    extent = high - low + pen
    if centre is None:
        room = (np.array(size) - 1.1 * extent).clip(0)
        centre = tuple(np.array(size) / 2 + rng.uniform(-0.45, 0.45, 2) * room)
    move = np.array(centre) - (low + high) / 2
    corner = np.floor(np.array(centre) - extent / 2 - 3).astype(int)
    side = int(extent.max()) + 8
    page = Image.new("L", size)
    lines = [line + move - corner for line in lines]
    page.paste(ink_mask(lines, pen, side, FINER), tuple(corner.tolist()))
    return page


def _resampled(line: np.ndarray, step: float) -> np.ndarray:
    way = np.concatenate([[0], np.hypot(*np.diff(line, axis=0).T).cumsum()])
    at = np.linspace(0, way[-1], max(2, round(way[-1] / step)))
    return np.stack([np.interp(at, way, axis) for axis in line.T], axis=1)


def lines_mask(size: tuple[int, int], lines: list[tuple], width: float) -> Image.Image:
    """L: straight lines (x, y, x, y) of a printer."""
    large = Image.new("L", (size[0] * FINER, size[1] * FINER))
    pen = ImageDraw.Draw(large)
    for line in lines:
        pen.line([FINER * float(at) for at in line], 255, max(1, round(width * FINER)))
    return large.reduce(FINER)


def turned(lines: list[tuple], degrees: float, centre: np.ndarray) -> list[tuple]:
    """Lines (x, y, x, y) turned about a point."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    points = (np.array(lines).reshape(-1, 2) - centre) @ turn + centre
    return [tuple(line) for line in points.reshape(-1, 4)]


def rectangles(left: float, top: float, width: float, height: float, count: int = 1) -> list[tuple]:
    """The lines of a row of boxes, wall to wall."""
    right, bottom = left + count * width, top + height
    walls = [(left + k * width, top, left + k * width, bottom) for k in range(count + 1)]
    return [(left, top, right, top), (left, bottom, right, bottom), *walls]


def ruling(size: tuple[int, int], step: float, rng: Random, upright: bool = False) -> list[tuple]:
    """Parallel lines over all of the page and beyond."""
    length, across = size if not upright else size[::-1]
    places = np.arange(-across + rng.uniform(0, step), 2 * across, step)
    lines = [(-length, at, 2 * length, at) for at in places]
    return [(b, a, d, c) for a, b, c, d in lines] if upright else lines


def photographed(size: tuple[int, int], layers: Layers, paper: np.ndarray, rng: Random) -> bytes:
    """A JPEG of the layers on paper, in light that falls off to one side; now and then a shadow."""
    return shot(flat(size, layers, paper) * light(size, rng)[..., None], rng)


def light(size: tuple[int, int], rng: Random, shadows: float = 0.2) -> np.ndarray:
    """(h, w) factors, brighter to one side; a share of them with the edge of a shadow."""
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    found = 1 - rng.uniform(0, 0.4) * (0.5 + 0.35 * (x * np.cos(angle) + y * np.sin(angle)))
    if rng.random() < shadows:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
        across = (x * np.cos(angle) + y * np.sin(angle) - offset) / rng.uniform(0.03, 0.15)
        found *= 1 - rng.uniform(0.2, 0.5) / (1 + np.exp(np.clip(-across, -30, 30)))
    return found


def shot(scene: np.ndarray, rng: Random) -> bytes:
    """(h, w, 3) colours in their light, as a phone's JPEG: a little blurred, with noise."""
    soft = _image(scene).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))
    height, width = scene.shape[:2]
    noise = rng.uniform(0, 4) * rng.standard_normal((height, width, 1), np.float32)
    grain = np.asarray(soft, np.float32) + noise
    return encode(_image(grain), "JPEG", quality=int(rng.integers(60, 96)))


def clean(size: tuple[int, int], layers: Layers, paper: np.ndarray) -> bytes:
    """A PNG of the layers on a page of one colour."""
    return encode(_image(flat(size, layers, paper)))


def flat(size: tuple[int, int], layers: Layers, paper: np.ndarray) -> np.ndarray:
    """(h, w, 3): the colours of the layers on paper, without any light."""
    scene = np.full((size[1], size[0], 3), paper, np.float32)
    for mask, colour in layers:
        scene += np.asarray(mask, np.float32)[..., None] / 255 * (colour - scene)
    return scene


def _image(values: np.ndarray) -> Image.Image:
    return Image.fromarray(np.rint(values).clip(0, 255).astype(np.uint8))


def either(size: tuple[int, int], layers: Layers, paper: np.ndarray, rng: Random) -> bytes:
    """Every second time a photograph."""
    drawn = clean(size, layers, paper) if rng.random() < 0.5 else None
    return drawn or photographed(size, layers, paper, rng)


def white(rng: Random) -> np.ndarray:
    """Paper: white, cream, or grey recycled."""
    return rng.uniform(190, 250) * np.array([1, rng.uniform(0.95, 1), rng.uniform(0.86, 1)])


def dark(rng: Random) -> np.ndarray:
    """Black, blue, red or green ink."""
    if rng.random() < 0.4:
        return rng.uniform(10, 60) * rng.uniform(0.8, 1.2, 3)
    deep = np.array([20.0, 25, rng.uniform(80, 150)])
    return np.roll(deep, (0, 0, 0, 1, 2)[rng.integers(5)])


def printed(paper: np.ndarray, rng: Random) -> np.ndarray:
    """The colour of printed lines: blue, grey, red or green, pale or strong."""
    tint = (
        (0.3, 0.45, 0.85),
        (0.5, 0.5, 0.5),
        (0.85, 0.4, 0.4),
        (0.35, 0.7, 0.45),
        (0.1, 0.1, 0.1),
    )
    strength = rng.uniform(0.35, 1)
    return paper * (1 - strength * (1 - np.array(tint[rng.integers(len(tint))])))


def page(rng: Random, longer: tuple[int, int] = (800, 1300)) -> tuple[int, int]:
    """Width and height of a page that lies or stands."""
    side = int(rng.uniform(*longer))
    other = int(side * rng.uniform(0.7, 1))
    return (side, other) if rng.random() < 0.5 else (other, side)
