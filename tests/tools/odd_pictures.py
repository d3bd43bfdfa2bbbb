"""Pictures of the kinds that people bring and that are hard to read: one function for each kind.

A picture is drawn from the stroke templates of tests.drawing, and from other hands'. Strokes,
paper, pen, place and light are random; the generator that is passed in decides, so a seed is a
picture. Each function takes it and the digit, and returns the bytes of a file.
"""

import itertools
from collections.abc import Callable

import numpy as np
from PIL import ImageChops

from tests.drawing import encode
from tests.tools.odd_scenes import (
    Random,
    dark,
    digit_mask,
    either,
    lines_mask,
    page,
    photographed,
    printed,
    rectangles,
    ruling,
    turned,
    white,
)


def tiny(digit: int, rng: Random) -> bytes:
    """30 to 60 pixels high on a page of about 1,200."""
    size, height = page(rng, (1000, 1400)), rng.uniform(30, 60)
    mask = digit_mask(digit, size, height, rng.uniform(0.08, 0.14) * height, rng)
    return either(size, [(mask, dark(rng))], white(rng), rng)


def native(digit: int, rng: Random) -> bytes:
    """28×28, bright on black like MNIST, but neither centred nor scaled."""
    height = rng.uniform(9, 19)
    mask = digit_mask(digit, (280, 280), 10 * height, rng.uniform(1, 2) * height, rng)
    bright = rng.uniform(0.7, 1)
    return encode(mask.reduce(10).point(lambda value: round(bright * value)))


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
    high = rng.uniform(0.45, 0.78) * min(tall, 1.25 * wide)
    lines = turned(rectangles(left, top, wide, tall, count), rng.normal(0, 1), middle)
    frame, paper = lines_mask(size, lines, rng.uniform(2, 7)), white(rng)
    mask = digit_mask(digit, size, high, rng.uniform(0.04, 0.11) * high, rng, centre)
    return either(size, [(frame, printed(paper, rng)), (mask, dark(rng))], paper, rng)


def squared(digit: int, rng: Random) -> bytes:
    """On squared paper whose lines are as thick and dark as the pen."""
    width = rng.uniform(2.5, 5.5)
    colour = dark(rng) + rng.uniform(20, 60)
    lines = colour * rng.uniform(0.9, 1.1)
    return _squares(digit, rng, width, width * rng.uniform(0.9, 1.4), colour, lines, white(rng))


def squared_bold(digit: int, rng: Random) -> bytes:
    """On squared paper of any colour, in a pen that is bolder than its lines."""
    width, paper = rng.uniform(1.2, 4), white(rng)
    pen = max(3, width * rng.uniform(1.4, 4))
    return _squares(digit, rng, width, pen, dark(rng), printed(paper, rng), paper)


def _squares(digit, rng, width, pen, colour, lines_colour, paper) -> bytes:
    size = page(rng, (800, 1400))
    step = rng.uniform(0.033, 0.065) * max(size)
    lines = [*ruling(size, step, rng), *ruling(size, step, rng, upright=True)]
    lines = turned(lines, rng.normal(0, 0.9), np.array(size) / 2)
    high = min(rng.uniform(2.6, 8) * step, 0.6 * min(size))
    mask = digit_mask(digit, size, high, pen, rng, wobble=rng.uniform(0, 2.5))
    layers = [(lines_mask(size, lines, width), lines_colour), (mask, colour)]
    return photographed(size, layers, paper, rng)


def pencil(digit: int, rng: Random) -> bytes:
    """In pencil that is paler than the ruled lines of the paper."""
    size, step = page(rng, (900, 1300)), rng.uniform(36, 90)
    lines = turned(ruling(size, step, rng), rng.normal(0, 0.9), np.array(size) / 2)
    paper, high = white(rng), rng.uniform(2.2, 5.5) * step
    pen = rng.uniform(0.025, 0.055) * high
    mask = digit_mask(digit, size, high, pen, rng, wobble=rng.uniform(0, 2.5))
    blue, grey = np.array([0.45, 0.55, 0.8]), np.array([0.6, 0.6, 0.6])
    lines_colour = (blue if rng.random() < 0.7 else grey) * rng.uniform(0.9, 1.1) * paper
    drawn = (mask, paper * rng.uniform(0.64, 0.8))
    return photographed(
        size, [(lines_mask(size, lines, rng.uniform(1.5, 4)), lines_colour), drawn], paper, rng
    )


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
    """Left a digit that is crossed out by two strokes, right the valid one."""
    return _struck(digit, rng, _cross)


def scribbled_out(digit: int, rng: Random) -> bytes:
    """Left a digit under a zigzag, right the valid one."""
    return _struck(digit, rng, _zigzag)


def _struck(digit: int, rng: Random, strikes: Callable) -> bytes:
    height = int(rng.uniform(450, 800))
    size, high = (int(height * rng.uniform(1.3, 1.7)), height), rng.uniform(0.3, 0.5) * height
    pen, middle = rng.uniform(0.05, 0.09) * high, rng.uniform(0.4, 0.6) * height
    left, right = np.array([0.25 * size[0], middle]), (0.7 * size[0], middle)
    wrong = digit_mask(int(rng.integers(10)), size, high, pen, rng, tuple(left))
    mask = digit_mask(digit, size, high, pen, rng, right)
    struck = lines_mask(size, strikes(rng, left, high), pen)
    layers = [(ImageChops.lighter(ImageChops.lighter(wrong, struck), mask), dark(rng))]
    return photographed(size, layers, white(rng), rng)


def _cross(rng: Random, middle: np.ndarray, high: float) -> list[tuple]:
    x, y = rng.uniform(0.28, 0.45) * high, rng.uniform(0.4, 0.55) * high
    lines = [(-x, -y, x, y), (-x, y, x, -y)]
    moved = [tuple(np.array(line) + np.tile(middle, 2)) for line in lines]
    return turned(moved, rng.normal(0, 5), middle)


def _zigzag(rng: Random, middle: np.ndarray, high: float) -> list[tuple]:
    count = int(rng.integers(7, 14))
    along = np.linspace(-0.5, 0.5, count) * high
    across = np.where(np.arange(count) % 2, 0.32, -0.32) * high * rng.uniform(0.8, 1.2, count)
    points = middle + np.column_stack([across, along])
    return [(*a, *b) for a, b in itertools.pairwise(points)]


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
    for kind in (tiny, native, fat, form_box, box_row, squared, squared_bold)
    + (pencil, colours, crossed_out, scribbled_out, hollow)
}
