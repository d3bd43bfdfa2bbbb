"""One drawing for each data set, made of lines: something to show before a visitor has drawn.

Points are in a square of side 1, x to the right and y down. No image of any data set is used.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from mnist_core.dataset_specs import IMAGE_SIDE


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


def example_image(dataset: str, side: int = IMAGE_SIDE) -> np.ndarray:
    """(side, side) uint8: the data set's example as an image like its own."""
    return draw(example_for(dataset), side=side, finer=8)[..., 3]


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
