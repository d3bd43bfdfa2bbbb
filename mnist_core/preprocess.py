"""From ink to the 28×28 image a network reads: the MNIST authors' procedure, with every step kept for showing.

LeCun, Cortes, Burges, "The MNIST database": black and white digits were scaled to fit 20×20 with their aspect ratio
kept, anti-aliasing made them grey, and the centre of mass was put on the centre of 28×28.
What that text leaves open was measured on the 10,000 test images:
- Shifts are whole pixels. Every centre of mass, counted in pixels from 0, lies in [13.5, 14.5): the centre is pixel 14.
- The longer side is 20 pixels in 9,997 of them. The shorter side does not end on pixel borders (its outermost columns
  are half as bright as the outermost rows), so the digit was scaled inside a square, not to a rounded width.
- Averaging over areas gives those edges (125 and 244, MNIST 121 and 239); smoother filters make them half as bright.
- The brightest pixel is 254 or 255 in each.

Light or dark, opaque or transparent: ink is what differs from the background. Photographs: photo.py.
Images are uint8, (height, width), 0 = no ink, 255 = full ink, unless said otherwise. Needs numpy and Pillow only.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnist_core.errors import InputError

SIDE = 28  # of the image that networks read
BOX = 20  # the digit is scaled to fit this square
CENTRE = 14  # the pixel, counted from 0, that the centre of mass falls into
FULL = 0.75  # the quarter of the ink's pixels above this quantile is made full white, see above
SHOWN_SIDE = 400  # larger intermediate images are shrunk to this for showing
MAX_CANVAS_SIDE = 4096
MIN_CONTRAST = 8  # of 255: a fainter difference from the background is not seen, so it is not ink


@dataclass(frozen=True, eq=False)
class Stage:
    """One step: its name, one sentence that explains it, and the (h, w) uint8 grey image after it."""

    name: str
    explanation: str
    image: np.ndarray

    def __post_init__(self):
        image = self.image if max(self.image.shape) <= SHOWN_SIDE else _shrink(self.image)
        image = np.array(image, np.uint8)
        image.setflags(write=False)  # stages are cached and shared between visitors
        object.__setattr__(self, "image", image)


@dataclass(frozen=True, eq=False)
class Stages:
    """All steps in order, from what was drawn to what the network reads."""

    steps: tuple[Stage, ...]

    @property
    def final(self) -> np.ndarray:
        """What the network reads: (28, 28) uint8, read-only."""
        return self.steps[-1].image

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    def __getitem__(self, name: str) -> Stage:
        return self.steps[self.names.index(name)]


def from_canvas(rgba: np.ndarray) -> Stages | None:
    """The steps from a drawing, (h, w, 4) uint8 RGBA, to 28×28; None when nothing is drawn yet.

    Raises InputError for any other shape or type. A single dot is ink, and is scaled to fill 20×20 like any drawing.
    """
    rgba = _checked_canvas(rgba)
    ink = _canvas_ink(rgba)
    if ink is None:
        return None
    drawn = Stage("as drawn", "Your drawing, in grey.", _grey(rgba, ink))
    return from_ink(ink, before=(drawn,))


def from_ink(ink: np.ndarray, before: tuple[Stage, ...] = ()) -> Stages | None:
    """The steps from ink, (h, w) uint8, to 28×28, after the steps in `before`; None when there is no ink."""
    if not ink.any():
        return None
    cropped = crop(ink)
    fitted = fit(cropped)
    return Stages(
        (
            *before,
            Stage("ink found", "What differs from the background, bright on black.", ink),
            Stage("cropped", "Cut to the smallest box that holds the ink.", cropped),
            Stage("fit 20×20", "Scaled so that the longer side is 20 pixels.", fitted),
            Stage(
                "centred 28×28", "The ink's centre of mass is moved to the middle.", centre(fitted)
            ),
        )
    )


def as_drawn(image: np.ndarray) -> np.ndarray:
    """The whole canvas shrunk to (28, 28) uint8 with no cropping and no centring: what most demos do.

    `image`: a canvas, (h, w, 4) uint8, or ink, (h, w) uint8. An empty canvas gives an all-black image.
    """
    if getattr(image, "ndim", 0) == 2 and image.dtype == np.uint8 and image.size:
        ink = image
    else:
        ink = _canvas_ink(_checked_canvas(image))
    if ink is None:
        return np.zeros((SIDE, SIDE), np.uint8)
    return np.asarray(Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BOX))


def crop(ink: np.ndarray) -> np.ndarray:
    """Cuts to the bounding box of all ink of at least half strength: the edge of an anti-aliased stroke."""
    there = ink >= min(128, ink.max())
    rows, columns = np.flatnonzero(there.any(1)), np.flatnonzero(there.any(0))
    return ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]


def fit(ink: np.ndarray) -> np.ndarray:
    """Scales to (20, 20): the longer side fills it, the shorter one lies in the middle, edges become grey."""
    h, w = ink.shape
    side = max(h, w)
    square = np.zeros((side, side), np.float32)  # in uint8 a hair's average would round to nothing
    y, x = (side - h) // 2, (side - w) // 2
    square[y : y + h, x : x + w] = ink
    # Averaging over areas is what anti-aliasing means; when enlarging, it would only repeat pixels.
    how = Image.Resampling.BOX if side >= BOX else Image.Resampling.BICUBIC
    fitted = np.asarray(Image.fromarray(square).resize((BOX, BOX), how)).clip(0)
    full = np.percentile(fitted[fitted > 0.05 * fitted.max()], 100 * FULL)
    return np.rint((fitted * (255 / full)).clip(0, 255)).astype(np.uint8)


def centre(fitted: np.ndarray) -> np.ndarray:
    """Puts the (20, 20) digit into (28, 28) so that its centre of mass falls into pixel (14, 14).

    No ink is lost: where that shift would push some over the edge, the digit stops at the edge.
    """
    rows, columns = np.flatnonzero(fitted.any(1)), np.flatnonzero(fitted.any(0))
    tight = fitted[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
    (h, w), y, x = tight.shape, _offset(tight.sum(1)), _offset(tight.sum(0))
    image = np.zeros((SIDE, SIDE), np.uint8)
    image[y : y + h, x : x + w] = tight
    return image


def _offset(profile: np.ndarray) -> int:
    """Where the profile's first pixel goes on a 28-pixel axis for its centre of mass to fall into pixel 14."""
    mass = profile @ np.arange(len(profile)) / profile.sum()
    return int(np.clip(np.floor(CENTRE + 0.5 - mass), 0, SIDE - len(profile)))


