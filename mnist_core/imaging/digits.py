"""Takes the ink of a picture apart into its digits: which strokes belong together, in which order.

Strokes that hang together are one part. Parts of one digit that do not touch, such as the bar of a
5, are joined: they lie above each other, or all but touch. What is left are groups, each of which
is one digit, in lines from top to bottom, in each line from left to right. Digits that touch are
one group; they are parted where somebody says what looks like a digit (see touching.py).

A box is (top, left, bottom, right) in pixels, its ends not included. Ink is (h, w) uint8, 0 = no
ink. Needs numpy and Pillow only.
"""

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core.imaging.crossed_out import is_crossed_out
from mnist_core.imaging.morphology import box, boxes, components
from mnist_core.imaging.preprocess import INK as INK_FOUND
from mnist_core.imaging.preprocess import Ink, Stages, from_ink
from mnist_core.imaging.touching import Score, is_digit, parted

INK = 64  # of 255: fainter is the blur of an edge
SPECK = 0.01  # a part with less than this share of the largest part's ink is dirt
MARK = 0.3  # lower and narrower than this share of its line's height: a point, a comma, a dash
FLAT = 0.3  # lower than this share: a dash, whatever its width
SMALL = 0.6  # of the tallest part's height: a lower part may belong to another one
OVERLAP = 0.4  # of the narrower part's width: such parts lie above each other
NEAR = 0.35  # of the height: the farthest that a small part lies above or below its digit
MOST = 64  # parts
BROKEN = 0.05  # of the height: a stroke is interrupted there


@dataclass(frozen=True, eq=False)
class Digit:
    """One digit of a picture: where it is, the line it stands in, and the steps to its image.

    `box` is (top, left, bottom, right) in shares of the picture's sides, from 0 to 1.
    """

    box: tuple[float, float, float, float]
    line: int
    stages: Stages

    @property
    def image(self) -> np.ndarray:
        """What a network reads: (28, 28) uint8, read-only."""
        return self.stages.final


@dataclass(frozen=True, eq=False)
class Group:
    """The strokes of one digit: its box in the ink, its line, and the ink inside the box."""

    box: tuple[int, int, int, int]
    line: int
    ink: np.ndarray


def digits_of(stages: Stages, score: Score | None = None) -> tuple[Digit, ...]:
    """The digits of a picture, in the order in which they are read.

    A picture of one digit gives what the steps end with, as does one whose ink was not looked for.
    Digits that are crossed out are left out, unless all are. With a `score`, digits that touch are
    parted where the parts clearly look like digits, and what looks like a digit is not taken for
    one that is crossed out.
    """
    groups = groups_of(stages.ink.pixels) if stages.ink else []
    found = groups
    if len(groups) > 1:
        found = [group for group in groups if not _is_void(group, score)] or groups
    if score:
        found = [part for group in found for part in _parted(group, score)]
    if not stages.ink or not found or len(found) == len(groups) == 1:
        return (whole(stages),)
    return tuple(_digit(stages, stages.ink, group) for group in found)


def _is_void(group: Group, score: Score | None) -> bool:
    crossed = is_crossed_out(group.ink)
    return crossed and not (score and is_digit(group.ink, score))


def _parted(group: Group, score: Score) -> list[Group]:
    pieces = parted(group.ink, score)
    if len(pieces) == 1:
        return [group]
    top, left, _, _ = group.box
    cut = [_cut(piece, piece > 0, group.line) for piece in pieces]
    return [
        Group(
            (piece.box[0] + top, piece.box[1] + left, piece.box[2] + top, piece.box[3] + left),
            piece.line,
            piece.ink,
        )
        for piece in cut
    ]


def in_words(digits: Sequence[Digit], names: Sequence[str]) -> str:
    """The whole reading, of what was read in each digit: "12 34" for two lines."""
    lines = itertools.groupby(zip(digits, names, strict=True), key=lambda pair: pair[0].line)
    return " ".join("".join(name for _, name in line) for _, line in lines)


def whole(stages: Stages) -> Digit:
    """All ink as one digit; where ink was not looked for, the whole picture."""
    if not stages.ink:
        return Digit((0.0, 0.0, 1.0, 1.0), 0, stages)
    rows, columns = box(stages.ink.pixels > 0)
    around = (rows.start, columns.start, rows.stop, columns.stop)
    return Digit(stages.ink.in_picture(around), 0, stages)


def _digit(stages: Stages, ink: Ink, group: Group) -> Digit:
    before = stages.steps[: stages.names.index(INK_FOUND)]
    own = from_ink(group.ink, *before)
    assert own  # a group has ink
    return Digit(ink.in_picture(group.box), group.line, own)


