"""Pictures of the kinds that people bring and that are hard to read: one function for each kind.

A picture is drawn from the stroke templates of tests.drawing. Strokes, paper, pen, place and light
are random; the generator that is passed in decides, so a seed is a picture. Each function takes it
and the digit, and returns the bytes of a file.
"""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from tests.drawing import encode, ink_mask, strokes

FINER = 2  # masks are drawn that much larger, then averaged
Random = np.random.Generator
Layers = list[tuple[Image.Image, np.ndarray]]  # masks, each with its colour


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
    lines = [line * (height - pen) for line in strokes(digit, rng)]
    if wobble:
        lines = [_resampled(line, 4 * pen) for line in lines]
        lines = [line + rng.normal(0, wobble, line.shape) for line in lines]
    low, high = np.min([x.min(0) for x in lines], 0), np.max([x.max(0) for x in lines], 0)
    extent = high - low + pen
    if centre is None:
        room = (np.array(size) - extent - 0.1 * height).clip(0)
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


def photographed(size: tuple[int, int], layers: Layers, paper: np.ndarray, rng: Random) -> bytes:
    """A JPEG of the layers on paper, in light that falls off to one side; now and then a shadow."""
    scene = _flat(size, layers, paper)
    y, x = np.mgrid[-1 : 1 : size[1] * 1j, -1 : 1 : size[0] * 1j].astype(np.float32)
    angle = rng.uniform(0, 2 * np.pi)
    light = 1 - rng.uniform(0, 0.4) * (0.5 + 0.35 * (x * np.cos(angle) + y * np.sin(angle)))
    if rng.random() < 0.2:
        angle, offset = rng.uniform(0, 2 * np.pi), rng.uniform(-0.7, 0.7)
        across = (x * np.cos(angle) + y * np.sin(angle) - offset) / rng.uniform(0.03, 0.15)
        light *= 1 - rng.uniform(0.2, 0.5) / (1 + np.exp(np.clip(-across, -30, 30)))
    soft = _image(scene * light[..., None]).filter(ImageFilter.GaussianBlur(rng.uniform(0, 1.2)))
    noise = rng.uniform(0, 4) * rng.standard_normal((size[1], size[0], 1), np.float32)
    grain = np.asarray(soft, np.float32) + noise
    return encode(_image(grain), "JPEG", quality=int(rng.integers(60, 96)))


def clean(size: tuple[int, int], layers: Layers, paper: np.ndarray) -> bytes:
    """A PNG of the layers on a page of one colour."""
    return encode(_image(_flat(size, layers, paper)))


def _flat(size: tuple[int, int], layers: Layers, paper: np.ndarray) -> np.ndarray:
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
    return rng.uniform(190, 250) * rng.uniform(0.95, 1, 3)


def dark(rng: Random) -> np.ndarray:
    """Black or blue ink."""
    blue = np.array([20, 25, rng.uniform(80, 120)])
    return blue if rng.random() < 0.5 else rng.uniform(10, 60) * rng.uniform(0.8, 1.2, 3)


def page(rng: Random, longer: tuple[int, int] = (800, 1300)) -> tuple[int, int]:
    side = int(rng.uniform(*longer))
    other = int(side * rng.uniform(0.7, 1))
    return (side, other) if rng.random() < 0.5 else (other, side)


def tiny(digit: int, rng: Random) -> bytes:
    """30 to 60 pixels high on a page of about 1,200."""
    size, height = page(rng, (1000, 1400)), rng.uniform(30, 60)
    mask = digit_mask(digit, size, height, rng.uniform(0.08, 0.14) * height, rng)
    return either(size, [(mask, dark(rng))], white(rng), rng)


def native(digit: int, rng: Random) -> bytes:
    """28×28, bright on black like MNIST, but neither centred nor scaled."""
    height = rng.uniform(9, 17)
    mask = digit_mask(digit, (280, 280), 10 * height, rng.uniform(1.2, 2) * height, rng)
    return encode(mask.reduce(10))


def fat(digit: int, rng: Random) -> bytes:
    """A pen so thick that the holes are the smaller part, on a picture that the digit fills."""
    side = int(rng.uniform(200, 700))
    height = rng.uniform(0.65, 0.93) * side
    mask = digit_mask(digit, (side, side), height, rng.uniform(0.18, 0.27) * height, rng)
    return either((side, side), [(mask, dark(rng))], white(rng), rng)


def form_box(digit: int, rng: Random) -> bytes:
    """In a printed box."""
    return _boxes(digit, rng, 1)


def box_row(digit: int, rng: Random) -> bytes:
    """In one of a row of printed boxes."""
    return _boxes(digit, rng, int(rng.integers(3, 8)))


def _boxes(digit: int, rng: Random, count: int) -> bytes:
    height = int(rng.uniform(400, 1000))
    size = (int(height * (rng.uniform(1.6, 2.6) if count > 1 else rng.uniform(0.8, 1.4))), height)
    tall = rng.uniform(0.25, 0.7) * height
    wide = min(tall * rng.uniform(0.75, 1.1), 0.9 * size[0] / count)
    left = rng.uniform(0.03, 0.97) * (size[0] - count * wide)
    top = rng.uniform(0.1, 0.9) * (height - tall)
    filled = int(rng.integers(count))
    middle = np.array([left + (filled + 0.5) * wide, top + tall / 2])
    centre = tuple(middle + rng.uniform(-0.05, 0.05, 2) * (wide, tall))
    high = rng.uniform(0.5, 0.78) * min(tall, 1.25 * wide)
    tilt = rng.normal(0, 1)
    lines = turned(rectangles(left, top, wide, tall, count), tilt, middle)
    frame = lines_mask(size, lines, rng.uniform(2, 6))
    mask = digit_mask(digit, size, high, rng.uniform(0.05, 0.1) * high, rng, centre)
    printed = rng.uniform(20, 120) * np.ones(3)
    return photographed(size, [(frame, printed), (mask, dark(rng))], white(rng), rng)


