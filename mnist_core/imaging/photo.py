"""Finds the ink in photographs of dark ink on paper, in scans, and in clean pictures of digits.

Uneven light is evened out by a black-hat transform (Serra, "Image Analysis and Mathematical
Morphology", 1982): closing the grey image with a square wider than any stroke gives the paper as
if nothing were written on it, with its shadows and their edges. What is darker than that paper may
be ink; ink.py decides. Needs numpy and Pillow only.
"""

import numpy as np
from PIL import Image, ImageFilter, ImageOps

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.imaging.hollow import filled
from mnist_core.imaging.image_file import on_white, read_image, shrunk, turned
from mnist_core.imaging.ink import MIN_INK, find_ink, otsu, paper_level
from mnist_core.imaging.morphology import border, box, closing, components
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
FLAT = 0.3  # of all pixels; a photograph's noise leaves fewer to any one level
MIN_SHEET = 0.02  # of all pixels
SOLID = 0.6  # of its box: a sheet that is turned by 20° fills two thirds
LIGHT_BORDER = 0.85  # of the border of a light page, whatever shadow falls on it
THICK = 0.2  # of all pixels: the ink of a thick pen
MOST_INK = 0.25  # of the sheet


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
    4. Bright on dark (see is_bright_on_dark), unless it is such a sheet or a light page under a
       thick pen (see is_on_light_page): inverted, then read like a photograph.
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
    bright = not sheet and is_bright_on_dark(grey) and not is_on_light_page(grey)
    return _from_grey(grey, bright=bright, fill=fill)


def is_bright_on_dark(grey: Image.Image) -> bool:
    """Whether the ink of an L image is the bright part: by the skewness of the detail.

    Ink covers less than its surroundings, so the difference from the local mean, cubed, sums to its
    side. Gradients, shadows and the edge of a table have two equal sides and fall out.
    """
    small = shrunk(grey, 160)
    around = small.filter(ImageFilter.GaussianBlur(0.1 * min(small.size)))
    detail = np.asarray(small, np.float32) - np.asarray(around, np.float32)
    return bool((detail**3).sum() > 0)


def is_on_light_page(grey: Image.Image) -> bool:
    """Whether an L image is of a light page with so much dark ink that the holes look like the ink.

    Nearly all of its border is light, and more of it is dark than thin strokes can be.
    """
    values = np.asarray(shrunk(grey, 160))
    light = values > otsu(values.ravel())
    return bool(border(light).mean() > LIGHT_BORDER and 1 - light.mean() > THICK)


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
    paper, noise = paper_level(contrast[::3, ::3])
    least, faint = max(0.6 * MIN_INK, 5 * noise), max(0.3 * MIN_INK, 3 * noise)
    return without_lines(contrast, paper + least, paper + faint)


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
