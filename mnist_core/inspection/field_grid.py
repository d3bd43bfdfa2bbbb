"""The receptive fields of all units of a map, and what sliding windows and joining do to them.

Two things are tracked for every map: the classic arithmetic of start, size and jump on an
infinite grid (A. Araujo, W. Norris, J. Sim: Computing Receptive Fields of Convolutional Neural
Networks. Distill, 2019), and for every unit the exact bounding box of the pixels that it
reaches, which takes padding and dropped borders into account.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

import numpy as np

T = TypeVar("T")
Pair = tuple[int, int]
# For each of the two axes, and every unit of the new map: the units of the old map it reads.
Taps = Sequence[Sequence[range]]

# A reach holds (top, left, -bottom, -right) for every unit, so that every union is a minimum.
NOTHING = 1 << 40


def pair_of(items: Iterable[T]) -> tuple[T, T]:
    """The two items, one for each axis. Raises ValueError for more or fewer."""
    vertical, horizontal = items
    return vertical, horizontal


@dataclass(frozen=True)
class Axis:
    """One axis of a map on the infinite grid: where each unit's field starts and stops."""

    start: np.ndarray
    stop: np.ndarray
    jump: Fraction

    def slide(self, taps: Sequence[range], stride: Fraction | int) -> Axis:
        start = [math.floor(self._edge(self.start, units[0])) for units in taps]
        stop = [math.ceil(self._edge(self.stop, units[-1])) for units in taps]
        return Axis(np.array(start), np.array(stop), self.jump * stride)

    def _edge(self, edges: np.ndarray, unit: int) -> Fraction:
        """The edge of a unit's field; beyond the border the grid continues with its jump."""
        nearest = min(max(unit, 0), len(edges) - 1)
        return int(edges[nearest]) + (unit - nearest) * self.jump

    def fit(self, units: int) -> Axis:
        if len(self.start) == units:
            return self
        return Axis(np.repeat(self.start, units), np.repeat(self.stop, units), Fraction(0))


@dataclass(frozen=True)
class Grid:
    """The fields of all units of a map: `axes` on the infinite grid, `reach` (4, rows, cols)."""

    axes: tuple[Axis, Axis]
    reach: np.ndarray
    whole: bool = False

    @staticmethod
    def image(side: int) -> Grid:
        at = np.arange(side)
        rows, cols = np.meshgrid(at, at, indexing="ij")
        axis = Axis(at, at + 1, Fraction(1))
        return Grid((axis, axis), np.stack([rows, cols, -rows - 1, -cols - 1]))

    @property
    def extent(self) -> Pair:
        """Rows and columns of units."""
        return pair_of(self.reach.shape[1:])

    def box(self, row: int, col: int) -> tuple[int, int, int, int]:
        top, left, bottom, right = (int(edge) for edge in self.reach[:, row, col])
        return (0, 0, 0, 0) if top == NOTHING else (top, left, -bottom, -right)

    def slide(self, taps: Taps, stride: Sequence[Fraction | int]) -> Grid:
        """Unit (r, c) of the new map reads the units taps[0][r] × taps[1][c] of this one."""
        axes = pair_of(a.slide(t, s) for a, t, s in zip(self.axes, taps, stride, strict=True))
        reach = self.reach
        for dim, units in enumerate(taps, start=1):
            inside = [[u for u in unit if 0 <= u < reach.shape[dim]] for unit in units]
            seen = [reach.take(unit, dim).min(dim, initial=NOTHING) for unit in inside]
            reach = np.stack(seen, dim)
        return Grid(axes, reach, self.whole)

    def everything(self) -> Grid:
        """One unit that reads all units of this map."""
        axes = pair_of(axis.slide([range(len(axis.start))], 0) for axis in self.axes)
        return Grid(axes, self.reach.min((1, 2), keepdims=True), whole=True)

    def fit(self, rows: int, cols: int) -> Grid:
        """Repeated along axes of length 1, as tensors are when they are broadcast."""
        axes = (self.axes[0].fit(rows), self.axes[1].fit(cols))
        return Grid(axes, np.broadcast_to(self.reach, (4, rows, cols)), self.whole)

    def __or__(self, other: Grid) -> Grid:
        """Each unit reads the same unit of both maps, broadcast where they differ in size."""
        axes = pair_of(
            Axis(np.minimum(a.start, b.start), np.maximum(a.stop, b.stop), max(a.jump, b.jump))
            for a, b in zip(self.axes, other.axes, strict=True)
        )
        return Grid(axes, np.minimum(self.reach, other.reach), self.whole or other.whole)
