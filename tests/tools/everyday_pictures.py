"""Pictures of ordinary kinds, which are read and must stay so: chalk, a thumb, several digits …

Each function takes a digit and a random generator, and returns the bytes of a file with the right
answer: all digits from left to right, "" where none is.
"""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageChops, ImageDraw, ImageFilter

from mnist_core.imaging.letter_strokes import LETTERS, rounded
from mnist_core.imaging.novel_images import PLAIN_LETTERS, leaning
from tests.drawing import encode
from tests.tools.odd_scenes import (
    Random,
    clean,
    dark,
    digit_mask,
    either,
    flat,
    light,
    lines_mask,
    page,
    photographed,
    ruling,
    shot,
    strokes_mask,
    turned,
    white,
)

LETTER_SIDE = 84  # of letter_strokes, after `leaning`
SINGLE = [name for name in PLAIN_LETTERS if len(name) == 1]
SEGMENTS = ("012345", "12", "01643", "01236", "5612", "05623", "054326", "012", "0123456", "012356")
Answered = tuple[bytes, str]


def chalk(digit: int, rng: Random) -> Answered:
    """Grainy and bright on a dark board."""
    size = page(rng, (600, 1100))
    high = rng.uniform(0.25, 0.6) * min(size)
    mask = np.asarray(digit_mask(digit, size, high, rng.uniform(0.05, 0.1) * high, rng), np.float32)
    noise = Image.fromarray(rng.integers(0, 256, mask.shape).astype(np.uint8))
    grain = noise.filter(ImageFilter.BoxBlur(1))
    rubbed = mask * (np.asarray(grain) > rng.uniform(90, 120))
    board = ((40, 70, 58), (35, 38, 42), (52, 66, 90))[rng.integers(3)]
    layers = [(Image.fromarray(rubbed.astype(np.uint8)), rng.uniform(190, 240) * np.ones(3))]
    return photographed(size, layers, np.array(board), rng), str(digit)


def hair(digit: int, rng: Random) -> Answered:
    """A line of one or two pixels."""
    side = int(rng.uniform(500, 1200))
    mask = digit_mask(digit, (side, side), rng.uniform(0.4, 0.9) * side, rng.uniform(1.5, 3), rng)
    return clean((side, side), [(mask, dark(rng))], np.full(3, 255.0)), str(digit)


def seven_segments(digit: int, rng: Random) -> Answered:
    """As on a display; without the 1 and the 7, which are strokes and no more."""
    digit = digit if digit not in (1, 7) else 5
    side = int(rng.uniform(200, 500))
    high = rng.uniform(0.5, 0.8) * side
    wide, middle = high * rng.uniform(0.45, 0.6), side / 2
    left, right = middle - wide / 2, middle + wide / 2
    top, low = middle - high / 2, middle + high / 2
    bars = [
        (left, top, right, top), (right, top, right, middle), (right, middle, right, low),
        (left, low, right, low), (left, middle, left, low), (left, top, left, middle),
        (left, middle, right, middle),
    ]  # fmt: skip
    pen = rng.uniform(0.08, 0.13) * high
    lines = [bars[int(number)] for number in SEGMENTS[digit]]
    colour = np.array(((255, 60, 40), (60, 230, 90), (90, 200, 255))[rng.integers(3)])
    mask = lines_mask((side, side), lines, pen)
    return clean((side, side), [(mask, colour)], rng.uniform(0, 25, 3)), str(digit)


def thumb(digit: int, rng: Random) -> Answered:
    """A fingertip in a corner."""
    size = page(rng)
    mask, colour, paper = _written(digit, size, rng)
    tip, at = Image.new("L", size), rng.uniform(-0.02, 0.06, 2)
    x, y = (side * (a if rng.random() < 0.5 else 1 - a) for side, a in zip(size, at, strict=True))
    reach = rng.uniform(0.12, 0.22) * min(size)
    ImageDraw.Draw(tip).ellipse((x - reach, y - reach, x + reach, y + reach), fill=255)
    tip = tip.filter(ImageFilter.GaussianBlur(3))
    skin = np.array([205, 150, 120]) * rng.uniform(0.5, 1.05)
    return photographed(size, [(mask, colour), (tip, skin)], paper, rng), str(digit)


def shadow(digit: int, rng: Random) -> Answered:
    """The edge of a shadow, sharp or soft, across the page."""
    size = page(rng)
    mask, colour, paper = _written(digit, size, rng)
    return shot(flat(size, [(mask, colour)], paper) * light(size, rng, 1.0)[..., None], rng), str(
        digit
    )


