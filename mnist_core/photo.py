"""Finds the ink in photographs of dark ink on paper, in scans, and in clean pictures of digits.

Uneven light is evened out by a black-hat transform (Serra, "Image Analysis and Mathematical
Morphology", 1982): closing the grey image with a square wider than any stroke gives the paper as if
nothing were written on it, with shadows and their edges. Ink is then what Otsu's threshold ("A
threshold selection method from gray-level histograms", 1979) parts from the paper, less specks, less
what touches the picture's edge or lies far from the digit. Needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from mnist_core.imagefile import on_white, read_image, shrunk
from mnist_core.preprocess import SIDE, Stage, Stages, from_canvas, from_ink

WORK_SIDE = 640  # longer side at which ink is looked for: the digit ends up 20 pixels high
MIN_SIDE = 200  # smaller pictures are enlarged, so that filters can tell edges from noise
CALM = 1.0  # standard deviation in pixels of the blur that takes the noise away
CLOSING = 0.3  # side of the closing's square / shorter side: wider than any stroke
MIN_INK = (
    0.08  # contrast of ink to paper (1 = black on white) below which the paper counts as empty
)
SPECK = 0.05  # a spot smaller than this share of the largest part is dirt


def from_photo(data: bytes | Image.Image) -> Stages | None:
    """The steps from a photograph of dark ink on paper to 28×28; None when nothing is found on it.

    Raises InputError like read_image.
    """
    return _from_grey(on_white(read_image(data)))


def from_image(data: bytes | Image.Image) -> Stages | None:
    """The steps from an image file of any kind to 28×28; None when nothing is found on it.

    Decided in this order; raises InputError like read_image.
    1. 28×28, and dark along its border: already an MNIST image, taken as it is.
    2. Mostly transparent: a drawing, read like the canvas.
    3. Border about as dark as the darkest parts: bright on dark, inverted and read like a photograph.
    4. Else dark on light: a scan or photograph.
    """
    image = read_image(data)
    grey = on_white(image)
    if image.mode == "RGBA" and (np.asarray(image.getchannel("A")) < 128).mean() > 0.5:
        return from_canvas(np.asarray(image))
    if not _is_bright_on_dark(grey):
        return _from_grey(grey)
    if grey.size == (SIDE, SIDE):
        return Stages((Stage("as it is", "Already 28×28, bright on black.", np.asarray(grey)),))
    return _from_grey(grey, inverted=True)


def _is_bright_on_dark(grey: Image.Image) -> bool:
    """Whether the border is nearer to the darkest parts than paper in a shadow would be to ink."""
    if grey.size == (SIDE, SIDE):
        values = np.asarray(grey)
        return bool(np.median(np.concatenate([values[0], values[-1], values[:, 0], values[:, -1]])) < 128)
    small = shrunk(grey, 160)
    around = small.filter(ImageFilter.GaussianBlur(0.1 * min(small.size)))
    return bool(((np.asarray(small, np.float32) - np.asarray(around, np.float32)) ** 3).sum() > 0)


def _from_grey(grey: Image.Image, inverted: bool = False) -> Stages | None:
    """The steps from dark ink on light paper (`inverted`: the other way round), mode L."""
    grey = _work_size(grey)
    contrast = paper_contrast(np.asarray(ImageOps.invert(grey) if inverted else grey))
    ink = find_ink(contrast)
    if ink is None:
        return None
    even = np.rint(255 * (1 - contrast.clip(0, 1))).astype(np.uint8)
    return from_ink(
        ink,
        before=(
            Stage("photographed", "The picture in grey.", np.asarray(grey)),
            Stage("light evened out", "Divided by the paper's own brightness.", even),
        ),
    )


def _work_size(grey: Image.Image) -> Image.Image:
    grey = shrunk(grey, WORK_SIDE)
    factor = -(-MIN_SIDE // max(grey.size))
    return grey.resize([factor * n for n in grey.size], Image.Resampling.BICUBIC)


def paper_contrast(grey: np.ndarray) -> np.ndarray:
    """1 - grey / paper, (h, w) float32 from (h, w) uint8: about 0 on paper, lit or shadowed, to 1 for black ink."""
    calm = np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(CALM)))
    reach = max(1, round(CLOSING / 2 * min(grey.shape)))
    paper = 255 - _dilate(255 - _dilate(calm, reach), reach)
    return 1 - (calm + np.float32(1)) / (paper + np.float32(1))


def _dilate(values: np.ndarray, reach: int) -> np.ndarray:
    """The largest value in a square of 2·reach + 1 pixels around each, (h, w) uint8; van Herk's cost, by doubling."""
    for _ in range(2):  # columns, then rows
        values = np.pad(values, ((reach, reach), (0, 0)))
        span, width = 1, 2 * reach + 1
        while span < width:
            step = min(span, width - span)
            values = np.maximum(values[:-step], values[step:])
            span += step
        values = values.T
    return values


