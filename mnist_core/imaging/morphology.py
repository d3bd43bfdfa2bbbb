"""Connected parts of a picture, boxes, and the sliding maximum: image analysis in numpy alone."""

import numpy as np


def dilate(values: np.ndarray, reach: int) -> np.ndarray:
    """The largest value in the square of 2 · `reach` + 1 pixels around each, (..., h, w) uint8.

    By doubling, so the cost grows with the logarithm of `reach`. Beyond the edge counts as 0.
    """
    beyond = [(0, 0)] * (values.ndim - 2) + [(reach, reach), (0, 0)]
    for _ in range(2):  # along the columns, then along the rows
        values = np.pad(values, beyond)
        span, width = 1, 2 * reach + 1
        while span < width:
            step = min(span, width - span)
            values = np.maximum(values[..., :-step, :], values[..., step:, :])
            span += step
        values = values.swapaxes(-1, -2)
    return values


def closing(values: np.ndarray, reach: int) -> np.ndarray:
    """Fills what is darker than its surroundings and narrower than 2 · `reach` + 1, (h, w) uint8.

    A straight edge between light and dark stays where it is, whichever way it runs; at the image's
    border too, because squares may lie partly outside, where nothing is in their way.
    """
    around = np.pad(values, reach)
    closed = 255 - dilate(255 - dilate(around, reach), reach)
    return closed[reach:-reach, reach:-reach]


def border(values: np.ndarray) -> np.ndarray:
    """(2h + 2w, ...): what lies along the four edges of (h, w, ...); corners are there twice."""
    return np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])


def box(there: np.ndarray) -> tuple[slice, slice]:
    """The rows and columns that hold all that is true in an image, (h, w) bool."""
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return slice(rows[0], rows[-1] + 1), slice(columns[0], columns[-1] + 1)


def components(there: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Parts of a (h, w) bool image that hang together, over corners too.

    Returns labels, (h, w) int, 0 where nothing is, else 1 to n; and areas in pixels, (n + 1,) int,
    whose first is 0. Rows are cut into runs, and runs that touch are joined, root to smaller root.
    """
    change = np.diff(np.pad(there, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), stop = np.nonzero(change == 1), np.nonzero(change == -1)[1]
    upper, lower = _touching(row, start, stop, there.shape[1] + 2)
    root = np.arange(len(row))
    while (root[upper] != root[lower]).any():
        a, b = root[upper], root[lower]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while (root[root] != root).any():
            root = root[root]
    number = np.unique(root, return_inverse=True)[1] + 1
    labels = np.zeros(there.shape, np.int64)
    labels[there] = np.repeat(number, stop - start)
    areas = np.bincount(labels.ravel())
    areas[0] = 0
    return labels, areas


def _touching(row: np.ndarray, start: np.ndarray, stop: np.ndarray, width: int):
    """Pairs of runs, one right below the other, that share a side or a corner: two index arrays."""
    below = (row + 1) * width
    first = np.searchsorted(row * width + stop, below + start, "left")
    count = np.searchsorted(row * width + start, below + stop, "right") - first
    upper = np.repeat(np.arange(len(row)), count)
    lower = np.arange(len(upper)) + np.repeat(first - count.cumsum() + count, count)
    return upper, lower


def boxes(labels: np.ndarray, count: int) -> tuple[np.ndarray, np.ndarray]:
    """First and last row and column of parts 0 to `count` - 1: two (2, count) int arrays.

    A part that is nowhere, and part 0, get a first place after their last.
    """
    first = np.full((2, count), max(labels.shape))
    last = np.zeros_like(first)
    found = labels[labels > 0]
    for axis, place in enumerate(np.nonzero(labels)):
        np.minimum.at(first[axis], found, place)
        np.maximum.at(last[axis], found, place)
    return first, last
