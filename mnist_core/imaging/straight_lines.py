"""Finds straight lines that are nearly level, and takes them out of a picture.

A picture is contrast, (h, w) float32: 0 on paper, 1 in black ink. Lines may be turned by up to 5°:
they are made level by moving whole columns up or down. Where ink crosses a line that is taken out,
it is continued across; see `_bridged`. Needs numpy only.
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

MAX_SLOPE = 0.085  # 5°
SLOPES = 69  # tried in that range
POINTS = 3_000  # pixels of ink by which a slope is chosen
GAP = 4  # pixels that a line may be interrupted
THICKEST = 0.03  # of the shorter side
CLOSEST = 8  # pixels: rows of one line; lines of paper are farther apart
FAINTEST = 0.1  # contrast of ink beside a line
GOES_ON = 0.5  # of the contrast beside a line: ink that is fainter on the line ends there
DARKER = 1.4  # ink is kept on a line when it is darker by this factor
BESIDE = 0.6  # of the line's contrast: ink that runs along the line, and partly on it
ALONG = 3.0  # of the line's thickness: how long such ink is at least


@dataclass(frozen=True, order=True)
class Wall:
    """A piece of a straight line in the levelled picture: along row `at`, from `start` to
    `stop`."""

    at: int
    start: int
    stop: int

    @property
    def length(self) -> int:
        return self.stop - self.start


class Direction:
    """A picture with its nearly level lines made level. `least`: fainter contrast is paper.

    `faint`: of lines, which may be fainter.
    """

    def __init__(self, contrast: np.ndarray, least: float, faint: float | None = None):
        self.height, self.width = contrast.shape
        self.faint = faint or least
        self.slope = _slope(contrast > self.faint)
        self.least, self.thickest = least, max(3, round(THICKEST * min(contrast.shape)))

    def level(self, contrast: np.ndarray) -> np.ndarray:
        """The picture with its columns moved so that lines are level."""
        result = np.zeros_like(contrast)
        for columns, here, there in self._moves():
            result[here, columns] = contrast[there, columns]
        return result

    def restored(self, level: np.ndarray, contrast: np.ndarray) -> np.ndarray:
        """The levelled picture as it lay; what had been moved out of it is as in `contrast`."""
        result = contrast.copy()
        for columns, here, there in self._moves():
            result[there, columns] = level[here, columns]
        return result

    def without(
        self, contrast: np.ndarray, walls: Iterable[Wall], along: bool = False
    ) -> np.ndarray:
        """The picture, as it lay, without these lines.

        `along`: ink that runs along a line, and partly on it, is kept.
        """
        level = self.level(contrast)
        dark = level > min(0.6 * self.least, self.faint)
        result = level.copy()
        for wall in sorted(walls):
            first, last = _band(dark, wall, self.thickest + 2)
            first, last = max(0, first - 1), min(len(dark), last + 1)  # its blurred edges
            part = slice(max(0, wall.start - 2), wall.stop + 2)
            result[first:last, part] = _bridged(level, first, last, part, along)
        return self.restored(result, contrast)

    def walls(
        self, contrast: np.ndarray, shortest: float, faint: float | None = None
    ) -> list[Wall]:
        """Straight pieces of at least this length, the longest of those in neighbouring rows."""
        dark = self.level(contrast > (faint or self.least))
        thick = dark.copy()
        thick[1:] |= dark[:-1]
        thick[:-1] |= dark[1:]
        kept: list[Wall] = []
        for wall in sorted(_runs(thick, shortest), key=lambda wall: -wall.length):
            if not any(self._same(wall, other) for other in kept):
                kept.append(wall)
        return [wall for wall in kept if self._thickness(dark, wall) <= self.thickest]

    def _moves(self) -> Iterator[tuple[slice, slice, slice]]:
        """Columns that move together; their rows in the levelled picture, and as they lay."""
        shift = np.rint(self.slope * (np.arange(self.width) - self.width / 2)).astype(int)
        ends = [0, *(np.flatnonzero(np.diff(shift)) + 1), self.width]
        for first, last in itertools.pairwise(ends):
            down, up = max(0, -shift[first]), max(0, shift[first])
            here, there = slice(down, self.height - up), slice(up, self.height - down)
            yield slice(first, last), here, there

    def _same(self, a: Wall, b: Wall) -> bool:
        near = abs(a.at - b.at) <= min(self.thickest, CLOSEST)
        return near and min(a.stop, b.stop) > max(a.start, b.start)

    def _thickness(self, dark: np.ndarray, wall: Wall) -> int:
        first, last = _band(dark, wall, self.thickest + 2)
        return last - first


def _slope(dark: np.ndarray) -> float:
    """The slope along which most ink lies in the fewest rows."""
    places = np.flatnonzero(dark)
    if not len(places):
        return 0.0
    if len(places) > POINTS:
        places = np.random.default_rng(0).choice(places, POINTS, replace=False)
    rows, columns = np.divmod(places, dark.shape[1])
    beside = (columns - dark.shape[1] / 2).astype(np.float32)
    down = (rows + MAX_SLOPE * dark.shape[1]).astype(np.float32)  # stays positive
    slopes = np.linspace(-MAX_SLOPE, MAX_SLOPE, SLOPES)
    slopes = slopes[np.argsort(np.abs(slopes), kind="stable")]
    scores = []
    for slope in slopes:
        counts = np.bincount((down - np.float32(slope) * beside + 0.5).astype(np.int64))
        scores.append(int((counts**2).sum()))
    return float(slopes[int(np.argmax(scores))])


def _runs(dark: np.ndarray, shortest: float) -> Iterator[Wall]:
    """Runs of ink along rows, over gaps of up to GAP pixels."""
    busy = np.flatnonzero(dark.sum(axis=1, dtype=np.int32) * (1 + GAP) >= shortest)
    padded = np.pad(dark[busy], ((0, 0), (1, 1)))
    edges = np.flatnonzero(padded[:, 1:] != padded[:, :-1])
    if not len(edges):
        return
    row, place = np.divmod(edges, padded.shape[1] - 1)
    row, start, stop = row[::2], place[::2], place[1::2]
    joined = (row[1:] == row[:-1]) & (start[1:] - stop[:-1] <= GAP)
    first = np.concatenate([[True], ~joined])
    last = np.concatenate([~joined, [True]])
    begins, ends, rows = start[first], stop[last], busy[row[first]]
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


def _bridged(contrast: np.ndarray, first: int, last: int, part: slice, along: bool) -> np.ndarray:
    """What lies on a line's rows without the line: the ink that goes on above and below.

    Ink goes straight across, at a slant of up to 2:1; what then still ends at the line goes on at a
    slant of up to 8:1. Where ink is clearly darker than the line it is as it was.
    """
    count = last - first
    steep, flat = 2 * (count + 2), 8 * (count + 2)
    own = contrast[first:last, part]
    above = _widened(contrast[max(0, first - 2) : first], part, flat)
    below = _widened(contrast[last : last + 2], part, flat)
    result = np.zeros_like(own)
    _bridge(result, above, below, range(-steep, steep + 1))
    above, below = _ends(above, result[0], flat), _ends(below, result[-1], flat)
    if above.any() and below.any():
        slants = range(steep + 1, flat + 1)
        _bridge(result, above, below, [*slants, *(-slant for slant in slants)])
    level = float(np.median(own.max(axis=0)))
    kept: np.ndarray = np.where(own > DARKER * level + 0.05, own, np.minimum(result, own))
    sides = (slice(max(0, first - 2), first), slice(last, last + 2)) if along else ()
    for rows in sides:
        beside = contrast[rows, part].max(axis=0, initial=0)
        kept = np.where(_runs_along(beside > BESIDE * level, ALONG * count), own, kept)
    return kept


def _runs_along(there: np.ndarray, shortest: float) -> np.ndarray:
    """(n,) bool: what is true in (n,) for at least this many in a row."""
    edges = np.flatnonzero(np.diff(np.pad(there, 1).astype(np.int8)))
    long = np.zeros(len(there), bool)
    for start, stop in edges.reshape(-1, 2):
        long[start:stop] = stop - start >= shortest
    return long


def _bridge(
    result: np.ndarray, above: np.ndarray, below: np.ndarray, slants: Iterable[int]
) -> None:
    """Adds to `result`, (rows, columns), the ink that is above and below it at these slants."""
    count, width = result.shape
    reach = (len(above) - width) // 2
    for slant in slants:
        for row in range(count):
            upper = reach - round(slant * (row + 1) / (count + 1))
            lower = upper + slant
            across = np.minimum(above[upper : upper + width], below[lower : lower + width])
            np.maximum(result[row], across, out=result[row])


def _ends(beside: np.ndarray, row: np.ndarray, reach: int) -> np.ndarray:
    """The ink beside a line that does not go on in the row next to it; `beside` is wider by `reach`
    to both sides."""
    around = np.pad(row, (reach + 2, reach + 2))
    near = np.max([around[step : step + len(beside)] for step in range(5)], axis=0)
    ends = (beside > FAINTEST) & (near < GOES_ON * beside)
    return np.where(ends, beside, 0).astype(beside.dtype)


def _widened(rows: np.ndarray, part: slice, reach: int) -> np.ndarray:
    """The largest of some rows in a part of the columns and `reach` to its sides; 0 outside."""
    padded = np.pad(rows.max(axis=0, initial=0), reach)
    return padded[part.start : min(part.stop, rows.shape[1]) + 2 * reach]
