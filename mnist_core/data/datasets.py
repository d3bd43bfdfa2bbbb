"""A data set as uint8 tensors in memory, with the one split that every run uses.

The files are read by `idx`; torchvision only downloads those that are missing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.data.idx import check_files, fingerprint, missing_files, read_part, split_indices
from mnist_core.data.transforms import resize
from mnist_core.dataset_specs import DatasetSpec, dataset_spec
from mnist_core.errors import LabError
from mnist_core.paths import data_root

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True, eq=False)
class Split:
    """images: (N, 28, 28) uint8; labels: (N,) int64."""

    images: torch.Tensor
    labels: torch.Tensor
    _pixels: dict[tuple[int, str], torch.Tensor] = field(default_factory=dict, repr=False)

    def __len__(self) -> int:
        return len(self.labels)

    def pixels(self, input_size: int, fit: str) -> torch.Tensor:
        """(N, 1, input_size, input_size) uint8 (see transforms.resize), kept for the next run."""
        kind = input_size, fit
        if kind not in self._pixels:
            self._pixels.clear()
            self._pixels[kind] = resize(self.images, input_size, fit)
        return self._pixels[kind]


@dataclass(frozen=True)
class Dataset:
    """The images to learn from, to validate on and to test on.

    `fingerprint`: 16 hexadecimal digits that tell these files from others. `note` says how the
    files differ from the published ones; it is empty where no difference is known.
    """

    spec: DatasetSpec
    train: Split
    validation: Split
    test: Split
    fingerprint: str
    note: str = ""


def load(
    name: str,
    root: Path | None = None,
    *,
    download: bool = True,
    on_download: Callable[[int], None] | None = None,
) -> Dataset:
    """Reads a data set, after checking each of its files; downloads it when it is missing.

    `on_download` is told, about once a second, how many bytes have arrived. Raises LabError:
    which file, what is wrong with it, and what to do.
    """
    root = data_root() if root is None else root
    spec = dataset_spec(RunConfig.check("dataset", name))
    if missing_files(spec.name, root):
        if not (download and spec.downloadable):
            raise LabError(_how_to_get(spec, root))
        _download(spec, root, on_download)
    files = check_files(spec.name, root)
    images, labels = read_part(spec.name, root, test=False)
    train, validation = (_split(images, labels, index) for index in split_indices(len(labels)))
    test = _split(*read_part(spec.name, root, test=True), slice(None))
    note = "; ".join(file.note for file in files if file.note)
    return Dataset(spec, train, validation, test, fingerprint(files), note)


def _split(images: np.ndarray, labels: np.ndarray, index: np.ndarray | slice) -> Split:
    """Those at `index`, copied from the file into memory."""
    import torch

    copied = torch.from_numpy(np.array(images[index]))
    return Split(copied, torch.from_numpy(labels[index].astype(np.int64)))


def _how_to_get(spec: DatasetSpec, root: Path) -> str:
    files = ", ".join(path.name for path in missing_files(spec.name, root))
    lacking = f"{spec.name} is not in {root / spec.name / 'raw'} (missing: {files})"
    get = " and cannot be downloaded; put its files there"
    if spec.downloadable:
        get = f"; run: python -m mnist_core datasets --download {spec.name}"
    return f"{lacking}{get}, or point MNIST_DATA at a folder that has it"


def _download(spec: DatasetSpec, root: Path, on_download: Callable[[int], None] | None) -> None:
    """Through torchvision, which draws its own progress bars on stderr."""
    from filelock import FileLock

    name, folder = spec.name, root / spec.name / "raw"
    # The IDX files are downloaded even where an older format of torchvision's is there.
    ours = {"_check_legacy_exist": lambda _: False}
    try:
        from torchvision import datasets

        kind = type(name, (getattr(datasets, name),), ours)  # the name is also its folder's
        folder.mkdir(parents=True, exist_ok=True)
        with FileLock(root / f".{name}.lock"), _watch_size(folder, on_download):
            for train in (True, False):
                kind(str(root), train=train, download=True)
    except PermissionError as error:
        raise LabError(
            f"{error.filename or root} cannot be written; point MNIST_DATA at a folder "
            f"that can, or at one that has {name}"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[-1] if str(error).strip() else repr(error)
        raise LabError(
            f"{name} could not be downloaded ({reason}); connect to the network and try again, "
            f"or put its files ({', '.join(spec.files)}) into {folder}"
        ) from error


@contextmanager
def _watch_size(folder: Path, on_size: Callable[[int], None] | None) -> Iterator[None]:
    """Calls `on_size` once a second with the number of bytes in `folder`."""
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
