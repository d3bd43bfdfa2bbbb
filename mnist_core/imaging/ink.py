"""Finds the ink in a picture of contrasts: its threshold, and the parts that are writing.

Ink is what is clearly darker than the paper, less specks, less what lies far from the digit, and
less what runs over the picture's edge (a table, the shadow of a hand) when something darker does
not. Contrast is (h, w) float32: 0 on paper and 1 in perfectly black ink, in light and in shadow.
Needs numpy only.
"""

import numpy as np

from mnist_core.imaging.morphology import border, boxes, components, dilate

MIN_INK = 0.1  # fainter is not ink
EDGE_INK = 0.4  # fainter is not ink where it runs over the picture's edge: shadows do
SPECK = 0.05  # a part smaller than this share of the largest one is dirt
LINE_HEIGHTS = (0.5, 1.5)  # a digit beside another one is as high as that, by these factors
LINE_GAP = 2.5  # of the height: the farthest that two digits of a line are apart
MIN_EXTENT = 0.02  # a digit is higher or wider than this share of the shorter side


def find_ink(contrast: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """The ink in a contrast image, (h, w) uint8 with sharpened edges, None when all is paper; and
    whether it keeps clear of the picture's edge."""
    paper, noise = paper_level(contrast)
    strong = contrast[contrast > paper + max(MIN_INK, 5 * noise)]
    found, inside = None, False
    for _ in range(3):
        if inside or not strong.size:
            break
        ink = np.quantile(strong, 0.6)
        parts, inside = written(contrast, (paper + ink) / 2)
        if inside or (found is None and parts.any()):
            found = parts, ink
        strong = strong[strong > otsu(strong)]  # it may be a shadow; ink in it is darker
    if found is None or not found[0].any():
        return None, False
    parts, ink = found
    strength = 2 * (contrast - paper) / (ink - paper) - 0.5  # 0.5 where the threshold is
    sharp = 255 * strength.clip(0, 1) * dilate(parts.view(np.uint8), 2)
    return np.rint(sharp).astype(np.uint8), inside


def written(contrast: np.ndarray, threshold: float) -> tuple[np.ndarray, bool]:
    """The parts above `threshold` that belong to the writing, (h, w) bool; and: are they inside?

    Inside means that they do not touch the picture's edge. Parts that do are taken only where there
    are no others of size or darkness.
    """
    labels, areas = components(contrast > threshold)
    depth = np.bincount(labels.ravel(), contrast.ravel()) / areas.clip(1)
    inner = areas.copy()
    inner[border(labels)] = 0
    best, largest = inner.argmax(), areas.argmax()
    is_darker = inner[best] > 2e-4 * labels.size and depth[best] > depth[largest]
    inside = bool(inner[best] > 0.1 * areas[largest] or is_darker)
    if inside:
        areas = inner
    elif depth[largest] < EDGE_INK:
        areas[:] = 0
    areas[areas < SPECK * areas.max()] = 0
    return _near_largest(labels, areas)[labels], inside


def otsu(values: np.ndarray) -> float:
    """The threshold that parts values into the two classes whose means lie farthest apart.

    Otsu, "A threshold selection method from gray-level histograms", 1979.
    """
    counts, edges = np.histogram(values, 256)
    below = counts.cumsum()[:-1].astype(float)
    above = counts.sum() - below
    mass = (counts * (edges[:-1] + edges[1:])).cumsum()
    gap = mass[:-1] / below.clip(1) - (mass[-1] - mass[:-1]) / above.clip(1)
    return float(edges[1 + np.argmax(below * above * gap**2)])


def _near_largest(labels: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """(parts,) bool: the largest part, and again and again what is within half a box of the box,
    or stands in a line with it like another digit.

    None at all where the largest is too small to be writing.
    """
    first, last = boxes(labels, len(areas))
    near = np.arange(len(areas)) == areas.argmax()
    if not areas.any() or (last - first)[:, near].max() + 1 < MIN_EXTENT * min(labels.shape):
        return np.zeros(len(areas), bool)
    while True:
        low, high = first[:, near].min(1), last[:, near].max(1)
        gap = np.maximum(first - high[:, None], low[:, None] - last).max(0)
        wider = (gap <= 0.5 * (high - low).max()) | _in_line(first, last, low, high)
        wider = (wider & (areas > 0)) | near
        if (wider == near).all():
            return near
        near = wider


def _in_line(first: np.ndarray, last: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """(parts,) bool: about as high as what lies between `low` and `high`, beside it, and near."""
    height, heights = high[0] - low[0] + 1, last[0] - first[0] + 1
    alike = (heights > LINE_HEIGHTS[0] * height) & (heights < LINE_HEIGHTS[1] * height)
    shared = np.minimum(last[0], high[0]) - np.maximum(first[0], low[0]) + 1
    gap = np.maximum(first[1] - high[1], low[1] - last[1])
    result: np.ndarray = alike & (shared > 0.5 * heights) & (gap < LINE_GAP * height)
    return result


def paper_level(contrast: np.ndarray) -> tuple[float, float]:
    """The contrast of the paper, and its noise's standard deviation, robustly."""
    paper = float(np.median(contrast))
    return paper, 1.48 * float(np.median(np.abs(contrast - paper)))
