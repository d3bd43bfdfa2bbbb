"""Data sets of one's own: pictures in a folder for each class, or a zip of such folders, or of
drawings that were downloaded on the Playground.

They become four IDX files like those of any data set, and a description beside them that keeps the
names of the classes, which `own` reads.
"""

import shutil
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.own import NAME
from mnist_core.data.picture_files import pictures, shown
from mnist_core.dataset_specs import (
    DATASET_NAME,
    DATASETS,
    FILES,
    IMAGE_SIDE,
    DatasetSpec,
    register_dataset,
)
from mnist_core.errors import InputError, LabError
from mnist_core.files import write_bytes, write_json, writing
from mnist_core.imaging.image_file import on_white, read_image
from mnist_core.imaging.morphology import border
from mnist_core.imaging.photo import from_image

MOST_CLASSES = 256  # a label is a byte
TEST_SHARE = 7  # one in so many is kept for the test, where the folders do not say which
FEWEST = 6  # pictures for learning and for the test


def add_own(name: str, source: Path, root: Path) -> DatasetSpec:
    """Makes the data set `name` below `root` of the pictures in `source`, and registers it.

    Pictures lie in a folder for each class, `0/a.png`; these may lie in `train` and `test`. Those
    of 28×28 pixels are taken as they are, light on dark; others are read like an upload. Raises
    InputError: which file or folder, and what is wrong with it.
    """
    _check_name(name, root)
    found = _read(pictures(source))
    classes, for_test = _in_order(set(found.labels)), _for_test(found.parts)
    counts = int((~for_test).sum()), int(for_test.sum())
    _check_counts(source, classes, counts)
    numbers = {label: number for number, label in enumerate(classes)}
    labels = np.array([numbers[label] for label in found.labels], np.uint8)
    mean, std = _mean_and_std(found.images[~for_test])
    about = f"pictures from {shown(source.name)}"
    try:
        spec = register_dataset(DatasetSpec(name, classes, mean, std, about, images=counts))
    except ValueError as error:
        raise InputError(str(error)) from error
    try:
        _write(spec, root, found.images, labels, for_test)
    except LabError:
        del DATASETS[name.lower()]
        raise
    return spec


def _check_name(name: str, root: Path) -> None:
    """Raises InputError, before the name is part of a path."""
    if not name:
        raise InputError("name: '' was given; a data set needs a name of letters, digits or dashes")
    if not DATASET_NAME.fullmatch(name):
        raise InputError(f"name: {name[:60]!r} was given; use letters, digits and dashes")
    if (root / name).exists():
        raise InputError(f"name: {name!r} was given; {root / name} is there already")


def _check_counts(source: Path, classes: tuple[str, ...], counts: tuple[int, int]) -> None:
    """Raises InputError for too many classes, and for too few pictures."""
    if len(classes) > MOST_CLASSES:
        raise InputError(
            f"{source}: its pictures lie in {len(classes):,} folders, one for each class; a data "
            f"set has at most {MOST_CLASSES} classes"
        )
    if min(counts) < FEWEST:
        raise InputError(
            f"{source}: {counts[0]} pictures to learn from and {counts[1]} for the test are too "
            f"few; at least {FEWEST} of each are needed"
        )


def _mean_and_std(images: np.ndarray) -> tuple[float, float]:
    """Of all pixels from 0 to 1; counted, as 200,000 images in floating point fill the memory."""
    counts = np.zeros(256, np.int64)
    for image in images:
        counts += np.bincount(image.ravel(), minlength=256)
    levels = np.arange(256) / 255
    mean = float(np.average(levels, weights=counts))
    std = float(np.average((levels - mean) ** 2, weights=counts)) ** 0.5
    return round(mean, 4), round(max(0.01, std), 4)


def _write(
    spec: DatasetSpec, root: Path, images: np.ndarray, labels: np.ndarray, for_test: np.ndarray
) -> None:
    """All files appear together: one that is cut short does not take up the name."""
    new = root / f".new-{spec.name}"
    shutil.rmtree(new, ignore_errors=True)
    try:
        for part, chosen in enumerate((~for_test, for_test)):
            write_bytes(new / "raw" / FILES[2 * part], _idx(images[chosen]))
            write_bytes(new / "raw" / FILES[2 * part + 1], _idx(labels[chosen]))
        about = {"classes": spec.classes, "mean": spec.mean, "std": spec.std}
        write_json(new / NAME, about | {"images": spec.images, "about": spec.about})
        with writing(root / spec.name):
            new.rename(root / spec.name)
    finally:
        shutil.rmtree(new, ignore_errors=True)


def _in_order(labels: set[str]) -> tuple[str, ...]:
    """Numbers by their size, other names by the alphabet."""
    numbers = all(label.isascii() and label.isdigit() and len(label) < 20 for label in labels)
    return tuple(sorted(labels, key=int) if numbers else sorted(labels))


@dataclass(frozen=True, eq=False)
class _Found:
    """`images`: (N, 28, 28) uint8, light on dark; of each its class, and whether it is for the
    test, None where its folder does not say."""

    images: np.ndarray
    labels: list[str]
    parts: list[bool | None]


def _read(given: Iterable[tuple[str, bool | None, str, bytes]]) -> _Found:
    """All pictures, one after the other. Raises InputError that names the bad one."""
    images, labels, parts, plain = list[np.ndarray](), list[str](), list[bool | None](), []
    for label, part, where, content in given:
        try:
            image, is_plain = _image(content)
        except LabError as error:
            raise InputError(f"{shown(where)}: {error}") from error
        if is_plain:
            plain.append(len(images))
        images.append(image)
        labels.append(label)
        parts.append(part)
    found = np.stack(images)
    if plain and np.median([np.median(border(found[number])) for number in plain]) > 127:
        found[plain] = 255 - found[plain]  # dark on light paper
    return _Found(found, labels, parts)


def _image(content: bytes) -> tuple[np.ndarray, bool]:
    """(28, 28) uint8, and whether the picture had that size and was taken as it is."""
    grey = on_white(read_image(content)).convert("L")
    if grey.size == (IMAGE_SIDE, IMAGE_SIDE):
        return np.asarray(grey), True
    stages = from_image(content)
    if stages is None:
        raise InputError("it shows nothing that looks like ink")
    return stages.final.copy(), False  # of its own, not a part of the picture


def _for_test(parts: list[bool | None]) -> np.ndarray:
    """(N,) bool: what the folders say; else one in TEST_SHARE, by a rule that never changes."""
    if any(parts) and not all(parts):
        return np.array([bool(part) for part in parts])
    order = np.random.RandomState(1998).permutation(len(parts))
    return np.asarray(order < len(parts) // TEST_SHARE)


def _idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()
