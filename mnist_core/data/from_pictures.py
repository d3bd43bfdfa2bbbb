"""Data sets of one's own: pictures in a folder for each class, or a zip of such folders, or of
drawings that were downloaded on the Playground.

They become four IDX files like those of any data set, and a description beside them that keeps the
names of the classes, which `own` reads.
"""

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from mnist_core.data.drawing_files import (
    DAMAGED_ZIP,
    DATASET_FILE,
    MAX_DATASET_NAME,
    MAX_ZIP,
    TABLE,
    read_png,
    read_zip,
)
from mnist_core.data.handwriting import as_read
from mnist_core.data.own import NAME
from mnist_core.dataset_specs import (
    FILES,
    IMAGE_SIDE,
    DatasetSpec,
    dataset_spec,
    register_dataset,
)
from mnist_core.errors import InputError, LabError
from mnist_core.files import read_file, write_bytes, write_json
from mnist_core.imaging.image_file import PICTURES, on_white, read_image
from mnist_core.imaging.morphology import border
from mnist_core.imaging.photo import from_image
from mnist_core.imaging.tiles import png

LARGEST = 2**26  # bytes of one picture
MOST = 200_000  # pictures
TEST_SHARE = 7  # one in so many is kept for the test, where the folders do not say which
FEWEST = 6  # pictures for learning and for the test
PARTS = {"train": False, "training": False, "test": True, "testing": True}


def add_own(name: str, source: Path, root: Path) -> DatasetSpec:
    """Makes the data set `name` below `root` of the pictures in `source`, and registers it.

    Pictures lie in a folder for each class, `0/a.png`; these may lie in `train` and `test`. Those
    of 28×28 pixels are taken as they are, light on dark; others are read like an upload. Raises
    InputError: which file or folder, and what is wrong with it.
    """
    if not name:
        raise InputError("name: '' was given; a data set needs a name of letters, digits or dashes")
    if (root / name).exists():
        raise InputError(f"name: {name!r} was given; {root / name} is there already")
    found = list(_pictures(source))
    classes = _in_order({label for label, _, _, _ in found})
    spec = DatasetSpec(name, classes, 0.5, 0.5, about=f"pictures from {source.name}")
    images = _images([(where, content) for _, _, where, content in found])
    labels = np.array([classes.index(label) for label, _, _, _ in found], np.uint8)
    for_test = _for_test([part for _, part, _, _ in found])
    counts = int((~for_test).sum()), int(for_test.sum())
    if min(counts) < FEWEST:
        raise InputError(
            f"{source}: {counts[0]} pictures to learn from and {counts[1]} for the test are too "
            f"few; at least {FEWEST} of each are needed"
        )
    scaled = images[~for_test] / np.float32(255)
    mean, std = round(float(scaled.mean()), 4), round(max(0.01, float(scaled.std())), 4)
    try:
        spec = register_dataset(DatasetSpec(name, classes, mean, std, spec.about, images=counts))
    except ValueError as error:
        raise InputError(str(error)) from error
    raw = root / name / "raw"
    for part, chosen in enumerate((~for_test, for_test)):
        write_bytes(raw / FILES[2 * part], _idx(images[chosen]))
        write_bytes(raw / FILES[2 * part + 1], _idx(labels[chosen]))
    about = {"classes": classes, "mean": mean, "std": std, "images": counts, "about": spec.about}
    write_json(root / name / NAME, about)
    return spec


def _pictures(source: Path) -> Iterator[tuple[str, bool | None, str, bytes]]:
    """Of each picture: its class; whether it is for the test, None where its folder does not say;
    its name; its bytes. Raises InputError."""
    count = 0
    for where, content in _files(source):
        folders = PurePosixPath(where).parts[:-1]
        if not folders:
            raise InputError(f"{source}: {where} lies in no folder; put it into its class's folder")
        parts = [PARTS[folder.lower()] for folder in folders[:-1] if folder.lower() in PARTS]
        count += 1
        if count > MOST:
            raise InputError(f"{source}: it has more than {MOST:,} pictures")
        yield folders[-1], parts[-1] if parts else None, where, content
    if not count:
        raise InputError(f"{source}: no pictures in folders were found ({', '.join(PICTURES)})")


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures below a folder, or in a zip: their names in it, and their bytes."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            where = path.relative_to(source).as_posix()
            if _is_picture(where) and path.is_file():
                yield where, read_file(path, LARGEST)
        return
    try:
        with zipfile.ZipFile(source) as archive:
            if TABLE in archive.namelist():
                yield from _drawings(source, archive)
                return
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                if _is_picture(entry.filename):
                    if entry.file_size > LARGEST:
                        raise InputError(f"{source}: {entry.filename} is too large")
                    with archive.open(entry) as file:
                        yield entry.filename, file.read(LARGEST)
    except OSError as error:
        raise InputError(f"{source}: it cannot be read ({error.strerror or error})") from error
    except (*DAMAGED_ZIP, RuntimeError) as error:  # RuntimeError: encrypted, or packed unusually
        raise InputError(f"{source}: it is neither a folder nor a zip that can be read") from error


def _drawings(source: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Those of a set of drawings that was downloaded on the Playground, as networks read them."""
    kind = "MNIST"
    if DATASET_FILE in archive.namelist():
        with archive.open(DATASET_FILE) as file:
            kind = file.read(MAX_DATASET_NAME).decode("ascii", "replace")
    classes = dataset_spec(kind).classes
    with source.open("rb") as file:
        packed = file.read(MAX_ZIP + 1)
    for sample, content in read_zip(packed, kind):
        image = as_read(read_png(content), kind)
        yield f"{classes[sample.label]}/{sample.file}", png(image)


def _is_picture(where: str) -> bool:
    parts = PurePosixPath(where).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return where.lower().endswith(PICTURES) and not hidden


def _in_order(labels: set[str]) -> tuple[str, ...]:
    """Numbers by their size, other names by the alphabet."""
    numbers = all(label.isascii() and label.isdigit() for label in labels)
    return tuple(sorted(labels, key=int) if numbers else sorted(labels))


def _images(found: list[tuple[str, bytes]]) -> np.ndarray:
    """(N, 28, 28) uint8, light on dark. Raises InputError that names the picture."""
    images, plain = np.zeros((len(found), IMAGE_SIDE, IMAGE_SIDE), np.uint8), []
    for number, (where, content) in enumerate(found):
        try:
            grey = on_white(read_image(content)).convert("L")
            if grey.size == (IMAGE_SIDE, IMAGE_SIDE):
                plain.append(number)
                images[number] = np.asarray(grey)
                continue
            stages = from_image(content)
        except LabError as error:
            raise InputError(f"{where}: {error}") from error
        if stages is None:
            raise InputError(f"{where}: it shows nothing that looks like ink")
        images[number] = stages.final
    if plain and np.median([np.median(border(images[number])) for number in plain]) > 127:
        images[plain] = 255 - images[plain]  # dark on light paper
    return images


def _for_test(parts: list[bool | None]) -> np.ndarray:
    """(N,) bool: what the folders say; else one in TEST_SHARE, by a rule that never changes."""
    if any(parts) and not all(parts):
        return np.array([bool(part) for part in parts])
    order = np.random.RandomState(1998).permutation(len(parts))
    return np.asarray(order < len(parts) // TEST_SHARE)


def _idx(values: np.ndarray) -> bytes:
    header = struct.pack(f">BBBB{values.ndim}I", 0, 0, 8, values.ndim, *values.shape)
    return header + values.tobytes()
