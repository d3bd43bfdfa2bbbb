"""The four data sets as uint8 tensors in memory, with the one split that every run uses.

Names, classes and statistics load without torch; `load` reads the images through torchvision.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.errors import InputError, LabError
from mnist_core.idx import IdxFile, check_file, file_names

if TYPE_CHECKING:
    import torch

DIGITS = tuple("0123456789")


@dataclass(frozen=True)
class DatasetSpec:
    """What is known of a data set without its files.

    `mean` and `std` are of the 60,000 training images' pixels, scaled to 0..1.
    """

    name: str
    classes: tuple[str, ...]
    mean: float
    std: float
    about: str


SPECS = {
    "MNIST": DatasetSpec("MNIST", DIGITS, 0.1307, 0.3081, "handwritten digits"),
    "FashionMNIST": DatasetSpec(
        "FashionMNIST",
        ("T-shirt", "Trouser", "Pullover", "Dress", "Coat")
        + ("Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot"),
        0.2860,
        0.3530,
        "garments, from Zalando's catalogue",
    ),
    "KMNIST": DatasetSpec(  # by CODH, doi:10.20676/00000341, from NIJL's Kuzushiji Dataset
        "KMNIST",
        ("お o", "き ki", "す su", "つ tsu", "な na", "は ha", "ま ma", "や ya", "れ re", "を wo"),
        0.1918,
        0.3483,
        "cursive Japanese characters",
    ),
    "QMNIST": DatasetSpec(
        "QMNIST", DIGITS, 0.1307, 0.3081, "digits, with a test set of 60,000 instead of 10,000"
    ),
}


@dataclass(frozen=True)
class Split:
    """images: (N, 28, 28) uint8; labels: (N,) int64."""

    images: torch.Tensor
    labels: torch.Tensor

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """The training images without the validation images, those, and the test images.

    `note` says in what the files differ from the published ones; empty when in nothing known.
    """

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split
    fingerprint: str
    note: str = ""

    def to(self, device: torch.device | str) -> Dataset:
        """The same data on another device."""
        moved = {
            part: Split(split.images.to(device), split.labels.to(device))
            for part in ("train", "validation", "test")
            for split in (getattr(self, part),)
        }
        return dataclasses.replace(self, **moved)


def data_root() -> Path:
    """The folder with the data sets: MNIST_DATA, or data/ in the project."""
    return Path(os.environ.get("MNIST_DATA") or Path(__file__).parents[1] / "data")


def missing_files(name: str, root: Path) -> list[Path]:
    """The files that `name` still lacks below `root`."""
    folder = root / name / "raw"
    return [folder / file for file in file_names(name) if not (folder / file).is_file()]


def check_files(name: str, root: Path) -> list[IdxFile]:
    """Checks the four files of a data set that is there, without torch. Raises LabError."""
    folder = root / name / "raw"
    return [check_file(folder / file, name) for file in file_names(name)]


@functools.cache
def validation_permutation(count: int) -> np.ndarray:
    """The order whose first sixth is the validation set: 10,000 of 60,000.

    NumPy keeps RandomState's stream the same in all versions, so the split never moves.
    """
    return np.random.RandomState(1998).permutation(count)


def load(
    name: str,
    root: Path | None = None,
    *,
    download: bool = True,
    on_download: Callable[[int], None] | None = None,
) -> Dataset:
    """Reads a data set, after checking each of its files; downloads it when it is missing.

    `on_download` hears, about once a second, how many bytes have arrived. Raises LabError:
    which file, what is wrong with it, and what to do.
    """
    root = data_root() if root is None else root
    spec = SPECS[RunConfig.check("dataset", name)]
    if missing_files(spec.name, root):
        if not download:
            raise LabError(_how_to_get(spec.name, root))
        _download(spec.name, root, on_download)
    files = check_files(spec.name, root)
    full, test = (_read(spec, root, train) for train in (True, False))
    fingerprint = hashlib.sha256("".join(f.digest for f in files).encode()).hexdigest()[:16]
    note = "; ".join(file.note for file in files if file.note)
    return Dataset(spec, *_hold_out(full), test, fingerprint, note)


def _hold_out(full: Split) -> tuple[Split, Split]:
    import torch

    order = torch.from_numpy(validation_permutation(len(full)))
    held_out, kept = order[: len(full) // 6], order[len(full) // 6 :]
    parts = [Split(full.images[index], full.labels[index]) for index in (kept, held_out)]
    return parts[0], parts[1]


def _torchvision_class(name: str) -> type:
    """torchvision's class, made to read the IDX files that were checked and no older format."""
    from torchvision import datasets

    ours = {"_check_legacy_exist": lambda self: False}
    return type(name, (getattr(datasets, name),), ours)  # the name is also its folder's


