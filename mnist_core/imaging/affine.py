"""Moves a 28×28 image about (shift, turn, size), and finds where a network's answer flips."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mnist_core.dataset_specs import IMAGE_SIDE

FINER = 4  # the image is moved this many times larger, and then averaged


@dataclass(frozen=True)
class Axis:
    """One way to move: its values from `low` to `high`; at `still` it changes nothing."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    step: float
    still: float

    @property
    def values(self) -> np.ndarray:
        """(N,) all values, `still` among them."""
        count = round((self.high - self.low) / self.step) + 1
        return np.round(self.low + self.step * np.arange(count), 6)


AXES = (
    Axis("right", "Shift to the right", "pixels", -10, 10, 1, 0),
    Axis("down", "Shift down", "pixels", -10, 10, 1, 0),
    Axis("turn", "Turn clockwise", "°", -90, 90, 7.5, 0),
    Axis("size", "Size", "×", 0.4, 1.6, 0.05, 1),
)


@dataclass(frozen=True)
class Move:
    """Shift in pixels of 28, turn in degrees clockwise, size as a factor."""

    right: float = 0.0
    down: float = 0.0
    turn: float = 0.0
    size: float = 1.0


def moved(image: np.ndarray, move: Move) -> np.ndarray:
    """(28, 28) uint8, turned and scaled about its middle, then shifted; what leaves is lost."""
    if move == Move():
        return image
    angle = np.radians(move.turn)
    # For each pixel of the result: where it comes from.
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]]) / move.size
    middle = IMAGE_SIDE * FINER / 2
    start = middle - turn @ (middle + FINER * np.array([move.right, move.down]))
    rows = [*turn[0], start[0], *turn[1], start[1]]
    large = Image.fromarray(image).resize((IMAGE_SIDE * FINER,) * 2, Image.Resampling.NEAREST)
    there = large.transform(large.size, Image.Transform.AFFINE, rows, Image.Resampling.BILINEAR)
    return np.asarray(there.reduce(FINER))


def along(image: np.ndarray, move: Move, axis: Axis) -> np.ndarray:
    """(N, 28, 28) uint8: the moved image at every value of one axis, the others as they are."""
    return np.stack([moved(image, replace(move, **{axis.name: v})) for v in axis.values.tolist()])


def flips(answers: np.ndarray, axis: Axis) -> tuple[float, float]:
    """Of the answers, (N,) labels, along an axis: from where to where the one at rest holds.

    The two are the last values, each way from `still`, that still get the answer of `still`.
    """
    middle = int(np.abs(axis.values - axis.still).argmin())
    same = answers == answers[middle]
    first, last = middle, middle
    while first > 0 and same[first - 1]:
        first -= 1
    while last < len(same) - 1 and same[last + 1]:
        last += 1
    return float(axis.values[first]), float(axis.values[last])
