"""Digits turned, shifted, scaled, made thinner or thicker, or noisy. Loads without torch."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.imaging.morphology import dilate

FINER = 4  # strokes grow and shrink in quarters of a pixel
AROUND = ((1, 0), (0, 1), (-1, 0), (0, -1))  # where images are shifted to, in turn


@dataclass(frozen=True)
class Corruption:
    """One way to make images harder: its levels in order, and the one that changes nothing."""

    title: str
    unit: str
    levels: tuple[float, ...]
    neutral: float
    apply: Callable[[np.ndarray, float], np.ndarray]


def corrupt(images: np.ndarray, kind: str, level: float) -> np.ndarray:
    """(N, 28, 28) uint8, white on black -> the same, corrupted; the same each time."""
    found = CORRUPTIONS[kind]
    return images if level == found.neutral else found.apply(images, level)


def rotate(images: np.ndarray, degrees: float) -> np.ndarray:
    """Counter-clockwise about the centre, bilinear; what comes in is black."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return _affine(images, cos, -sin, sin, cos)


def scale(images: np.ndarray, factor: float) -> np.ndarray:
    """About the centre, bilinear: below 1 smaller."""
    return _affine(images, 1 / factor, 0, 0, 1 / factor)


def _affine(images: np.ndarray, a: float, b: float, c: float, d: float) -> np.ndarray:
    """Each output pixel looks where the matrix sends it, seen from the centre of the image."""
    middle = IMAGE_SIDE / 2
    x, y = middle - a * middle - b * middle, middle - c * middle - d * middle
    matrix, size = (a, b, x, c, d, y), (IMAGE_SIDE, IMAGE_SIDE)
    affine, bilinear = Image.Transform.AFFINE, Image.Resampling.BILINEAR
    moved = (Image.fromarray(image).transform(size, affine, matrix, bilinear) for image in images)
    return np.stack([np.asarray(image) for image in moved])


def shift(images: np.ndarray, pixels: float) -> np.ndarray:
    """By whole pixels: the first image to the right, the next ones down, left, up, and so on."""
    moved, steps = np.empty_like(images), round(pixels)
    padded = np.pad(images, ((0, 0), (steps, steps), (steps, steps)))
    for place, (right, down) in enumerate(AROUND):
        top, left = steps - down * steps, steps - right * steps
        moved[place::4] = padded[place::4, top : top + IMAGE_SIDE, left : left + IMAGE_SIDE]
    return moved


def stroke(images: np.ndarray, pixels: float) -> np.ndarray:
    """Thicker by so many pixels, or thinner where negative: the brightest, or darkest, value
    within half of that on either side, on a grid four times finer."""
    reach, parts = round(abs(pixels) * FINER / 2), []
    for part in np.array_split(images, -(-len(images) // 1000)):  # at once would take 1 GB
        fine = part.repeat(FINER, axis=1).repeat(FINER, axis=2)
        if pixels > 0:
            fine = dilate(fine, reach)
        else:  # the dark grows, from beyond the border too
            around = np.pad(fine, ((0, 0), (reach, reach), (reach, reach)))
            fine = 255 - dilate(255 - around, reach)[:, reach:-reach, reach:-reach]
        means = fine.reshape(-1, IMAGE_SIDE, FINER, IMAGE_SIDE, FINER).mean(axis=(2, 4))
        parts.append(np.rint(means).astype(np.uint8))
    return np.concatenate(parts)


def noise(images: np.ndarray, share: float) -> np.ndarray:
    """Normal noise on every pixel, of this deviation as a share of white; the same each time."""
    draws = np.random.RandomState(1998).standard_normal(images.shape).astype(np.float32)
    return np.clip(np.rint(images + 255 * share * draws), 0, 255).astype(np.uint8)


CORRUPTIONS = {
    "rotation": Corruption(
        "Rotation", "degrees", (-60, -45, -30, -20, -10, 0, 10, 20, 30, 45, 60), 0, rotate
    ),
    "shift": Corruption("Shift", "pixels", (0, 1, 2, 3, 4, 6, 8), 0, shift),
    "scale": Corruption(
        "Scale", "factor", (0.5, 0.6, 0.7, 0.8, 0.9, 1, 1.1, 1.2, 1.3, 1.4), 1, scale
    ),
    "stroke": Corruption("Stroke width", "pixels", (-1.5, -1, -0.5, 0, 0.5, 1, 1.5, 2), 0, stroke),
    "noise": Corruption("Noise", "share of white", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6), 0, noise),
}
