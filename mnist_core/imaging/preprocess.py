"""From ink to the 28×28 image a network reads: the MNIST authors' procedure, every step kept.

LeCun, Cortes and Burges, "The MNIST database": black and white digits were scaled to fit 20×20
with their aspect ratio kept, anti-aliasing made them grey, and their centre of mass was put on the
centre of 28×28. What that leaves open was measured on the 10,000 test images:

- Shifts are whole pixels. Every centre of mass, counted in pixels from 0, lies in [13.5, 14.5), so
  the centre is pixel 14.
- The longer side is 20 pixels, in 9,997 of them. The shorter side does not end on a pixel's border
  (its outermost columns are half as bright as the outermost rows: 121 and 239), so digits were
  scaled inside a square and not to a rounded width.
- Averaging over areas gives such edges (125 and 244); smoother filters do not (50 and 244).
- The brightest pixel is 254 or 255 in all; in 88 % the brightest quarter of the ink is full white.

FashionMNIST and KMNIST were made otherwise: their pictures fill all 28 pixels. Of 500 test images
of each, made sharp and placed at random on a canvas, LeNet-5 reads 50 % (garments) and 79 % (kana)
after the procedure above, 87 % and 93 % when they are scaled to fill the image (`fill`).

Ink is what differs from the background, be it light or dark, opaque or clear. For photographs see
photo.py. Images are (height, width) uint8, 0 = no ink, 255 = full ink, unless said otherwise.
Needs numpy and Pillow only.
"""

from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.errors import InputError
from mnist_core.imaging.image_file import shrunk
from mnist_core.imaging.morphology import border, box

INK = "ink found"  # the name of the step that the normalising begins with
BOX = 20  # the digit is scaled to fit this square
CENTRE = 14  # the pixel, counted from 0, that the centre of mass falls into
CENTRED = 0.6  # pixels from the centre: whole pixels, and a little for what rounding does
FILLS = 24  # pixels: the longer side of what fills an image
FULL = 0.75  # ink's pixels above this quantile are made full white: a thin pen is not a faint pen
SHOWN_SIDE = 400  # larger intermediate images are shrunk to this for showing
MAX_CANVAS_SIDE = 4096
MIN_CONTRAST = 8  # of 255: a fainter difference from the background cannot be seen


@dataclass(frozen=True, eq=False)
class Stage:
    """One step: its name, a sentence that explains it, and the (h, w) uint8 grey image after it."""

    name: str
    explanation: str
    image: np.ndarray

    def __post_init__(self):
        image = np.array(shrunk(Image.fromarray(self.image), SHOWN_SIDE))
        image.setflags(write=False)  # stages are cached, and shared between visitors
        object.__setattr__(self, "image", image)


@dataclass(frozen=True, eq=False)
class Ink:
    """The ink of a whole picture, (h, w) uint8, with a margin of so many pixels added around it."""

    pixels: np.ndarray
    margin: int = 0

    def in_picture(self, box: tuple[int, int, int, int]) -> tuple[float, float, float, float]:
        """(top, left, bottom, right) in pixels of the ink -> in shares of the picture's sides."""
        sides = np.array(self.pixels.shape * 2) - 2 * self.margin
        top, left, bottom, right = ((np.array(box) - self.margin) / sides).clip(0, 1)
        return float(top), float(left), float(bottom), float(right)


@dataclass(frozen=True, eq=False)
class Stages:
    """All steps in order, from what was given to what the network reads.

    `ink` is all that was found, where it was looked for; steps hold smaller pictures of it.
    """

    steps: tuple[Stage, ...]
    ink: Ink | None = None

    @property
    def final(self) -> np.ndarray:
        """What the network reads: (28, 28) uint8, read-only."""
        return self.steps[-1].image

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(step.name for step in self.steps)

    def __getitem__(self, name: str) -> Stage:
        return self.steps[self.names.index(name)]


