"""Finds the ink in photographs of dark ink on paper, in scans, and in clean pictures of digits.

Uneven light is evened out by a black-hat transform (Serra, "Image Analysis and Mathematical
Morphology", 1982): closing the grey image with a square wider than any stroke gives the paper as
if nothing were written on it, with its shadows and their edges. Ink is what is clearly darker than
that paper, less specks, less what lies far from the digit, and less what runs over the picture's
edge (a table, the shadow of a hand) when something darker does not. Needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.imaging.hollow import filled
from mnist_core.imaging.image_file import on_white, read_image, shrunk, turned
from mnist_core.imaging.morphology import border, box, boxes, closing, components, dilate
from mnist_core.imaging.page import clearest_grey, distance_from, page_colour
from mnist_core.imaging.preprocess import (
    MIN_CONTRAST,
    Stage,
    Stages,
    from_canvas,
    from_ink,
    is_normalised,
)
from mnist_core.imaging.ruling import without_lines

WORK_SIDE = 640  # longer side at which ink is looked for: the digit ends up 20 pixels high
MIN_SIDE = 200  # smaller pictures are enlarged, so that filters can tell edges from noise
SMOOTHING = 1.0  # standard deviation, in pixels, of the blur that takes noise away
CLOSING = 0.3  # side of the closing's square / shorter side: wider than any stroke
# Contrast is 0 on paper and 1 in perfectly black ink, in light and in shadow.
MIN_INK = 0.1  # fainter is not ink
EDGE_INK = 0.4  # fainter is not ink where it runs over the picture's edge: shadows do
FLAT = 0.3  # of all pixels; a photograph's noise leaves fewer to any one level
MIN_SHEET = 0.02  # of all pixels
SOLID = 0.6  # of its box: a sheet that is turned by 20° fills two thirds
MOST_INK = 0.25  # of the sheet
SPECK = 0.05  # a part smaller than this share of the largest one is dirt
LINE_HEIGHTS = (0.5, 1.5)  # a digit beside another one is as high as that, by these factors
LINE_GAP = 2.5  # of the height: the farthest that two digits of a line are apart
MIN_EXTENT = 0.02  # a digit is higher or wider than this share of the shorter side


def from_photo(data: bytes, *, fill: bool = False, turns: int = 0) -> Stages | None:
    """The steps from a photograph of dark ink on paper to 28×28; None when nothing is found on it.

    `fill` is from_ink's, `turns` turned's. Raises InputError like read_image.
    """
    return _from_grey(clearest_grey(on_white(turned(read_image(data), turns))), fill=fill)


def from_image(data: bytes, *, fill: bool = False, turns: int = 0) -> Stages | None:
    """The steps from an image file of any kind to 28×28; None when nothing is found on it.

    `fill` is from_ink's, `turns` turned's.

    Decided in this order:
    1. Mostly transparent: a drawing, read like the canvas.
    2. 28×28, bright on black, scaled and centred like MNIST: taken as it is.
    3. Of one colour along its border (see page.py), and no sheet of paper that was photographed
       (see is_sheet): ink is what has another colour.
    4. Bright on dark (see is_bright_on_dark), unless it is such a sheet: inverted, then read like a
       photograph.
    5. Else dark on light: a scan or a photograph.
    Raises InputError like read_image.
    """
    image = turned(read_image(data), turns)
    if image.mode == "RGBA" and (np.asarray(image.getchannel("A")) < 128).mean() > 0.5:
        return from_canvas(np.asarray(image), fill=fill)
    picture = on_white(image)
    grey = picture.convert("L")
    if _is_ready(grey, fill):
        return Stages((Stage("as it is", "Already 28×28, bright on black.", np.asarray(grey)),))
    sheet = is_sheet(grey)
    if not sheet:
        page = page_colour(picture)
        if page is not None:
            return _from_flat(picture, page, fill)
    grey = clearest_grey(picture)
    return _from_grey(grey, bright=is_bright_on_dark(grey) and not sheet, fill=fill)


def is_bright_on_dark(grey: Image.Image) -> bool:
    """Whether the ink of an L image is the bright part: by the skewness of the detail.

    Ink covers less than its surroundings, so the difference from the local mean, cubed, sums to its
    side. Gradients, shadows and the edge of a table have two equal sides and fall out.
    """
    small = shrunk(grey, 160)
    around = small.filter(ImageFilter.GaussianBlur(0.1 * min(small.size)))
    detail = np.asarray(small, np.float32) - np.asarray(around, np.float32)
    return bool((detail**3).sum() > 0)


def is_sheet(grey: Image.Image) -> bool:
    """Whether the bright part of an L image is a sheet of written paper on something dark.

    It lies clear of the picture's edge, nearly fills its outline, and has little that is dark
    inside. It was photographed: a drawing on a screen has one level nearly everywhere.
    """
    if max(grey.histogram()) > FLAT * grey.width * grey.height:
        return False
    values = np.asarray(shrunk(grey, 320))
    labels, areas = components(values > otsu(values.ravel()))
    sheet = labels == areas.argmax()
    if border(sheet).any():
        return False
    around, sizes = components(~sheet)
    sizes[around[0, 0]] = 0
    dark = int(sizes.sum())
    filled = int(sheet.sum()) + dark
    solid = filled > SOLID * sheet[box(sheet)].size
    return bool(solid and filled > MIN_SHEET * values.size and 0 < dark < MOST_INK * filled)


def paper_contrast(grey: np.ndarray) -> np.ndarray:
    """1 - grey / paper, (h, w) float32 of (h, w) uint8: 0 on paper to 1 in ink, shadowed or not."""
    smooth = np.asarray(Image.fromarray(grey).filter(ImageFilter.GaussianBlur(SMOOTHING)))
    paper = closing(smooth, max(1, round(CLOSING / 2 * min(grey.shape))))
    return 1 - (smooth + np.float32(1)) / (paper + np.float32(1))


def find_ink(contrast: np.ndarray) -> tuple[np.ndarray | None, bool]:
    """The ink in a contrast image, (h, w) uint8 with sharpened edges, None when all is paper; and
    whether it keeps clear of the picture's edge."""
    paper, noise = _paper(contrast)
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


