"""The colour of a page, and how far the rest of a picture is from it.

A drawing on a screen and a clean scan have one colour along their border. Ink is then distance in
colour, however thick the pen and whichever is the brighter. In a photograph light varies; there the
grey, or the one channel in which the ink stands out, is divided by the paper around it (photo.py).
Needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageFilter

from mnist_core.imaging.image_file import shrunk

ALIKE = 3  # of 255, in each channel: JPEG's ripples; a photograph's noise is more
FLAT_BORDER = 0.85  # of the border: what lies there besides the page
FAINT = 64  # of 255: ink that is nearer to the page than this is not stretched to black
STANDS_OUT = 2.0  # a channel shows ink clearer than the grey by this factor: colours of one grey
CLEAR = 0.2  # contrast in grey that is enough


def page_colour(image: Image.Image) -> np.ndarray | None:
    """(3,) uint8: the colour along the border of an image; None where it has none of its own."""
    edge = _edge(image).astype(np.int64)
    coarse = (edge // 8) @ np.array([1024, 32, 1])
    colours, counts = np.unique(coarse, return_counts=True)
    first = np.median(edge[coarse == colours[counts.argmax()]], axis=0)
    alike = (np.abs(edge - first) <= ALIKE).all(axis=1)
    if alike.mean() < FLAT_BORDER:
        return None
    return np.rint(np.median(edge[alike], axis=0)).astype(np.uint8)


def _edge(image: Image.Image) -> np.ndarray:
    """(2h + 2w, 3) uint8: what lies along the four edges; corners are there twice."""
    width, height = image.size
    strips = [(0, 0, width, 1), (0, height - 1, width, height)]
    strips += [(0, 0, 1, height), (width - 1, 0, width, height)]
    parts = [np.asarray(image.crop(strip).convert("RGB")) for strip in strips]
    return np.concatenate([part.reshape(-1, 3) for part in parts])


def distance_from(page: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """(h, w) float32 of (h, w, 3) uint8: 0 on the page to 1 in the ink that is farthest from it in
    any channel."""
    apart = np.zeros(picture.shape[:2], np.uint8)
    for channel, level in enumerate(page):
        values = picture[..., channel]
        difference = np.maximum(values, level) - np.minimum(values, level)
        np.maximum(apart, difference, out=apart)
    shares = np.bincount(apart.ravel()).cumsum() / apart.size
    full = max(FAINT, int(np.searchsorted(shares, 0.999)), 0.9 * int(apart.max()))
    return (np.arange(256) / full).astype(np.float32)[apart]


def clearest_grey(image: Image.Image) -> Image.Image:
    """Mode L: the grey of an RGB image; or one of its channels, where colours differ and greys do
    not."""
    grey = image.convert("L")
    if image.mode != "RGB" or (own := _detail(grey)) > CLEAR:
        return grey
    strengths = [_detail(channel) for channel in image.split()]
    best = int(np.argmax(strengths))
    return image.split()[best] if strengths[best] > STANDS_OUT * own else grey


def _detail(channel: Image.Image) -> float:
    """How much the clearest hundredth of a channel differs from its surroundings, as a share."""
    small = shrunk(channel, 160)
    around = small.filter(ImageFilter.GaussianBlur(0.1 * min(small.size)))
    detail = np.asarray(small, np.float32) - np.asarray(around, np.float32)
    return float(np.quantile(np.abs(detail) / (np.asarray(around, np.float32) + 8), 0.99))