def from_canvas(rgba: np.ndarray, *, fill: bool = False) -> Stages | None:
    """The steps from a drawing, (h, w, 4) uint8 RGBA, to 28×28; None when nothing is drawn yet.

    A single dot is ink, and is scaled to fill 20×20 like any drawing; with `fill`, all of 28×28.
    Raises InputError for another shape or type.
    """
    rgba = _checked_canvas(rgba)
    ink = _canvas_ink(rgba)
    if ink is None:
        return None
    grey = Stage("as drawn", "Your drawing, in grey.", _grey(rgba, ink))
    return from_ink(ink, grey, fill=fill)


def from_ink(ink: np.ndarray, *before: Stage, fill: bool = False, margin: int = 0) -> Stages | None:
    """The steps from ink, (h, w) uint8, to 28×28, after those `before`; None when there is none.

    `fill`: the ink fills the whole image, for data sets whose spec says `filled`. `margin`: so
    many pixels of the ink, on each side, are not of the picture.
    """
    if not ink.any():
        return None
    cropped = crop(ink)
    fitted = fit(cropped, IMAGE_SIDE if fill else BOX)
    steps = [
        Stage(INK, "What differs from the background, bright on black.", ink),
        Stage("cropped", "Cut to the smallest box that holds the ink.", cropped),
    ]
    if fill:
        steps += [Stage("fit 28×28", "Scaled until its longer side fills the image.", fitted)]
    else:
        steps += [
            Stage("fit 20×20", "Scaled until its longer side is 20 pixels.", fitted),
            Stage("centred 28×28", "Its centre of mass moved to the middle.", centre(fitted)),
        ]
    return Stages((*before, *steps), Ink(ink, margin))


def without_normalising(stages: Stages) -> Stages:
    """The steps of the same ink when it is only shrunk, as in most demos.

    A picture that is not square gets black along its longer sides, so that its shape is kept. An
    image without such a step stays.
    """
    if INK not in stages.names:
        return stages
    kept = stages.steps[: stages.names.index(INK) + 1]
    square = Image.fromarray(_squared(kept[-1].image))
    small = np.asarray(square.resize((IMAGE_SIDE, IMAGE_SIDE), Image.Resampling.BOX))
    how = "The whole picture shrunk to 28×28: not cropped, not scaled, not centred."
    return Stages((*kept, Stage("only shrunk", how, small)), stages.ink)


