"""One drawing for each data set, made of lines: something to show before a visitor has drawn.

Points are in a square of side 1, x to the right and y down. No image of any data set is used.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.dataset_specs import IMAGE_SIDE, dataset_spec


@dataclass(frozen=True)
class Example:
    """`what` it shows, in words; `label` its class, if any; its pen strokes and filled outlines."""

    what: str
    label: int | None
    strokes: tuple[tuple[tuple[float, float], ...], ...] = ()
    shapes: tuple[tuple[tuple[float, float], ...], ...] = ()


FIVE = Example(
    "a 5",
    5,
    strokes=(
        ((0.68, 0.20), (0.52, 0.20), (0.41, 0.21)),
        ((0.41, 0.21), (0.385, 0.33), (0.37, 0.46))
        + ((0.48, 0.42), (0.60, 0.46), (0.66, 0.58), (0.61, 0.71), (0.50, 0.80), (0.35, 0.79)),
    ),
)
Strokes = tuple[tuple[tuple[float, float], ...], ...]


def _ring(x: float, y: float, wide: float, high: float) -> tuple[tuple[float, float], ...]:
    """A closed line around a point, from its top on."""
    turns = np.linspace(-np.pi / 2, 1.5 * np.pi, 9)
    return tuple((x + wide * float(np.cos(t)), y + high * float(np.sin(t))) for t in turns)


# The ten digits as a pen draws them, by class.
DIGITS: tuple[Strokes, ...] = (
    (_ring(0.5, 0.5, 0.2, 0.31),),
    (((0.53, 0.19), (0.5, 0.5), (0.47, 0.81)),),
    (
        ((0.35, 0.31), (0.4, 0.2), (0.55, 0.18), (0.65, 0.28), (0.62, 0.42), (0.48, 0.6))
        + ((0.34, 0.79), (0.35, 0.8), (0.5, 0.79), (0.68, 0.79)),
    ),
    (
        ((0.37, 0.23), (0.48, 0.18), (0.62, 0.21), (0.63, 0.38), (0.5, 0.47), (0.46, 0.47)),
        ((0.47, 0.47), (0.6, 0.5), (0.68, 0.62), (0.6, 0.78), (0.46, 0.82), (0.34, 0.75)),
    ),
    (
        ((0.36, 0.2), (0.34, 0.36), (0.32, 0.5)),
        ((0.32, 0.52), (0.48, 0.51), (0.66, 0.49)),
        ((0.63, 0.2), (0.61, 0.5), (0.59, 0.81)),
    ),
    FIVE.strokes,
    (
        ((0.6, 0.19), (0.45, 0.32), (0.36, 0.5), (0.35, 0.68), (0.42, 0.8), (0.55, 0.81))
        + ((0.64, 0.72), (0.62, 0.58), (0.5, 0.53), (0.38, 0.62)),
    ),
    (((0.33, 0.22), (0.5, 0.2), (0.67, 0.2)), ((0.67, 0.2), (0.55, 0.5), (0.45, 0.81))),
    (_ring(0.5, 0.33, 0.14, 0.14), _ring(0.5, 0.65, 0.17, 0.17)),
    (
        _ring(0.48, 0.36, 0.16, 0.16),
        ((0.64, 0.34), (0.63, 0.56), (0.59, 0.81)),
    ),
)
CIRCLE = Example(
    "a circle",
    None,
    strokes=(
        ((0.50, 0.20), (0.76, 0.24), (0.80, 0.50), (0.76, 0.76), (0.50, 0.80))
        + ((0.24, 0.76), (0.20, 0.50), (0.24, 0.24), (0.50, 0.20)),
    ),
)
EXAMPLES = {
    "MNIST": FIVE,
    "QMNIST": FIVE,
    "KMNIST": Example(
        "the kana つ tsu",
        3,
        strokes=(
            ((0.16, 0.42), (0.30, 0.36), (0.50, 0.29), (0.68, 0.30), (0.81, 0.41))
            + ((0.80, 0.56), (0.68, 0.68), (0.50, 0.75), (0.36, 0.78)),
        ),
    ),
    "FashionMNIST": Example(
        "trousers",
        1,
        shapes=(
            ((0.37, 0.08), (0.63, 0.08), (0.66, 0.40), (0.67, 0.92), (0.55, 0.92))
            + ((0.505, 0.32), (0.495, 0.32), (0.45, 0.92), (0.33, 0.92), (0.34, 0.40)),
        ),
    ),
}


def example_for(dataset: str) -> Example:
    """The data set's own example; a circle for one that has none."""
    return EXAMPLES.get(dataset, CIRCLE)


def strokes_of(dataset: str, label: int) -> Strokes | None:
    """A class as strokes of a pen; None where the lab cannot draw it."""
    return DIGITS[label] if dataset in ("MNIST", "QMNIST") else None


def ink(strokes: Strokes) -> float:
    """The length of the pen's way."""
    return sum(float(np.hypot(*np.diff(np.array(line), axis=0).T).sum()) for line in strokes)


def example_image(dataset: str, side: int = IMAGE_SIDE) -> np.ndarray:
    """(side, side) uint8: the data set's example as an image like its own."""
    return draw(example_for(dataset), side=side, finer=8)[..., 3]


def drawn_digits() -> np.ndarray:
    """(10, 28, 28) uint8: the lab's own ten digits, placed as MNIST's are."""
    from mnist_core.imaging.preprocess import from_canvas

    found = [from_canvas(draw(Example("", label, strokes))) for label, strokes in enumerate(DIGITS)]
    return np.stack([stages.final for stages in found if stages])


def drawn_examples(dataset: str) -> tuple[np.ndarray, list[str]]:
    """(N, 28, 28) uint8: what the lab can draw of a data set's classes; and what each shows."""
    if strokes_of(dataset, 0):
        return drawn_digits(), list(dataset_spec(dataset).classes)
    return example_image(dataset)[None], [example_for(dataset).what]


def draw(example: Example, side: int = 280, width: float = 0.072, finer: int = 3) -> np.ndarray:
    """(side, side, 4) uint8 RGBA: white ink on a transparent ground, like the canvas.

    `width`: of the pen, as a share of the side.
    """
    large = Image.new("L", (side * finer, side * finer))
    pen, radius = ImageDraw.Draw(large), width * side * finer / 2
    for shape in example.shapes:
        pen.polygon([(x * side * finer, y * side * finer) for x, y in shape], fill=255)
    for stroke in example.strokes:
        for x, y in rounded(np.array(stroke)) * side * finer:
            pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    picture = np.full((side, side, 4), 255, np.uint8)
    picture[..., 3] = np.asarray(large.reduce(finer))
    return picture


def rounded(points: np.ndarray, rounds: int = 7) -> np.ndarray:
    """A smooth line along (N, 2) points, as many closer ones: corners are cut again and again.

    G. M. Chaikin: An algorithm for high-speed curve generation (1974).
    """
    for _ in range(rounds):
        ahead, behind = points[:-1], points[1:]
        cut = np.stack([0.75 * ahead + 0.25 * behind, 0.25 * ahead + 0.75 * behind], axis=1)
        points = np.concatenate([points[:1], cut.reshape(-1, 2), points[-1:]])
    return points
