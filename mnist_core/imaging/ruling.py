"""Removes printed lines from a picture: ruled and squared paper, boxes, rows of boxes.

A line is printed when it runs over most of the picture, or when it is a wall of a box that has
something else inside. Where ink crosses a line, it is continued across; see `_bridged`. Lines may
be turned by up to 5°. Contrast is (h, w) float32, 0 on paper, 1 in black ink. Needs numpy only.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

MAX_SLOPE = 0.085  # 5°
SLOPES = 69  # tried in that range
POINTS = 12_000  # pixels of ink by which a slope is chosen
SPANNING = 0.6  # of the picture's side: such a line is printed, whatever it meets
SHORTEST = 0.07  # of the shorter side: the wall of a box
GAP = 4  # pixels that a line may be interrupted
THICKEST = 0.03  # of the shorter side
MEETS = 0.05  # of a box's size: how exactly its walls meet
EDGE = 0.01  # of the picture's side
INSIDE = 0.25  # of a box's height: ink that is lower than that is dirt
DARKER = 1.4  # ink is kept on a line when it is darker by this factor


@dataclass(frozen=True)
class Wall:
    """A piece of a straight line in sheared coordinates: along row `at`, from `start` to `stop`."""

    at: int
    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class _Direction:
    """The picture with its nearly horizontal lines made horizontal, by shifting whole columns."""

    def __init__(self, contrast: np.ndarray, least: float):
        self.slope = _slope(contrast > least)
        height, width = contrast.shape
        shift = np.rint(self.slope * (np.arange(width) - width / 2)).astype(int)
        self.rows = np.arange(height)[:, None] + shift
        self.inside = (self.rows >= 0) & (self.rows < height)
        self.columns = np.arange(width)
        self.rows = self.rows.clip(0, height - 1)
        self.least, self.thickest = least, max(3, round(THICKEST * min(contrast.shape)))

    def sheared(self, contrast: np.ndarray) -> np.ndarray:
        return np.where(self.inside, contrast[self.rows, self.columns], 0)

    def restored(self, sheared: np.ndarray, contrast: np.ndarray) -> np.ndarray:
        """The sheared picture as it lay; what the shear pushed out is as it was."""
        result = contrast.copy()
        rows, columns = np.nonzero(self.inside)
        result[self.rows[rows, columns], columns] = sheared[rows, columns]
        return result

    def walls(self, sheared: np.ndarray, shortest: float) -> list[Wall]:
        """Straight pieces of at least this length, the longest of those in neighbouring rows."""
        dark = sheared > self.least
        thick = dark.copy()
        thick[1:] |= dark[:-1]
        thick[:-1] |= dark[1:]
        found = sorted(_runs(thick, shortest), key=lambda wall: -wall.length)
        kept: list[Wall] = []
        for wall in found:
            if not any(self._same(wall, other) for other in kept):
                kept.append(wall)
        return [wall for wall in kept if self._thickness(dark, wall) <= self.thickest]

    def _same(self, a: Wall, b: Wall) -> bool:
        near = abs(a.at - b.at) <= self.thickest
        return near and min(a.stop, b.stop) > max(a.start, b.start)

    def _thickness(self, dark: np.ndarray, wall: Wall) -> int:
        first, last = _band(dark, wall, self.thickest + 2)
        return last - first

    def without(self, sheared: np.ndarray, walls: list[Wall]) -> np.ndarray:
        """The sheared picture without these lines."""
        result = sheared.copy()
        dark = sheared > 0.6 * self.least
        for wall in walls:
            first, last = _band(dark, wall, self.thickest + 2)
            first, last = max(0, first - 1), min(len(dark), last + 1)  # its blurred edges
            part = slice(max(0, wall.start - 2), wall.stop + 2)
            result[first:last, part] = _bridged(sheared, first, last, part)
        return result


def without_lines(contrast: np.ndarray, least: float) -> np.ndarray:
    """The contrast without printed lines; paper is where it is below `least`."""
    contrast = _without_boxes(contrast, least)
    for flipped in (False, True):
        picture = contrast.T if flipped else contrast
        if (picture > least).mean() > 0.5:
            continue
        direction = _Direction(picture, least)
        sheared = direction.sheared(picture)
        walls = direction.walls(sheared, SPANNING * picture.shape[1])
        if walls:
            picture = direction.restored(direction.without(sheared, walls), picture)
            contrast = picture.T if flipped else picture
    return contrast


def _slope(dark: np.ndarray) -> float:
    """The slope along which most ink lies in the fewest rows."""
    rows, columns = np.nonzero(dark)
    if len(rows) > POINTS:
        chosen = np.random.default_rng(0).choice(len(rows), POINTS, replace=False)
        rows, columns = rows[chosen], columns[chosen]
    middle = dark.shape[1] / 2
    slopes = np.linspace(-MAX_SLOPE, MAX_SLOPE, SLOPES)
    slopes = slopes[np.argsort(np.abs(slopes), kind="stable")]
    scores = []
    for slope in slopes:
        places = np.rint(rows - slope * (columns - middle)).astype(np.int64)
        counts = np.bincount(places - places.min()) if len(places) else np.zeros(1)
        scores.append(float((counts.astype(float) ** 2).sum()))
    return float(slopes[int(np.argmax(scores))])


def _runs(dark: np.ndarray, shortest: float) -> Iterator[Wall]:
    """Runs of ink along rows, over gaps of up to GAP pixels."""
    padded = np.pad(dark, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    (row, start), stop = np.nonzero(change == 1), np.nonzero(change == -1)[1]
    if not len(row):
        return
    joined = (row[1:] == row[:-1]) & (start[1:] - stop[:-1] <= GAP)
    first = np.concatenate([[True], ~joined])
    last = np.concatenate([~joined, [True]])
    begins, ends, rows = start[first], stop[last], row[first]
    for index in np.flatnonzero(ends - begins >= shortest):
        yield Wall(int(rows[index]), int(begins[index]), int(ends[index]))


def _band(dark: np.ndarray, wall: Wall, reach: int) -> tuple[int, int]:
    """First row and the row after the last of a line."""
    top = max(0, wall.at - reach)
    shares = dark[top : wall.at + reach + 1, wall.start : wall.stop].mean(axis=1)
    nearest = max(0, wall.at - top - 2)  # runs are looked for in rows that were made thicker
    middle = nearest + int(shares[nearest : wall.at - top + 3].argmax())
    first = last = middle
    while first > 0 and shares[first - 1] > 0.3:
        first -= 1
    while last < len(shares) - 1 and shares[last + 1] > 0.3:
        last += 1
    return top + first, top + last + 1


def _bridged(contrast: np.ndarray, first: int, last: int, part: slice) -> np.ndarray:
    """What lies on a line's rows without the line: the ink that goes on above and below.

    Ink goes straight across, at any slant up to 2:1; where it is clearly darker than the line it
    is as it was.
    """
    height = len(contrast)
    above = contrast[max(0, first - 2) : first].max(axis=0, initial=0)
    below = contrast[last : min(height, last + 2)].max(axis=0, initial=0)
    count, reach = last - first, 2 * (last - first + 2)
    shares = (np.arange(count) + 1) / (count + 1)
    result = np.zeros((count, contrast.shape[1]), contrast.dtype)
    for slant in range(-reach, reach + 1):
        for row, share in enumerate(shares):
            upper = _shifted(above, round(slant * share))
            lower = _shifted(below, round(slant * share) - slant)
            np.maximum(result[row], np.minimum(upper, lower), out=result[row])
    own = contrast[first:last]
    level = np.median(own[:, part].max(axis=0))
    result = np.where(own > DARKER * level + 0.05, own, np.minimum(result, own))
    return result[:, part]


def _shifted(values: np.ndarray, step: int) -> np.ndarray:
    """(n,) moved to the right by `step`; zeros come in."""
    result = np.zeros_like(values)
    if step >= 0:
        result[step:] = values[: len(values) - step]
    else:
        result[:step] = values[-step:]
    return result


def _without_boxes(contrast: np.ndarray, least: float) -> np.ndarray:
    """The contrast without the walls of boxes that hold something."""
    level, upright = _Direction(contrast, least), _Direction(contrast.T, least)
    shortest = SHORTEST * min(contrast.shape)
    across = _inner(level.walls(level.sheared(contrast), shortest), contrast.shape[1])
    down = _inner(upright.walls(upright.sheared(contrast.T), shortest), contrast.shape[0])
    if len(across) < 2 or len(down) < 2:
        return contrast
    chosen_across: set[Wall] = set()
    chosen_down: set[Wall] = set()
    found = list(_boxes(across, down, level, upright))
    for box_across, box_down in found:
        chosen_across.update(box_across)
        chosen_down.update(box_down)
    if not found:
        return contrast
    cleaned = _cleaned(contrast, level, upright, chosen_across, chosen_down)
    kept_across: set[Wall] = set()
    kept_down: set[Wall] = set()
    sizes = [size for walls in found if (size := _filled(cleaned, walls, level, least))]
    for walls in found:
        own = walls[0][1].at - walls[0][0].at
        if any(abs(own - size) <= 0.15 * size for size in sizes):
            kept_across.update(walls[0])
            kept_down.update(walls[1])
    if not kept_across:
        return contrast
    return _cleaned(contrast, level, upright, kept_across, kept_down)


def _inner(walls: list[Wall], side: int) -> list[Wall]:
    """Those that do not run from edge to edge, as the lines of paper do."""
    return [wall for wall in walls if wall.start > EDGE * side or wall.stop < (1 - EDGE) * side]


def _cleaned(
    contrast: np.ndarray,
    level: _Direction,
    upright: _Direction,
    across: set[Wall],
    down: set[Wall],
) -> np.ndarray:
    contrast = level.restored(
        level.without(level.sheared(contrast), sorted(across, key=str)), contrast
    )
    turned = contrast.T
    return upright.restored(
        upright.without(upright.sheared(turned), sorted(down, key=str)), turned
    ).T


Box = tuple[tuple[Wall, Wall], tuple[Wall, ...]]


def _boxes(
    across: list[Wall], down: list[Wall], level: _Direction, upright: _Direction
) -> Iterator[Box]:
    """Two lines above each other, and those that run from the one to the other."""
    for top in across:
        for bottom in across:
            height = bottom.at - top.at
            exact = MEETS * max(height, top.length) + 4
            alike = abs(top.start - bottom.start) < exact and abs(top.stop - bottom.stop) < exact
            if height < 8 or not alike:
                continue
            walls = tuple(wall for wall in down if _joins(wall, top, bottom, level, upright, exact))
            if len(walls) < 2:
                continue
            places = [_place(wall, level, upright)[1] for wall in walls]
            if min(places) < top.start + exact and max(places) > top.stop - exact:
                yield (top, bottom), walls


def _place(wall: Wall, level: _Direction, upright: _Direction) -> tuple[float, float, float]:
    """An upright wall's first row, column and last row, as rows of the `level` picture."""
    width, height = len(level.columns), len(upright.columns)
    middle = (wall.start + wall.stop) / 2
    column = wall.at + upright.slope * (middle - height / 2)
    shift = level.slope * (column - width / 2)
    return wall.start - shift, column, wall.stop - shift


def _joins(
    wall: Wall, top: Wall, bottom: Wall, level: _Direction, upright: _Direction, exact: float
) -> bool:
    first, column, last = _place(wall, level, upright)
    between = top.start - exact <= column <= top.stop + exact
    return between and abs(first - top.at) < exact and abs(last - bottom.at) < exact


def _filled(cleaned: np.ndarray, walls: Box, level: _Direction, least: float) -> int:
    """The height of a box in which something is written; 0 for an empty one."""
    (top, bottom), _ = walls
    height, edge = bottom.at - top.at, 3
    inner = level.sheared(cleaned)[top.at + edge : bottom.at - edge, top.start : top.stop]
    rows = (inner > least).any(axis=1)
    return height if rows.sum() > INSIDE * height else 0
