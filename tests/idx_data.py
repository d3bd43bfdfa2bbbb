"""Small data sets in torchvision's layout: a pattern for each class, quick to make and to learn."""

import struct
from pathlib import Path

import numpy as np

from mnist_core.dataset_specs import dataset_spec


def idx_bytes(values: np.ndarray) -> bytes:
    """The array as an IDX file: uint8, or big-endian int32."""
    kind = 8 if values.dtype == np.uint8 else 12
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, kind, values.ndim, *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


def pictures(labels: np.ndarray, seed: int) -> np.ndarray:
    """(N, 28, 28) uint8: a bright bar whose place tells the class, on faint noise."""
    random = np.random.default_rng(seed)
    images = random.integers(0, 30, (len(labels), 28, 28), dtype=np.uint8)
    for image, label in zip(images, labels, strict=True):
        place, kind = label % 10, label // 10
        row, column = 4 + 4 * (place % 5), 4 + 11 * (place // 5)
        bar = image.T if kind % 2 else image
        bar[row : row + 3, column : column + 9] += np.uint8(200)
        image[:2, : 3 * kind] = 255  # tells the third ten from the first
    return images


def write_dataset(root: Path, name: str = "MNIST", train: int = 240, test: int = 60) -> Path:
    """Writes the four files of a data set below `root`; returns `root`."""
    folder = root / name / "raw"
    folder.mkdir(parents=True, exist_ok=True)
    spec = dataset_spec(name)
    names = spec.files
    for part, count in enumerate((train, test)):
        labels = (np.arange(count) % spec.num_classes).astype(np.uint8)
        (folder / names[2 * part]).write_bytes(idx_bytes(pictures(labels, seed=part)))
        if name == "QMNIST":  # eight columns of 32-bit numbers, of which the first is the class
            labels = np.repeat(labels[:, None].astype(np.int32), 8, axis=1)
        (folder / names[2 * part + 1]).write_bytes(idx_bytes(labels))
    return root