def squared(digit: int, rng: Random) -> bytes:
    """On squared paper whose lines are as thick and dark as the pen."""
    size, step = page(rng, (900, 1300)), rng.uniform(36, 75)
    width = rng.uniform(2.5, 5.5)
    lines = [*_ruling(size, step, rng), *_ruling(size, step, rng, upright=True)]
    lines = turned(lines, rng.normal(0, 0.7), np.array(size) / 2)
    pen = width * rng.uniform(0.9, 1.4)
    mask = digit_mask(digit, size, rng.uniform(3, 7) * step, pen, rng, wobble=rng.uniform(0, 2.5))
    colour = dark(rng) + rng.uniform(20, 60)
    layers = [(lines_mask(size, lines, width), colour * rng.uniform(0.9, 1.1)), (mask, colour)]
    return photographed(size, layers, white(rng), rng)


def pencil(digit: int, rng: Random) -> bytes:
    """In pencil that is paler than the ruled lines of the paper."""
    size, step = page(rng, (900, 1300)), rng.uniform(45, 90)
    lines = turned(_ruling(size, step, rng), rng.normal(0, 0.7), np.array(size) / 2)
    paper, high = white(rng), rng.uniform(2.5, 5.5) * step
    mask = digit_mask(
        digit, size, high, rng.uniform(0.03, 0.05) * high, rng, wobble=rng.uniform(0, 2.5)
    )
    printed = np.array([0.45, 0.55, 0.8]) * rng.uniform(0.9, 1.1) * paper
    layers = [
        (lines_mask(size, lines, rng.uniform(2, 4)), printed),
        (mask, paper * rng.uniform(0.66, 0.78)),
    ]
    return photographed(size, layers, paper, rng)


def _ruling(size: tuple[int, int], step: float, rng: Random, upright: bool = False) -> list[tuple]:
    """Parallel lines over all of the page and beyond."""
    length, across = size if not upright else size[::-1]
    places = np.arange(-across + rng.uniform(0, step), 2 * across, step)
    lines = [(-length, at, 2 * length, at) for at in places]
    return [(b, a, d, c) for a, b, c, d in lines] if upright else lines


def colours(digit: int, rng: Random) -> bytes:
    """Two colours of nearly the same grey."""
    side = int(rng.uniform(250, 900))
    height = rng.uniform(0.4, 0.8) * side
    mask = digit_mask(digit, (side, side), height, rng.uniform(0.07, 0.14) * height, rng)
    grey = np.array([0.299, 0.587, 0.114])
    while True:
        paper, ink = rng.uniform(0, 255, (2, 3))
        if abs(grey @ (paper - ink)) < 6 and np.abs(paper - ink).max() > 110:
            return either((side, side), [(mask, ink)], paper, rng)


def crossed_out(digit: int, rng: Random) -> bytes:
    """Left a digit that is crossed out, right the valid one."""
    height = int(rng.uniform(450, 800))
    size, high = (int(height * rng.uniform(1.3, 1.7)), height), rng.uniform(0.3, 0.5) * height
    pen, middle = rng.uniform(0.05, 0.09) * high, rng.uniform(0.4, 0.6) * height
    left, right = np.array([0.25 * size[0], middle]), (0.7 * size[0], middle)
    wrong = digit_mask(int(rng.integers(10)), size, high, pen, rng, tuple(left))
    mask = digit_mask(digit, size, high, pen, rng, right)
    x, y = rng.uniform(0.28, 0.45) * high, rng.uniform(0.4, 0.55) * high
    cross = [(left[0] - x, left[1] - y, left[0] + x, left[1] + y)]
    cross += [(left[0] - x, left[1] + y, left[0] + x, left[1] - y)]
    struck = lines_mask(size, turned(cross, rng.normal(0, 5), left), pen)
    layers = [(ImageChops.lighter(ImageChops.lighter(wrong, struck), mask), dark(rng))]
    return photographed(size, layers, white(rng), rng)


def hollow(digit: int, rng: Random) -> bytes:
    """Only the outline of thick strokes."""
    side = int(rng.uniform(250, 700))
    height = rng.uniform(0.6, 0.85) * side
    pen = rng.uniform(0.15, 0.2) * height
    line = max(2.0, rng.uniform(0.012, 0.025) * height)
    shape = rng.bit_generator.state  # both with the same strokes
    outer = digit_mask(digit, (side, side), height, pen, rng, (side / 2, side / 2))
    rng.bit_generator.state = shape
    inner = digit_mask(
        digit, (side, side), height - 2 * line, pen - 2 * line, rng, (side / 2, side / 2)
    )
    return either((side, side), [(ImageChops.subtract(outer, inner), dark(rng))], white(rng), rng)


KINDS: dict[str, Callable[[int, Random], bytes]] = {
    kind.__name__: kind
    for kind in (tiny, native, fat, form_box, box_row)
    + (squared, pencil, colours, crossed_out, hollow)
}
