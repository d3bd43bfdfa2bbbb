"""The one reader of data sets: finds their files, checks them, and gives images and labels. Without
torch. What one file looks like is idx_file's.
"""

import functools
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.idx_file import content_of, read_array, remedy
from mnist_core.dataset_specs import DatasetSpec, dataset_spec
from mnist_core.errors import InputError, LabError
from mnist_core.paths import data_root

FEWEST = 6  # images of a part: one of them is held out for validation

# MD5 of the published image files. They tell whether a figure was measured on the images that
# everybody else uses, and catch one data set lying in another's folder.
PUBLISHED = {
    ("MNIST", "train-images-idx3-ubyte"): "6bbc9ace898e44ae57da46a324031adb",
    ("MNIST", "t10k-images-idx3-ubyte"): "2646ac647ad5339dbf082846283269ea",
    ("FashionMNIST", "train-images-idx3-ubyte"): "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    ("FashionMNIST", "t10k-images-idx3-ubyte"): "8181f5470baa50b63fa0f6fddb340f0a",
    ("KMNIST", "train-images-idx3-ubyte"): "92be26ec9822e900ac425d0a0aa84ced",
    ("KMNIST", "t10k-images-idx3-ubyte"): "bf305b8cd328700fbc17f5acbc2856d2",
}


@dataclass(frozen=True)
class IdxFile:
    """A file that has passed its checks: its MD5, and how it differs from the published one."""

    digest: str
    note: str = ""


@dataclass(frozen=True)
class PartSizes:
    """How many images there are to learn from, to validate on and to test on."""

    train: int
    validation: int
    test: int


@dataclass(frozen=True, eq=False)
class TestImage:
    """One image of a test set of `count`: (28, 28) uint8, its class, its index from 0."""

    image: np.ndarray
    label: int
    index: int
    count: int


def missing_files(name: str, root: Path) -> list[Path]:
    """The files that the data set `name` still lacks below `root`."""
    return [path for path in paths_of(name, root) if not path.is_file()]


def how_to_get(dataset: str, root: Path) -> str:
    """What to do when the data set is not there: a sentence, in Markdown."""
    spec = dataset_spec(dataset)
    if spec.downloadable:
        get = f"Get them with `python -m mnist_core datasets --download {spec.name}`"
    else:
        get = f"Put {', '.join(spec.files)} into `{root / spec.name / 'raw'}`"
    return f"{get}, or set `MNIST_DATA` to a folder that has them."


def check_files(name: str, root: Path) -> list[IdxFile]:
    """Checks the four files of a data set that is there, every byte of them. Raises LabError."""
    spec = dataset_spec(name)
    found = zip(paths_of(name, root), spec.files, strict=True)
    return [_check_content(path, file, spec) for path, file in found]


def fingerprint(files: list[IdxFile]) -> str:
    """16 hexadecimal digits that tell the files of a data set from others."""
    return hashlib.sha256("".join(file.digest for file in files).encode()).hexdigest()[:16]


