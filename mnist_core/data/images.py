"""Single images of a data set that is on this machine, for pages. Loads without torch."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from mnist_core.data.datasets import missing_files, validation_permutation
from mnist_core.data.idx import file_names
from mnist_core.errors import LabError

PIXELS = 28 * 28


def has_images(dataset: str, root: Path) -> bool:
    """Whether all files of the data set are there."""
    return not missing_files(dataset, root)


def training_images(
    dataset: str, root: Path, count: int, draw: int
) -> tuple[np.ndarray, np.ndarray]:
    """(count, 28, 28) uint8 images and their (count,) labels: training images, drawn at random.

    None of them is a validation image. Raises LabError when a file is not what it should be.
    """
    images, labels = _open(dataset, root, test=False)
    order = validation_permutation(len(images))[len(images) // 6 :]
    chosen = np.random.default_rng(draw).choice(order, min(count, len(order)), replace=False)
    return np.array(images[chosen]), np.array(labels[chosen])


def test_images(dataset: str, root: Path, indices: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8: these test images, by their place in the test set. Raises LabError."""
    images, _ = _open(dataset, root, test=True)
    if len(indices) and not 0 <= int(min(indices)) <= int(max(indices)) < len(images):
        raise LabError(f"{dataset} has {len(images)} test images here; others were asked for.")
    return np.array(images[indices])


def test_set(dataset: str, root: Path) -> tuple[np.ndarray, np.ndarray]:
    """All test images, (N, 28, 28), and labels, (N,) uint8, as they lie on disk: nothing is read
    before it is looked at. Raises LabError."""
    return _open(dataset, root, test=True)


def _open(dataset: str, root: Path, *, test: bool) -> tuple[np.ndarray, np.ndarray]:
    """Images and labels as they lie in their files; nothing is read before it is looked at."""
    names = file_names(dataset)[2:] if test else file_names(dataset)[:2]
    images, labels = (root / dataset / "raw" / name for name in names)
    pixels = _values(images, 16)
    if len(pixels) % PIXELS:
        raise LabError(f"{images} is damaged: it is no row of 28×28 images.")
    wide = "idx2" in labels.name  # QMNIST: eight numbers of four bytes a row, the class first
    numbers = _values(labels, 12).reshape(-1, 32)[:, 3] if wide else _values(labels, 8)
    if len(numbers) != len(pixels) // PIXELS or not len(numbers):
        raise LabError(f"{labels} is damaged: its labels are not as many as the images.")
    return pixels.reshape(-1, 28, 28), numbers


def _values(path: Path, header: int) -> np.ndarray:
    try:
        return np.memmap(path, np.uint8, "r", offset=header)
    except (OSError, ValueError) as error:
        raise LabError(f"{path} cannot be read ({error}).") from error