def groups_of(ink: np.ndarray) -> list[Group]:
    """The groups of strokes in the order in which they are read.

    [] where there is no ink, and where it is in more than MOST parts: that is no row of digits.
    """
    labels, areas = components(ink >= min(INK, max(1, int(ink.max(initial=0)))))
    if not areas.any():
        return []
    kept = np.flatnonzero(areas >= max(1.0, SPECK * areas.max()))
    if len(kept) > MOST:
        return []
    first, last = boxes(labels, len(areas))
    found = np.concatenate([first[:, kept], last[:, kept] + 1]).T  # (parts, 4)
    sets = [sorted(one) for one in _joined(found)]
    owner = np.zeros(len(areas), np.uint8)  # MOST is far below 256
    for number, one in enumerate(sets, start=1):
        owner[kept[one]] = number
    there = _spread(owner[labels])
    outlines = np.array([_around(found[one]) for one in sets])
    return [_cut(ink, there == 1 + index, line) for index, line in _in_order(outlines)]


def _cut(ink: np.ndarray, there: np.ndarray, line: int) -> Group:
    rows, columns = inside = box(there)
    ends = (int(rows.start), int(columns.start), int(rows.stop), int(columns.stop))
    return Group(ends, line, np.where(there[inside], ink[inside], 0).astype(np.uint8))


def _spread(owner: np.ndarray) -> np.ndarray:
    """Gives the blurred edge of each group, one pixel wide, to that group."""
    around = np.pad(owner, 1)
    near = owner.copy()
    for rows in (slice(0, -2), slice(1, -1), slice(2, None)):
        for columns in (slice(0, -2), slice(1, -1), slice(2, None)):
            near = np.where(near == 0, around[rows, columns], near)
    return near


def _around(found: np.ndarray) -> np.ndarray:
    return np.concatenate([found[:, :2].min(0), found[:, 2:].max(0)])


def _joined(found: np.ndarray) -> list[set[int]]:
    """(parts, 4) boxes -> the sets of parts that make up one digit."""
    sets, outlines = [{part} for part in range(len(found))], found
    while True:
        distances = _distances(outlines)
        if not np.isfinite(distances).any():
            return sets
        a, b = map(int, np.unravel_index(distances.argmin(), distances.shape))
        sets[a] |= sets.pop(b)
        outlines = np.delete(outlines, b, axis=0)
        outlines[a] = _around(found[sorted(sets[a])])


def _distances(outlines: np.ndarray) -> np.ndarray:
    """(groups, 4) boxes -> (groups, groups): how far two groups of one digit are apart; infinite
    for groups of two digits, and below the diagonal."""
    top, left, bottom, right = outlines.T
    height, width = bottom - top, right - left
    lower, higher = np.minimum.outer(height, height), np.maximum.outer(height, height)
    vertical = np.maximum.outer(top, top) - np.minimum.outer(bottom, bottom)
    horizontal = np.maximum.outer(left, left) - np.minimum.outer(right, right)
    overlapping = -horizontal > OVERLAP * np.minimum.outer(width, width)
    vertical, horizontal = vertical.clip(0), horizontal.clip(0)
    small = lower < SMALL * higher
    together = np.maximum.outer(bottom, bottom) - np.minimum.outer(top, top)
    above = overlapping & (vertical < np.where(small, NEAR * higher, BROKEN * together))
    close = small & (np.maximum(vertical, horizontal) <= BROKEN * height.max())
    belong = np.triu(above | close, 1)
    return np.where(belong, vertical + np.where(above, 0, horizontal), np.inf)


def _in_order(outlines: np.ndarray) -> Iterator[tuple[int, int]]:
    """(groups, 4) boxes -> (index, line) of each that may be a digit, in reading order."""
    for number, line in enumerate(_lines(outlines)):
        tallest = (outlines[line, 2] - outlines[line, 0]).max()
        for index in sorted(line, key=lambda i: outlines[i, 1]):
            top, left, bottom, right = outlines[index]
            height, width = bottom - top, right - left
            mark = height < FLAT * tallest or max(height, width) < MARK * tallest
            if not mark:
                yield index, number


def _lines(outlines: np.ndarray) -> list[list[int]]:
    """The groups of each line, from top to bottom: those that lie beside each other.

    The tallest begins a line; small marks find theirs afterwards.
    """
    lines: list[list[int]] = []
    for index in np.argsort(outlines[:, 0] - outlines[:, 2], kind="stable"):
        top, _, bottom, _ = outlines[index]
        for line in lines:
            upper, lower = np.median(outlines[line, 0]), np.median(outlines[line, 2])
            shared = min(bottom, lower) - max(top, upper)
            if shared > 0.4 * min(bottom - top, lower - upper):
                line.append(int(index))
                break
        else:
            lines.append([int(index)])
    return sorted(lines, key=lambda line: float(np.median(outlines[line, 0])))
