"""Tells a digit that is crossed out by two long straight strokes. Needs numpy and Pillow only."""

import itertools

import numpy as np
from PIL import Image

SIDE = 48  # pixels at which strokes are looked for
CORNER = np.linspace(0.02, 0.26, 7)  # of the sides: where a stroke through a digit ends
LONG = 0.68  # of the diagonal
NARROW = 0.45  # width / height: what is narrower is one stroke, and not crossed out
COVERED = 0.96  # of a stroke's length, by ink
SAMPLES = np.linspace(0, 1, 48)


def is_crossed_out(ink: np.ndarray) -> bool:
    """Whether straight strokes run along both diagonals of (h, w) uint8 ink, cut to its box."""
    if ink.shape[1] < NARROW * ink.shape[0]:
        return False
    image = Image.fromarray(ink).resize((SIDE, SIDE), Image.Resampling.BOX)
    small = np.asarray(image) > 64
    return _has_diagonal(small) and _has_diagonal(small[:, ::-1])


def _has_diagonal(dark: np.ndarray) -> bool:
    """Whether a straight stroke runs from the upper left corner to the lower right one."""
    ends = np.array(list(itertools.product(CORNER, CORNER)))
    first, last = ends[:, None], (1 - ends)[None]
    lengths = np.hypot(*np.moveaxis(last - first, -1, 0)) / np.sqrt(2)
    points = first[..., None] + (last - first)[..., None] * SAMPLES  # (ends, ends, 2, samples)
    places = (points * SIDE).astype(int).clip(0, SIDE - 1)
    covered = dark[places[:, :, 0], places[:, :, 1]].mean(axis=-1)
    return bool(((covered >= COVERED) & (lengths >= LONG)).any())
