"""The four data sets as uint8 tensors in memory, with the one split that every run uses.

Names, classes and statistics load without torch; `load` reads the images through torchvision.
"""

from __future__ import annotations

import dataclasses
import functools
import hashlib
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.data.idx import IdxFile, check_file, file_names
from mnist_core.dataset_specs import DatasetSpec, dataset_spec
from mnist_core.errors import LabError
from mnist_core.paths import data_root

if TYPE_CHECKING:
    import torch


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
    spec = dataset_spec(RunConfig.check("dataset", name))
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