def _from_grey(grey: Image.Image, bright: bool = False, fill: bool = False) -> Stages | None:
    """The steps from dark ink on light paper, mode L; `bright`: from bright ink on dark."""
    shown = shrunk(grey, WORK_SIDE)
    shown = ImageOps.scale(shown, -(-MIN_SIDE // max(shown.size)))
    page = ImageOps.invert(shown) if bright else shown
    contrast = _unlined(paper_contrast(np.asarray(page)))
    (ink, inside), margin = find_ink(contrast), 0
    if not inside and _is_two_tone(page):  # a scan cut close to the digit: give it a margin
        light, margin = int(np.quantile(np.asarray(page), 0.95)), max(page.size) // 4
        contrast = paper_contrast(np.asarray(ImageOps.expand(page, margin, light)))
        ink, _ = find_ink(contrast)
    if ink is None:
        return None
    even = np.rint(255 * (1 - contrast.clip(0, 1))).astype(np.uint8)
    return from_ink(
        filled(ink),
        Stage("as photographed", "Your picture, in grey.", np.asarray(shown)),
        Stage("light evened out", "Divided by the brightness of the paper around.", even),
        fill=fill,
        margin=margin,
    )


def _from_flat(picture: Image.Image, page: np.ndarray, fill: bool) -> Stages | None:
    """The steps from a picture whose page has one colour, mode L or RGB."""
    shown = shrunk(picture, WORK_SIDE)
    shown = ImageOps.scale(shown, -(-MIN_SIDE // max(shown.size)))
    distance = _unlined(distance_from(page, np.asarray(shown.convert("RGB"))))
    ink, _ = find_ink(distance)
    if ink is None:
        return None
    even = np.rint(255 * distance.clip(0, 1)).astype(np.uint8)
    return from_ink(
        filled(ink),
        Stage("as given", "Your picture, in grey.", np.asarray(shown.convert("L"))),
        Stage("distance in colour", "How far each pixel is from the page's colour.", even),
        fill=fill,
    )


def _unlined(contrast: np.ndarray) -> np.ndarray:
    """The contrast without printed lines."""
    paper, noise = _paper(contrast[::3, ::3])
    return without_lines(contrast, paper + max(0.6 * MIN_INK, 5 * noise))


def _paper(contrast: np.ndarray) -> tuple[float, float]:
    """The contrast of the paper, and its noise's standard deviation, robustly."""
    paper = float(np.median(contrast))
    return paper, 1.48 * float(np.median(np.abs(contrast - paper)))


def _is_two_tone(grey: Image.Image) -> bool:
    """Whether most pixels are about as dark or as light as any, and those far apart: a clean scan.

    A shadow's edge makes two tones as well, but takes less than 70 % of the light.
    """
    values = np.asarray(grey, np.float32)
    low, high = np.quantile(values, (0.02, 0.98))
    pure = np.abs(values - (low + high) / 2) > 0.38 * (high - low)
    return bool(low < 0.3 * high and pure.mean() > 0.6)


def _is_ready(grey: Image.Image, fill: bool) -> bool:
    """Whether a picture is 28×28, bright on black, and scaled and centred as its data set's are."""
    values = np.asarray(grey)
    if grey.size != (IMAGE_SIDE, IMAGE_SIDE) or np.ptp(values) < MIN_CONTRAST:
        return False
    return bool(np.median(border(values)) < 128 and is_normalised(values, fill))