def _squared(ink: np.ndarray) -> np.ndarray:
    """In the middle of the smallest black square that holds it."""
    missing = [max(ink.shape) - length for length in ink.shape]
    return np.pad(ink, [(length // 2, length - length // 2) for length in missing])


def crop(ink: np.ndarray) -> np.ndarray:
    """Cuts to the box of the ink; what is fainter than an eighth is the blur of its edge."""
    return ink[box(ink >= min(32, ink.max()))]


def fit(ink: np.ndarray, side: int = BOX) -> np.ndarray:
    """Scales to (side, side): the longer side fills it, the shorter one is in the middle."""
    square = _squared(ink.astype(np.float32))  # in uint8 a hair's average would round to 0
    # Averaging over areas would only repeat pixels when it enlarges.
    how = Image.Resampling.BOX if len(square) >= side else Image.Resampling.BICUBIC
    fitted = np.asarray(Image.fromarray(square).resize((side, side), how)).clip(0)
    full = np.quantile(fitted[fitted > 0.05 * fitted.max()], FULL)
    return np.rint((fitted * (255 / full)).clip(0, 255)).astype(np.uint8)


def centre(fitted: np.ndarray) -> np.ndarray:
    """Puts the (20, 20) digit into (28, 28), its centre of mass into pixel (14, 14).

    No ink is lost: a digit so lopsided that it would be pushed over the edge stops at the edge.
    """
    tight = fitted[box(fitted > 0)]
    (h, w), y, x = tight.shape, _offset(tight.sum(1)), _offset(tight.sum(0))
    return np.pad(tight, ((y, IMAGE_SIDE - h - y), (x, IMAGE_SIDE - w - x)))


def is_normalised(image: np.ndarray, fill: bool = False) -> bool:
    """Whether a (28, 28) uint8 image is scaled and centred already; with `fill`, fills its box.

    Holds for all test images of MNIST but three, whose longer side is 19 or 18 pixels.
    """
    there = image > 0
    rows, columns = box(there)
    longer = max(rows.stop - rows.start, columns.stop - columns.start)
    if fill:
        return bool(longer >= FILLS)
    centres = [
        (image.sum(1 - axis) @ np.arange(IMAGE_SIDE)) / image.sum(dtype=np.int64) for axis in (0, 1)
    ]
    centred = all(abs(place - CENTRE) < CENTRED for place in centres)
    return bool(centred and abs(longer - BOX) <= 2)


def _offset(profile: np.ndarray) -> int:
    """Where on an axis of 28 a profile starts for its centre of mass to fall into pixel 14."""
    mass = profile @ np.arange(len(profile)) / profile.sum()
    return int(np.clip(np.floor(CENTRE + 0.5 - mass), 0, IMAGE_SIDE - len(profile)))


def _checked_canvas(rgba: np.ndarray) -> np.ndarray:
    allowed = f"it must be height × width × 4 (RGBA) uint8, 1 to {MAX_CANVAS_SIDE} pixels a side."
    if not isinstance(rgba, np.ndarray):
        raise InputError(f"The canvas is a {type(rgba).__name__}; {allowed}")
    right = rgba.ndim == 3 and rgba.shape[2] == 4 and rgba.dtype == np.uint8 and rgba.size > 0
    if not right or max(rgba.shape) > MAX_CANVAS_SIDE:
        shape = " × ".join(map(str, rgba.shape))
        raise InputError(f"The canvas is {shape} {rgba.dtype}; {allowed}")
    return rgba


def _canvas_ink(rgba: np.ndarray) -> np.ndarray | None:
    """How far each pixel is from the background, 255 for the farthest; None when all are alike."""
    seen = _premultiplied(rgba)
    background = _background(seen)
    contrast = np.zeros(rgba.shape[:2], np.uint8)
    for channel in range(4):
        values, level = seen[..., channel], background[channel]
        apart = np.where(values > level, values - level, level - values)
        np.maximum(contrast, apart, out=contrast)
    peak = int(contrast.max())
    if peak < MIN_CONTRAST:
        return None
    stretched = (np.arange(256) * 255 // peak).clip(0, 255).astype(np.uint8)
    return stretched[contrast]


def _premultiplied(rgba: np.ndarray) -> np.ndarray:
    """Colour times opacity: linear in the ink's coverage, and equal for all that is clear."""
    if rgba[..., 3].min() == 255:
        return rgba
    seen = (rgba * rgba[..., 3:].astype(np.uint16) // 255).astype(np.uint8)
    seen[..., 3] = rgba[..., 3]
    return seen


def _background(seen: np.ndarray) -> np.ndarray:
    """(4,) uint8: clear, where 2 % of the canvas are; else the commonest colour along its border.

    Along the border, because a fat digit can cover more than half of the canvas.
    """
    if (seen[..., 3] == 0).mean() > 0.02:
        return np.zeros(4, np.uint8)
    edge = np.ascontiguousarray(border(seen)).view(np.uint32)
    colours, counts = np.unique(edge, return_counts=True)
    return colours[[counts.argmax()]].view(np.uint8)


def _grey(rgba: np.ndarray, ink: np.ndarray) -> np.ndarray:
    """The canvas in grey; where it is clear, white under dark ink and black under light ink."""
    picture = Image.fromarray(rgba)
    grey = picture.convert("L")
    paper = 255 if np.asarray(grey)[ink >= 128].mean() < 128 else 0
    under = Image.new("L", picture.size, paper)
    return np.asarray(Image.composite(grey, under, picture.getchannel("A")))
