"""Pictures of what no data set of the lab holds: what a measure of novelty is fitted against.

Letters, figures of random strokes, scribbles, smudges, shapes with a texture, noise; and images of
the data set that were cut up, laid over each other or crossed out. All are made by random numbers
and go through the lab's own normalising. Some happen to look like a class; they are few.

Points are (x, y) in a square of side SIDE. Images are (28, 28) uint8, 0 = no ink.
"""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.imaging.letter_strokes import LETTERS, LIKE_DIGITS, rounded
from mnist_core.imaging.preprocess import BOX, centre, crop, fit

SIDE = 84  # pixels of the picture that strokes are drawn in
PEN = (4.0, 12.0)  # width
COLUMNS, ROWS = (22, 42, 62), (12, 32, 52, 72)  # the grid that figures are drawn on
PLAIN_LETTERS = tuple(letter for letter in LETTERS if letter not in LIKE_DIGITS)

Random = np.random.Generator


def novel_images(
    random: Random, images: np.ndarray, count: int, *, fill: bool = False
) -> np.ndarray:
    """(count, 28, 28) pictures; some are made from two of `images`, (N, 28, 28).

    `fill`: they fill all of 28×28, for data sets whose spec says `filled`.
    """
    made = []
    for kind in random.choice(len(KINDS), count, p=list(KINDS.values())):
        ink = list(KINDS)[kind](random, *images[random.integers(len(images), size=2)])
        made.append(normalised(ink, fill=fill) if kind < PLACED else _whole(random, ink, fill))
    return np.stack(made)


def normalised(ink: np.ndarray, *, fill: bool = False) -> np.ndarray:
    """(h, w) ink as a network would read it; black where there is none."""
    if ink.max() < 8:
        return np.zeros((IMAGE_SIDE, IMAGE_SIDE), np.uint8)
    fitted = fit(crop(ink), IMAGE_SIDE if fill else BOX)
    return fitted if fill else centre(fitted)


def _whole(random: Random, picture: np.ndarray, fill: bool) -> np.ndarray:
    """Half of them only shrunk, the others normalised."""
    if picture.shape == (IMAGE_SIDE, IMAGE_SIDE):
        return picture
    if random.random() < 0.5:
        return normalised(picture, fill=fill or random.random() < 0.5)
    small = Image.fromarray(picture).resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BOX)
    return np.asarray(small)


def drawn(strokes: Sequence[np.ndarray], width: float) -> np.ndarray:
    """(SIDE, SIDE) uint8: lines through the points, with round ends."""
    picture = Image.new("L", (SIDE, SIDE))
    pen, radius = ImageDraw.Draw(picture), width / 2
    for stroke in strokes:
        points = [tuple(point) for point in stroke.tolist()]
        pen.line(points, fill=255, width=max(1, round(width)), joint="curve")
        for x, y in (points[0], points[-1]):
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return np.asarray(picture)


def leaning(random: Random, strokes: Sequence[np.ndarray], jitter: float) -> list[np.ndarray]:
    """The strokes turned, sheared, stretched and made unsteady at random, about the middle."""
    angle = random.normal(0, 0.13)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    wide, high = np.exp(random.normal(0, 0.12, 2))
    matrix = turn @ np.array([[wide, random.normal(0, 0.15)], [0, high]])
    middle = SIDE / 2
    return [
        (stroke - middle + random.normal(0, jitter, stroke.shape)) @ matrix.T + middle
        for stroke in strokes
    ]


def letter(random: Random, name: str) -> np.ndarray:
    """(SIDE, SIDE) ink of a letter, its corners sharp or round."""
    strokes = leaning(random, [0.1 * SIDE + 0.8 * SIDE * s for s in LETTERS[name]], 1.7)
    smooth = random.random() < 0.7
    return drawn([rounded(s) if smooth else s for s in strokes], random.uniform(3, 10))


def _letter(random: Random, *_images: np.ndarray) -> np.ndarray:
    return letter(random, str(random.choice(PLAIN_LETTERS)))


def _stroke(random: Random) -> np.ndarray:
    """A line, a chain of lines, a curve, or an arc."""
    kind = random.integers(4)
    if kind == 3:
        start, turn = random.uniform(0, 2 * np.pi), random.uniform(0.7, 2.2) * np.pi
        angles = np.linspace(start, start + turn * random.choice([-1, 1]), 20)
        ring = np.column_stack([np.cos(angles), np.sin(angles)])
        return random.uniform(20, 64, 2) + ring * random.uniform(8, 30, 2)
    points = random.uniform(12, 72, (2 if kind == 0 else int(random.integers(3, 7)), 2))
    return rounded(points) if kind == 2 else points


def _strokes(random: Random, *_images: np.ndarray) -> np.ndarray:
    count = int(random.integers(1, 5))
    return drawn([_stroke(random) for _ in range(count)], random.uniform(*PEN))