def lined(digit: int, rng: Random) -> Answered:
    """On ruled paper, most of it with a margin, in ink."""
    size, step = page(rng), rng.uniform(28, 70)
    mask, colour, paper = _written(digit, size, rng)
    lines = ruling(size, step, rng)
    edge = rng.uniform(0.05, 0.2) * size[0]
    tilt, middle = rng.normal(0, 0.9), np.array(size) / 2
    blue, red = paper * np.array([0.6, 0.72, 0.92]), paper * np.array([0.95, 0.6, 0.6])
    layers = [(lines_mask(size, turned(lines, tilt, middle), rng.uniform(1, 2.5)), blue)]
    if rng.random() < 0.7:
        margin = turned([(edge, -size[1], edge, 2 * size[1])], tilt, middle)
        layers.append((lines_mask(size, margin, 2), red))
    return photographed(size, [*layers, (mask, colour)], paper, rng), str(digit)


def _written(digit: int, size: tuple[int, int], rng: Random):
    high = rng.uniform(0.2, 0.55) * min(size)
    mask = digit_mask(
        digit, size, high, rng.uniform(0.04, 0.1) * high, rng, wobble=rng.uniform(0, 2)
    )
    return mask, dark(rng), white(rng)


def exif(digit: int, rng: Random) -> Answered:
    """Lying on its side, with the tag that says so."""
    upright = Image.open(io.BytesIO(shadow(digit, rng)[0]))
    tag, way = ((6, Image.Transpose.ROTATE_90), (8, Image.Transpose.ROTATE_270))[rng.integers(2)]
    tags = Image.Exif()
    tags[0x0112] = tag
    return encode(upright.transpose(way), "JPEG", quality=90, exif=tags), str(digit)


def transparent(digit: int, rng: Random) -> Answered:
    """On a clear page whose hidden colours are noise."""
    side = int(rng.uniform(150, 500))
    high = rng.uniform(0.4, 0.9) * side
    mask = np.asarray(digit_mask(digit, (side, side), high, rng.uniform(0.07, 0.16) * high, rng))
    picture = rng.integers(0, 256, (side, side, 4)).astype(np.uint8)
    picture[mask > 0, :3] = dark(rng).clip(0, 255)
    picture[..., 3] = mask
    return encode(Image.fromarray(picture)), str(digit)


def several(digit: int, rng: Random) -> Answered:
    """Two to four digits in a row; now and then with a decimal point."""
    digits = [digit, *rng.integers(0, 10, int(rng.integers(1, 4))).tolist()]
    high = rng.uniform(90, 260)
    pen, size = (
        rng.uniform(0.06, 0.13) * high,
        (int(1.25 * high * len(digits) + high), int(2 * high)),
    )
    point = int(rng.integers(1, len(digits))) if rng.random() < 0.3 else 0
    masks, right = [], 0.3 * high
    for number, each in enumerate(digits):
        if point and number == point:
            y = high * 1.42
            masks.append(
                strokes_mask(
                    [np.array([(0, 0), (1, 1)])], size, 1.3 * pen, rng, (right + 0.15 * high, y)
                )
            )
            right += 0.2 * high
        own = digit_mask(
            each, size, high * rng.uniform(0.85, 1.1), pen, rng, (right + 0.6 * high, high)
        )
        left, _, end, _ = own.getbbox()
        move = round(right + rng.uniform(0.15, 0.5) * high - left)
        masks.append(ImageChops.offset(own, move, round(rng.normal(0, 0.05) * high)))
        right = end + move
    mask = masks[0]
    for other in masks[1:]:
        mask = ImageChops.lighter(mask, other)
    return either(size, [(mask, dark(rng))], white(rng), rng), "".join(map(str, digits))


def letter(digit: int, rng: Random) -> Answered:
    """No digit: a letter in a pen."""
    name = SINGLE[rng.integers(len(SINGLE))]
    made = leaning(rng, [0.1 * LETTER_SIDE + 0.8 * LETTER_SIDE * s for s in LETTERS[name]], 1.2)
    lines = [rounded(s) if rng.random() < 0.5 else s for s in made]
    side = int(rng.uniform(250, 900))
    scale = rng.uniform(0.35, 0.8) * side / LETTER_SIDE
    mask = strokes_mask([scale * s for s in lines], (side, side), rng.uniform(4, 11) * scale, rng)
    return either((side, side), [(mask, dark(rng))], white(rng), rng), ""


def scribble(digit: int, rng: Random) -> Answered:
    """No digit: lines in all directions."""
    side = int(rng.uniform(250, 900))
    points = rng.uniform(0.05, 0.95, (int(rng.integers(14, 60)), 2)) * side * rng.uniform(0.5, 1)
    mask = strokes_mask([points], (side, side), rng.uniform(0.012, 0.04) * side, rng)
    return either((side, side), [(mask, dark(rng))], white(rng), rng), ""


EVERYDAY: dict[str, Callable[[int, Random], Answered]] = {
    kind.__name__: kind
    for kind in (chalk, hair, seven_segments, thumb, shadow, lined, exif, transparent)
    + (several, letter, scribble)
}