def _checked_canvas(rgba: np.ndarray) -> np.ndarray:
    given = (
        f"{' × '.join(map(str, rgba.shape))} {rgba.dtype}"
        if isinstance(rgba, np.ndarray)
        else type(rgba).__name__
    )
    right = given.endswith("uint8") and rgba.ndim == 3 and rgba.shape[2] == 4
    if not right or not min(rgba.shape) >= 1 or max(rgba.shape) > MAX_CANVAS_SIDE:
        raise InputError(
            f"The canvas is {given}; it must be an array of height × width × 4 (RGBA) uint8, "
            f"1 to {MAX_CANVAS_SIDE} pixels a side."
        )
    return rgba


def _canvas_ink(rgba: np.ndarray) -> np.ndarray | None:
    """How far each pixel is from the background, 255 for the farthest; None when all are alike."""
    seen = _premultiplied(rgba)
    background = _background(seen)
    contrast = np.zeros(rgba.shape[:2], np.uint8)
    for channel in range(4):
        values, level = seen[..., channel], background[channel]
        np.maximum(contrast, np.where(values > level, values - level, level - values), out=contrast)
    peak = int(contrast.max())
    if peak < MIN_CONTRAST:
        return None
    return (np.arange(256) * 255 // peak).clip(0, 255).astype(np.uint8)[contrast]


def _premultiplied(rgba: np.ndarray) -> np.ndarray:
    """Colour times opacity: coverage by ink is linear in it, and all that is transparent is alike."""
    alpha = rgba[..., 3:].astype(np.uint16)
    if alpha.min() == 255:
        return rgba
    seen = (rgba * alpha // 255).astype(np.uint8)
    seen[..., 3] = rgba[..., 3]
    return seen


def _background(seen: np.ndarray) -> np.ndarray:
    """(4,) uint8: nothing, where a part of the canvas is transparent; else the commonest colour along the border.

    Along the border, because a fat digit can cover more than half of the canvas.
    """
    if (seen[..., 3] == 0).mean() > 0.02:
        return np.zeros(4, np.uint8)
    border = np.concatenate([seen[0], seen[-1], seen[:, 0], seen[:, -1]])
    colours, counts = np.unique(np.ascontiguousarray(border).view(np.uint32), return_counts=True)
    return colours[counts.argmax()].reshape(1).view(np.uint8)


def _grey(rgba: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The canvas as a person sees it, in grey; transparent parts white under dark ink and black under light ink."""
    picture = Image.fromarray(rgba)
    grey = np.asarray(picture.convert("L"))
    paper = 255 if grey[ink >= 128].mean() < 128 else 0
    return np.asarray(
        Image.composite(
            Image.fromarray(grey), Image.new("L", picture.size, paper), picture.getchannel("A")
        )
    )


def _shrink(image: np.ndarray) -> np.ndarray:
    factor = SHOWN_SIDE / max(image.shape)
    size = [max(1, round(length * factor)) for length in image.shape[::-1]]
    return np.asarray(Image.fromarray(image).resize(size, Image.Resampling.BOX))