def _smudge(random: Random, *_images: np.ndarray) -> np.ndarray:
    """Many strokes over each other, or one long scribble."""
    width = random.uniform(3, 9)
    if random.random() < 0.4:
        points = random.uniform(8, 76, (int(random.integers(7, 20)), 2))
        return drawn([rounded(points) if random.random() < 0.5 else points], width)
    return drawn([_stroke(random) for _ in range(int(random.integers(3, 9)))], width)


def _figure(random: Random, *_images: np.ndarray) -> np.ndarray:
    """As signs of any writing: strokes between points of a grid, most of them joined."""
    strokes: list[np.ndarray] = []
    for _ in range(int(random.integers(1, 5))):
        points = np.column_stack([random.choice(COLUMNS, 4), random.choice(ROWS, 4)]).astype(float)
        points = points[: int(random.integers(2, 5))] + random.normal(0, 1, 2)
        if strokes and random.random() < 0.75:
            points[0] = strokes[-1][random.integers(len(strokes[-1]))]
        strokes.append(rounded(points) if random.random() < 0.5 else points)
    return drawn(leaning(random, strokes, 0.7), random.uniform(*PEN))


def _cut(random: Random, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """The upper or left part of one image, the rest of another."""
    made, at = one.copy(), int(random.integers(10, 18))
    if random.random() < 0.5:
        made[at:] = other[at:]
    else:
        made[:, at:] = other[:, at:]
    return made


def _over(random: Random, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Two images over each other."""
    made = np.pad(one, 6)
    y, x = random.integers(0, 12, 2)
    part = made[y : y + IMAGE_SIDE, x : x + IMAGE_SIDE]
    np.maximum(part, other, out=part)
    return made


def _crossed(random: Random, one: np.ndarray, _: np.ndarray) -> np.ndarray:
    """An image with one stroke too many."""
    large = Image.fromarray(one).resize((56, 56), Image.Resampling.BICUBIC)
    return np.maximum(np.pad(np.asarray(large), 14), drawn([_stroke(random)], random.uniform(4, 9)))


def _shape(random: Random, *_images: np.ndarray) -> np.ndarray:
    """A filled outline, most of them symmetric, with a texture and a few stripes."""
    picture = Image.new("L", (SIDE, SIDE))
    pen, count = ImageDraw.Draw(picture), int(random.integers(3, 8))
    wide, high = random.uniform(10, 38, 2)
    down = 42 + high * np.linspace(-1, 1, count)
    sides = random.uniform(0.4, 1, (2, count)) * wide
    right, left = sides if random.random() < 0.2 else (sides[0], sides[0])
    across, along = [*(42 + right), *(42 - left[::-1])], [*down, *down[::-1]]
    outline = [(float(x), float(y)) for x, y in zip(across, along, strict=True)]
    pen.polygon(outline, fill=255)
    for _ in range(int(random.integers(0, 3))):
        line = [(float(x), float(y)) for x, y in random.uniform(10, 74, (2, 2))]
        grey, broad = int(random.integers(0, 256)), int(random.integers(2, 14))
        pen.line(line, fill=grey, width=broad)
    cloth = _clouds(random, SIDE) * random.uniform(0, 0.9)
    shaded = np.asarray(picture) * (1 - cloth) * random.uniform(0.5, 1)
    return (shaded.T if random.random() < 0.3 else shaded).astype(np.uint8)


def _clouds(random: Random, side: int) -> np.ndarray:
    """(side, side) smooth random values from 0 to 1."""
    count = int(random.integers(2, 12))
    coarse = Image.fromarray(random.uniform(0, 1, (count, count)).astype(np.float32))
    return np.asarray(coarse.resize((side, side), Image.Resampling.BICUBIC)).clip(0, 1)


def _texture(random: Random, one: np.ndarray, _: np.ndarray) -> np.ndarray:
    """Noise, an image's negative, one grey, or clouds."""
    kind, shape = random.integers(4), (IMAGE_SIDE, IMAGE_SIDE)
    if kind == 0:
        return random.integers(0, 256, shape).astype(np.uint8)
    if kind == 1:
        return np.asarray(255 - one)
    if kind == 2:
        grey = random.integers(0, 256) * (random.random() < 0.8)  # one in five is black
        return np.full(shape, grey, np.uint8)
    contrast = (_clouds(random, IMAGE_SIDE) - random.uniform(0.2, 0.6)) * random.uniform(1, 6)
    return (255 * contrast.clip(0, 1)).astype(np.uint8)


# How often each kind is made. The first PLACED are scaled and centred like a drawing.
KINDS: dict[Callable[..., np.ndarray], float] = {
    _letter: 0.28,
    _figure: 0.17,
    _strokes: 0.13,
    _cut: 0.08,
    _over: 0.03,
    _crossed: 0.03,
    _smudge: 0.14,
    _shape: 0.08,
    _texture: 0.06,
}
PLACED = 6