def read_part(dataset: str, root: Path, *, test: bool) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) uint8 images, which are read only when they are looked at, and (N,) uint8 labels.

    Raises LabError: which file, what is wrong with it, what to do.
    """
    spec, part = dataset_spec(dataset), "test" if test else "training"
    paths = paths_of(dataset, root)[2:] if test else paths_of(dataset, root)[:2]
    images, labels = read_array(paths[0], spec, True), read_array(paths[1], spec, False)
    if labels.ndim == 2:  # QMNIST: eight numbers for each image, the class first
        labels = labels[:, 0]
    if len(labels) != len(images):
        raise LabError(
            f"{paths[0].parent}: {len(images)} {part} images but {len(labels)} labels; "
            f"delete both files and {remedy(spec)}"
        )
    if len(labels) < FEWEST:
        raise LabError(
            f"{paths[0].parent}: {len(labels)} {part} images are too few; at least {FEWEST} are "
            "needed"
        )
    low, high, last = int(labels.min()), int(labels.max()), spec.num_classes - 1
    if low < 0 or high > last:
        raise LabError(
            f"{paths[1]}: the {part} labels go from {low} to {high}; 0 to {last} is allowed; "
            f"delete the file and {remedy(spec)}"
        )
    return images, np.array(labels, dtype=np.uint8)


@functools.cache
def split_indices(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Of `count` images for training: the indices to learn from, and a sixth to validate on.

    NumPy keeps RandomState's stream the same in all versions, so the split never moves.
    """
    order = np.random.RandomState(1998).permutation(count)
    return order[count // 6 :], order[: count // 6]


def part_sizes(dataset: str, root: Path | None = None) -> PartSizes:
    """What the files on this machine hold; what the data set's spec says where they are missing."""
    spec, root = dataset_spec(dataset), data_root() if root is None else root
    try:
        counts = [len(read_array(path, spec, False)) for path in paths_of(dataset, root)[1::2]]
    except LabError:
        counts = list(spec.images)
    return PartSizes(counts[0] - counts[0] // 6, counts[0] // 6, counts[1])


def training_images(
    dataset: str, root: Path, count: int, draw: int
) -> tuple[np.ndarray, np.ndarray]:
    """(count, 28, 28) uint8 images and their (count,) labels: training images, drawn at random.

    None of them is a validation image. Raises LabError when a file is not what it should be.
    """
    images, labels = read_part(dataset, root, test=False)
    kept, _ = split_indices(len(images))
    chosen = np.random.default_rng(draw).choice(kept, min(count, len(kept)), replace=False)
    return np.array(images[chosen]), labels[chosen]


def test_images(dataset: str, root: Path, indices: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8: these test images, by their index in the test set. Raises LabError."""
    images, _ = read_part(dataset, root, test=True)
    if len(indices) and not 0 <= int(min(indices)) <= int(max(indices)) < len(images):
        raise LabError(
            f"{dataset} has {len(images)} test images here; {int(min(indices))} to "
            f"{int(max(indices))} were asked for."
        )
    return np.array(images[indices])


def test_image(dataset: str, root: Path, index: int) -> TestImage:
    """The test image of this index. Raises InputError for one that is not there, or LabError."""
    images, labels = read_part(dataset, root, test=True)
    if not 0 <= index < len(images):
        raise InputError(
            f"test image: {index} was given; {dataset} has 0 to {len(images) - 1} here"
        )
    return TestImage(np.array(images[index]), int(labels[index]), index, len(images))


def paths_of(name: str, root: Path) -> list[Path]:
    """The four files: images and labels for training, then for testing.

    Each is where it was found (see `_places`), or else where torchvision would put it.
    """
    spec = dataset_spec(name)
    return [
        next((path for path in places if path.is_file()), places[0])
        for places in (_places(spec, file, root) for file in spec.files)
    ]


def _places(spec: DatasetSpec, file: str, root: Path) -> list[Path]:
    """Where a file may lie, the best first: in torchvision's folder, in the data set's, and for
    MNIST in the data folder itself; under its published name, then under Kaggle's
    (train-images.idx3-ubyte), either of them also with .gz."""
    folders = [root / spec.name / "raw", root / spec.name]
    folders += [root] if spec.name == "MNIST" else []
    names = [file, file.replace("-idx", ".idx")]
    names += [f"{name}.gz" for name in names]
    return [folder / name for folder in folders for name in names]


def _check_content(path: Path, name: str, spec: DatasetSpec) -> IdxFile:
    """Checks a file, and that it is the one of this name and data set. Raises LabError."""
    read_array(path, spec, name in spec.files[::2])
    digest = hashlib.md5(content_of(path), usedforsecurity=False).hexdigest()
    for (owner, file), published in PUBLISHED.items():
        if digest == published and (owner, file) != (spec.name, name):
            raise LabError(
                f"{path} holds {owner}'s {file}; delete it and put {spec.name}'s own file there"
            )
    expected = PUBLISHED.get((spec.name, name), digest)
    return IdxFile(digest, "" if digest == expected else f"{name} is not the published file")
