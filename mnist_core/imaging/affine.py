"""Shifts, rotates and scales a 28×28 image, and finds where a network's answer changes."""

from dataclasses import dataclass, replace

import numpy as np
from PIL import Image

from mnist_core.dataset_specs import IMAGE_SIDE

FINER = 4  # the image is enlarged by this factor, moved, and averaged down again


@dataclass(frozen=True)
class Axis:
    """One way to move: values from `low` to `high`, of which `neutral` changes nothing."""

    name: str
    title: str
    unit: str
    low: float
    high: float
    step: float
    neutral: float

    @property
    def values(self) -> np.ndarray:
        """(N,) all values, `neutral` among them."""
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
    """(28, 28) uint8: the image turned and scaled about its centre, then shifted.

    What leaves the image is lost; what comes in is black.
    """
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
    """(N, 28, 28) uint8: the image moved along one axis, for each of its values."""
    return np.stack([moved(image, replace(move, **{axis.name: v})) for v in axis.values.tolist()])


def flips(answers: np.ndarray, axis: Axis) -> tuple[float, float]:
    """The range of an axis over which the answer stays what it is at `neutral`.

    `answers`: (N,) labels, one for each value of the axis. Returns the lowest and the highest value
    of that range, which contains `neutral`.
    """
    middle = int(np.abs(axis.values - axis.neutral).argmin())
    others = np.flatnonzero(answers != answers[middle])
    first = others[others < middle].max(initial=-1) + 1
    last = others[others > middle].min(initial=len(answers)) - 1
    return float(axis.values[first]), float(axis.values[last])