def find_ink(contrast: np.ndarray) -> np.ndarray | None:
    """The ink in a contrast image, (h, w) uint8, its edges sharpened; None when there is only paper."""
    paper = np.median(contrast)
    noise = 1.48 * np.median(np.abs(contrast - paper))
    strong = contrast[contrast > paper + max(MIN_INK, K * noise)]
    fallback = None
    for _ in range(3):
        if not strong.size: break
        ink = np.percentile(strong, Q)
        keep, at_edge = written(contrast > (paper + ink) / 2, contrast)
        if keep is not None and fallback is None or not at_edge: fallback=keep,ink
        if not at_edge: break
        strong = strong[strong > otsu(strong)]
    if fallback is None or fallback[0] is None:
        return None
    keep,ink=fallback
    strength = ((contrast - paper) / (ink - paper) - 0.25) / 0.5
    near = _dilate(keep.view(np.uint8), 2)
    return np.rint(255 * strength.clip(0, 1) * near).astype(np.uint8)


K=5; Q=60; EDGE=.4; EXT=.03; INS=.1; INS2=2e-4
def otsu(contrast):
    counts, edges = np.histogram(contrast, 256)
    middles = (edges[:-1] + edges[1:]) / 2
    below = counts.cumsum()[:-1]
    above = counts.sum() - below
    mass = (counts * middles).cumsum()
    gap = mass[:-1] / below.clip(1) - (mass[-1] - mass[:-1]) / above.clip(1)
    between = below.astype(float) * above * gap**2 / counts.sum()**2
    k=np.argmax(between)
    return float(edges[1 + k])


def written(dark: np.ndarray, contrast) -> np.ndarray:
    labels, count = components(dark)
    if not count: return None,False
    areas = np.bincount(labels.ravel(), minlength=count + 1)
    mean = np.bincount(labels.ravel(), contrast.ravel(), minlength=count+1) / areas.clip(1)
    areas[0] = 0
    edge = np.unique(np.concatenate([labels[0], labels[-1], labels[:, 0], labels[:, -1]]))
    inside = areas.copy()
    inside[edge] = 0
    main, outer = inside.argmax(), areas.argmax()
    at_edge=True
    if inside[main] > INS * areas[outer] or (inside[main] > INS2*dark.size and mean[main] > mean[outer]):
        areas = inside; at_edge=False
    elif mean[outer] < EDGE: return None,True
    areas[areas < SPECK * areas.max()] = 0
    at=np.nonzero(labels==areas.argmax())
    if max(np.ptp(at[0]),np.ptp(at[1]))+1 < EXT*min(dark.shape): return None,False
    return _near_largest(labels, areas)[labels], at_edge


def components(dark: np.ndarray) -> tuple[np.ndarray, int]:
    """Connected parts, corners included: labels, (h, w) int, 0 where not `dark`, and their number.

    Rows are cut into runs; runs of neighbouring rows that touch are joined, root to smaller root.
    """
    h, w = dark.shape
    change = np.diff(np.pad(dark, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    (row, start), stop = np.nonzero(change == 1), np.nonzero(change == -1)[1]
    below = (row + 1) * (w + 2)
    first = np.searchsorted(row * (w + 2) + stop, below + start, "left")
    touching = np.searchsorted(row * (w + 2) + start, below + stop, "right") - first
    upper = np.repeat(np.arange(len(row)), touching)
    lower = np.arange(len(upper)) + np.repeat(first - touching.cumsum() + touching, touching)
    root = np.arange(len(row))
    while (root[upper] != root[lower]).any():
        a, b = root[upper], root[lower]
        np.minimum.at(root, np.maximum(a, b), np.minimum(a, b))
        while (root[root] != root).any():
            root = root[root]
    names, number = np.unique(root, return_inverse=True)
    labels = np.zeros((h, w), np.int64)
    labels[dark] = np.repeat(number + 1, stop - start)
    return labels, len(names)


def _near_largest(labels: np.ndarray, areas: np.ndarray) -> np.ndarray:
    """(parts + 1,) bool: the largest part, and what is within half a box's side of the box so far."""
    low = np.full((2, len(areas)), max(labels.shape))
    high = np.zeros_like(low)
    for axis, place in enumerate(np.nonzero(labels)):
        np.minimum.at(low[axis], labels[labels > 0], place)
        np.maximum.at(high[axis], labels[labels > 0], place)
    near = np.arange(len(areas)) == areas.argmax()
    while True:
        box_low, box_high = low[:, near].min(1), high[:, near].max(1)
        gap = np.maximum(low - box_high[:, None], box_low[:, None] - high).max(0)
        wider = (gap <= 0.5 * (box_high - box_low).max()) & (areas > 0)
        if (wider == near).all():
            return near
        near = wider
