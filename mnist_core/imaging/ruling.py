"""Removes printed lines from a picture: ruled and squared paper, boxes, rows of boxes.

A line is printed when it runs over most of the picture, or when it is a wall of a box that has
something else inside. Lines may be turned by up to 5°. Contrast is (h, w) float32, 0 on paper, 1 in
black ink. Needs numpy only.
"""

import itertools
from collections.abc import Callable, Iterator

import numpy as np

from mnist_core.imaging.straight_lines import Direction, Wall

SPANNING = 0.6  # of the picture's side: such a line is printed, whatever it meets
FEW = 3  # upright lines that end inside the picture are printed if there are at least this many
SHORTEST = 0.15  # of the shorter side: the wall of a box
MEETS = 0.05  # of a box's size: how exactly its walls meet
EDGE = 0.01  # of the picture's side
INSIDE = 0.25  # of a box's height: ink that is lower than that is dirt
Box = tuple[tuple[Wall, Wall], tuple[Wall, ...]]


def without_lines(contrast: np.ndarray, least: float, faint: float | None = None) -> np.ndarray:
    """The contrast without printed lines; paper is where it is below `least`.

    What is above `faint` may be a line where it runs over most of the picture.
    """
    contrast, faint = _without_boxes(contrast, least), faint or least
    level, upright = (_spanning(contrast, least, faint, flipped) for flipped in (False, True))
    if not level or not upright:
        one = level or upright
        return one(contrast, True) if one else contrast
    # Ink that runs along a line is told from the lines that cross it where those are gone.
    across = level(upright(contrast, False), True)
    down = upright(level(contrast, False), True)
    return np.maximum(across, down)


def _spanning(
    contrast: np.ndarray, least: float, faint: float, flipped: bool
) -> Callable[[np.ndarray, bool], np.ndarray] | None:
    """What takes out the lines over most of the picture; None where there are none.

    It is given the picture, and whether ink that runs along a line is kept. `flipped`: of upright
    lines. A few of those may be strokes, such as a 1, where they end inside the picture.
    """
    picture = contrast.T if flipped else contrast
    if not _may_span(picture > faint):
        return None
    direction, length = Direction(picture, least, faint), picture.shape[1]
    walls = direction.walls(picture, SPANNING * length, faint)
    if flipped and _count(walls, direction.thickest) < FEW:
        walls = _outer(walls, length)
    if not walls:
        return None

    def without(given: np.ndarray, along: bool) -> np.ndarray:
        cleaned = direction.without(given.T if flipped else given, walls, along)
        return cleaned.T if flipped else cleaned

    return without


def _count(walls: list[Wall], apart: int) -> int:
    """How many lines these are: some are of the same line."""
    places = sorted(wall.at for wall in walls)
    return len(places) and 1 + sum(b - a > apart for a, b in itertools.pairwise(places))


def _outer(walls: list[Wall], side: int) -> list[Wall]:
    """Those that reach the picture's edge."""
    return [wall for wall in walls if wall.start < EDGE * side or wall.stop > (1 - EDGE) * side]


def _may_span(dark: np.ndarray) -> bool:
    """Whether there is ink in enough columns for a line over most of the picture."""
    return bool(dark.any(axis=0).mean() > SPANNING and dark.mean() < 0.5)


def _without_boxes(contrast: np.ndarray, least: float) -> np.ndarray:
    """The contrast without the walls of boxes that hold something."""
    shortest = SHORTEST * min(contrast.shape)
    level = Direction(contrast, least)
    across = _inner(level.walls(contrast, shortest), contrast.shape[1])
    if not _has_pair(across):
        return contrast
    upright = Direction(contrast.T, least)
    down = _inner(upright.walls(contrast.T, shortest), contrast.shape[0])
    found = list(_boxes(across, down, level, upright))
    if not found:
        return contrast
    cleaned = _cleaned(contrast, level, upright, found)
    filled = [size for walls in found if (size := _filled(cleaned, walls, level, least))]
    kept = [walls for walls in found if any(_alike(_height(walls), size) for size in filled)]
    if len(kept) == len(found):
        return cleaned
    return _cleaned(contrast, level, upright, kept) if kept else contrast


def _inner(walls: list[Wall], side: int) -> list[Wall]:
    """Those that do not run from edge to edge, as the lines of paper do."""
    return [wall for wall in walls if wall.start > EDGE * side or wall.stop < (1 - EDGE) * side]


def _has_pair(walls: list[Wall]) -> bool:
    """Whether any two begin and end at the same place."""
    return any(_end_alike(a, b, _exact(a, b)) for i, a in enumerate(walls) for b in walls[i + 1 :])


def _exact(top: Wall, bottom: Wall) -> float:
    """How far a box's walls may miss each other, in pixels."""
    return _miss(max(abs(bottom.at - top.at), top.length))


def _miss(length: int) -> float:
    return MEETS * length + min(4.0, MEETS * length)


def _end_alike(top: Wall, bottom: Wall, exact: float) -> bool:
    return abs(top.start - bottom.start) < exact and abs(top.stop - bottom.stop) < exact


def _cleaned(
    contrast: np.ndarray, level: Direction, upright: Direction, boxes: list[Box]
) -> np.ndarray:
    contrast = level.without(contrast, {wall for across, _ in boxes for wall in across})
    return upright.without(contrast.T, {wall for _, down in boxes for wall in down}).T


def _boxes(
    across: list[Wall], down: list[Wall], level: Direction, upright: Direction
) -> Iterator[Box]:
    """Two lines above each other, and those that run from the one to the other."""
    for top in across:
        for bottom in across:
            exact = _exact(top, bottom)
            if bottom.at - top.at < 8 or not _end_alike(top, bottom, exact):
                continue
            walls = tuple(wall for wall in down if _joins(wall, top, bottom, level, upright, exact))
            places = [_place(wall, level, upright)[1] for wall in walls]
            if places and min(places) < top.start + exact and max(places) > top.stop - exact:
                yield (top, bottom), walls


def _place(wall: Wall, level: Direction, upright: Direction) -> tuple[float, float, float]:
    """An upright wall's first row, column and last row, as rows of the `level` picture."""
    middle = (wall.start + wall.stop) / 2
    column = wall.at + upright.slope * (middle - upright.width / 2)
    shift = level.slope * (column - level.width / 2)
    return wall.start - shift, column, wall.stop - shift


def _joins(
    wall: Wall, top: Wall, bottom: Wall, level: Direction, upright: Direction, exact: float
) -> bool:
    first, column, last = _place(wall, level, upright)
    between = top.start - exact <= column <= top.stop + exact
    ends = _miss(bottom.at - top.at)
    return between and abs(first - top.at) < ends and abs(last - bottom.at) < ends


def _filled(cleaned: np.ndarray, walls: Box, level: Direction, least: float) -> int:
    """The height of a box in which something is written; 0 for an empty one."""
    (top, bottom), _ = walls
    inner = level.level(cleaned)[top.at + 3 : bottom.at - 3, top.start : top.stop]
    rows = (inner > least).any(axis=1)
    return _height(walls) if rows.sum() > INSIDE * _height(walls) else 0


def _height(walls: Box) -> int:
    (top, bottom), _ = walls
    return bottom.at - top.at


def _alike(height: int, other: int) -> bool:
    return abs(height - other) <= 0.15 * other
