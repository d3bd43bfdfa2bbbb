"""Fills letters of which only the outline is drawn. Needs numpy only.

An outline encloses a region as slender as a stroke, and all ink lies along that region. The loops
of a 0, 6, 8 or 9 in an ordinary pen are rounder than that.
"""

import numpy as np

from mnist_core.imaging.morphology import box, components

INK = 64  # of 255
SLENDER = 4.5  # area of a stroke / square of its width; a ring of 4:1 encloses 3.1
WIDER = 1.3  # a stroke is wider than its outline's line, by this factor
ALONG = 0.9  # of the ink
SMALL = 0.02  # of all enclosed: a slit between two lines


def filled(ink: np.ndarray) -> np.ndarray:
    """(h, w) uint8 ink with outlined strokes filled; as it was where there are none."""
    if not ink.any():
        return ink
    rows, columns = inside = box(ink >= min(INK, ink.max()))
    dark = np.pad(ink[inside] >= INK, 1)
    around, _ = components(~dark)
    enclosed = (around > 0) & (around != around[0, 0])
    if not enclosed.any():
        return ink
    result = ink.copy()
    result[rows, columns][_strokes(dark, around, enclosed)[1:-1, 1:-1]] = 255
    return result


def _strokes(dark: np.ndarray, around: np.ndarray, enclosed: np.ndarray) -> np.ndarray:
    """(h, w) bool: the enclosed regions that are strokes, of outlines that are nothing else."""
    outside = around == around[0, 0]
    parts, areas = components(~outside)  # outlines with all that they enclose
    strokes = np.zeros_like(dark)
    for part in np.flatnonzero(areas > 0.05 * areas.max()):
        own = parts == part
        lines, counts = components(own & dark)
        outer = np.unique(lines[own & _grown(outside)])
        outer = outer[outer > 0]
        beside = _grown(np.isin(lines, outer)) & enclosed & own
        regions = [
            region
            for number in np.unique(around[beside])
            if (region := around == number).sum() > SMALL * (enclosed & own).sum()
        ]
        line = _width(own & dark)
        slender = [region for region in regions if _is_stroke(region, line)]
        if slender and len(slender) == len(regions):
            body = np.any(slender, axis=0)
            near = body
            for _ in range(line + 2):
                near = _grown(near)
            if (near & own & dark).sum() > ALONG * counts.sum():
                strokes |= body
    return strokes


def _is_stroke(region: np.ndarray, line: int) -> bool:
    width = _width(region)
    return bool(width > WIDER * line and region.sum() > SLENDER * width**2)


def _width(region: np.ndarray) -> int:
    """Twice the radius of the largest disc, an octagon here, that a region holds."""
    left, radius = region[box(region)], 0
    left = np.pad(left, 1)
    while left.any():
        left = ~_grown(~left, corners=radius % 2 == 1)
        radius += 1
    return max(1, 2 * radius - 1)


def _grown(there: np.ndarray, corners: bool = True) -> np.ndarray:
    """By one pixel to all sides; to the corners too."""
    wide = there.copy()
    wide[:, 1:] |= there[:, :-1]
    wide[:, :-1] |= there[:, 1:]
    source = wide if corners else there
    result = wide.copy()
    result[1:] |= source[:-1]
    result[:-1] |= source[1:]
    return result
