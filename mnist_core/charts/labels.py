"""Places for the names of points, so that they neither overlap nor hide other points."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

LETTER, LINE = 6.6, 15.0  # pixels: the mean width of a letter of 12 px, and the height of a line
POINT = 7.0  # pixels from the middle of a point to its edge
RINGS = (12.0, 24.0, 38.0, 54.0, 72.0, 92.0)  # pixels between a point and its name
DIRECTIONS = ((1, 0), (-1, 0), (0, -1), (0, 1), (1, -1), (-1, -1), (1, 1), (-1, 1))
# What a place costs, in square pixels: for each further ring, and as a part of what a bar hides.
AWAY, THROUGH = 30.0, 0.4

Box = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True)
class Place:
    """Where a name stands: pixels to the right of and below its point, to the name's middle.

    `far` names need a line to their point.
    """

    right: float
    down: float
    far: bool


def place_labels(
    points: Sequence[tuple[float, float]],
    names: Sequence[str],
    width: float,
    height: float,
    bars: Sequence[Box] = (),
) -> list[Place]:
    """A place for each name; the first ones have the first choice.

    `points`: pixels from the left and the top of a plot of `width` × `height` pixels. Of the places
    around a point the one is taken that costs least: names and points must not be hidden, `bars`
    had better not be, and a near place is better than a far one.
    """
    taken = [(x - POINT, y - POINT, x + POINT, y + POINT) for x, y in points]
    places = []
    for (x, y), name in zip(points, names, strict=True):
        half = LETTER * len(name) / 2, LINE / 2
        best, least = Place(0, -RINGS[0], False), math.inf
        for number, place in enumerate(_around(half)):
            box = _box(x + place.right, y + place.down, *half)
            cost = AWAY * (number // len(DIRECTIONS)) + _outside(box, width, height)
            cost += sum(_overlap(box, other) for other in taken)
            cost += sum(THROUGH * _overlap(box, bar) for bar in bars)
            if cost < least:
                best, least = place, cost
        places.append(best)
        taken.append(_box(x + best.right, y + best.down, *half))
    return places


def _around(half: tuple[float, float]) -> list[Place]:
    """The places around a point for a name of this half width and half height."""
    return [
        Place(
            right * (ring * (0.7 if down else 1) + half[0]),
            down * (ring * (0.7 if right else 1) + half[1] * 0.6),
            ring > RINGS[0],
        )
        for ring in RINGS
        for right, down in DIRECTIONS
    ]


def _box(x: float, y: float, half_width: float, half_height: float) -> Box:
    return x - half_width, y - half_height, x + half_width, y + half_height


def _overlap(a: Box, b: Box) -> float:
    """The area in which two boxes overlap."""
    wide = min(a[2], b[2]) - max(a[0], b[0])
    high = min(a[3], b[3]) - max(a[1], b[1])
    return wide * high if wide > 0 and high > 0 else 0.0


def _outside(box: Box, width: float, height: float) -> float:
    """The area of a box beyond the plot, counted tenfold: what is cut off cannot be read."""
    inside = _overlap(box, (0, 0, width, height))
    return 10 * ((box[2] - box[0]) * (box[3] - box[1]) - inside)