def _read(spec: DatasetSpec, root: Path, train: bool) -> Split:
    part = "training" if train else "test"
    where = root / spec.name / "raw"
    try:
        source = _torchvision_class(spec.name)(str(root), train=train)
    except (OSError, RuntimeError, ValueError, TypeError, AssertionError) as error:
        raise LabError(f"{where}: the {part} files could not be read ({error})") from error
    labels = source.targets if source.targets.ndim == 1 else source.targets[:, 0]
    if len(labels) != len(source.data):
        raise LabError(
            f"{where}: {len(source.data)} {part} images but {len(labels)} labels; "
            "delete both files and download them again"
        )
    if len(labels) < 6:
        raise LabError(f"{where}: {len(labels)} {part} images are too few; 6 are needed at least")
    if int(labels.min()) < 0 or int(labels.max()) > 9:
        raise LabError(
            f"{where}: the {part} labels go from {int(labels.min())} to {int(labels.max())}; "
            "0 to 9 is allowed; delete the label file and download it again"
        )
    return Split(source.data, labels.long())


def _how_to_get(name: str, root: Path) -> str:
    files = ", ".join(path.name for path in missing_files(name, root))
    return (
        f"{name} is not in {root / name / 'raw'} (missing: {files}); run: python -m mnist_core "
        f"datasets --download {name}, or point MNIST_DATA at a folder that has it"
    )


def _download(name: str, root: Path, on_download: Callable[[int], None] | None) -> None:
    """Through torchvision, which draws its own progress bars on stderr."""
    from filelock import FileLock

    folder = root / name / "raw"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{name}.lock"), _watch_size(folder, on_download):
            for train in (True, False):
                _torchvision_class(name)(str(root), train=train, download=True)
    except PermissionError as error:
        raise LabError(
            f"{error.filename or root} cannot be written; point MNIST_DATA at a folder "
            f"that can, or at one that has {name}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
        raise LabError(
            f"{name} could not be downloaded ({reason}); connect to the network and try again, "
            f"or put its files ({', '.join(file_names(name))}) into {folder}"
        ) from error


@contextmanager
def _watch_size(folder: Path, on_size: Callable[[int], None] | None) -> Iterator[None]:
    """Tells `on_size` once a second how many bytes lie in `folder`."""
    done = threading.Event()

    def watch() -> None:
        while on_size and not done.wait(1.0):
            on_size(sum(path.stat().st_size for path in folder.glob("*")))

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()


def resize(images: torch.Tensor, input_size: int, fit: str) -> torch.Tensor:
    """(N, 28, 28) uint8 -> (N, 1, input_size, input_size) uint8, padded with black or resized."""
    import torch
    from torch.nn import functional as F

    if images.dtype != torch.uint8 or images.ndim != 3:
        raise InputError(f"images: (N, 28, 28) uint8 is expected, not {tuple(images.shape)}")
    images = images[:, None]
    border = input_size - images.shape[-1]
    if border == 0:
        return images
    if fit == "pad":
        left = border // 2
        return F.pad(images, (left, border - left, left, border - left))
    parts = [  # in parts: a float copy of 60,000 images at once would take 250 MB
        F.interpolate(part.float(), size=(input_size, input_size), mode="bilinear").round().byte()
        for part in images.split(4096)
    ]
    return torch.cat(parts)


def scale_and_offset(spec: DatasetSpec, scaling: str) -> tuple[float, float]:
    """(a, b) such that a · pixel + b is the network's input, for pixels from 0 to 255."""
    mean, std = (spec.mean, spec.std) if scaling == "standard" else (0.5, 0.5)
    return 1 / (255 * std), -mean / std


def normalise(batch: torch.Tensor, spec: DatasetSpec, scaling: str) -> torch.Tensor:
    """uint8 or float pixels from 0 to 255 -> float32 network input of the same shape."""
    import torch

    scale, offset = scale_and_offset(spec, scaling)
    return batch.to(torch.float32, copy=True).mul_(scale).add_(offset)


def to_input(images: torch.Tensor, config: RunConfig) -> torch.Tensor:
    """(N, 28, 28) uint8 images -> the float32 input of this config's network, (N, 1, S, S)."""
    sized = resize(images, config.input_size, config.fit)
    return normalise(sized, SPECS[config.dataset], config.scaling)
