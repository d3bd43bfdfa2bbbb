"""One run as it lies on disk. Loads without torch."""

import hashlib
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError, NotFound
from mnist_core.files import read_bytes, read_csv, read_tensors_file, tensors_of
from mnist_core.runs.folder import HISTORY, LOGITS, PACKED_LOGITS, STEP_LOSSES, RunFolder
from mnist_core.runs.logits import unpacked_logits
from mnist_core.runs.process import HEARTBEAT_TIMEOUT
from mnist_core.runs.snapshots import SNAPSHOTS, Snapshot, read_snapshots
from mnist_core.runs.states import FINISHED, LIVE, RunState
from mnist_core.runs.summary import Summary

PARTS = ("validation", "test")


@dataclass(frozen=True)
class Mistakes:
    """The test images that a run gets wrong, in the order of the test set.

    `index`: (M,) int32 places in the test set, ascending; `answer`: (M,) uint8 predicted classes;
    `confidence`: (M,) float32 probabilities of these answers.
    """

    index: np.ndarray
    answer: np.ndarray
    confidence: np.ndarray


@dataclass(frozen=True)
class Run:
    """One run as it was when it was read. Figures that are not there are None."""

    path: Path
    config: RunConfig
    summary: Summary

    def __hash__(self) -> int:
        return hash(self.path)

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @cached_property
    def state(self) -> RunState:
        """The state on disk, corrected when the process that should be at work is gone."""
        process = self.summary.process
        if self.summary.state not in LIVE or (process and process.is_alive(self.heartbeat_age)):
            return self.summary.state
        return RunState.INTERRUPTED

    @cached_property
    def heartbeat_age(self) -> float:
        """Seconds since the process that trains it last wrote or touched its files."""
        seen = [0.0]
        for path in (self.folder.summary_file, self.folder.progress_file):
            with suppress(OSError):
                seen.append(path.stat().st_mtime)
        return max(0.0, time.time() - max(seen))

    @property
    def unresponsive(self) -> bool:
        """Whether its process is there but has given no sign of life for HEARTBEAT_TIMEOUT.

        Such a process hangs or was halted; launcher.take_over ends it and trains the run on.
        """
        return self.state in LIVE and self.heartbeat_age > HEARTBEAT_TIMEOUT

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def position(self) -> str:
        """Where training goes on that was halted: "in epoch 2 of 3, step 310 of 782"."""
        summary, epochs = self.summary, self.config.own_epochs
        told = f"in epoch {min(summary.epochs_done + 1, epochs):.0f} of {epochs}"
        if summary.step and summary.steps:
            told += f", step {summary.step:,.0f} of {summary.steps:,.0f}"
        return told

    @property
    def has_weights(self) -> bool:
        name = self.summary.weights
        return (self.path / name).is_file() if name else False

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row an epoch: see training.results.EpochResult. Empty when there is none.

        Raises LabError when the file is damaged.
        """
        return read_csv(self.path / "history.csv", HISTORY)

    @cached_property
    def step_losses(self) -> list[dict[str, float]]:
        """The loss within the epochs: rows of epoch, step, loss. Raises LabError."""
        return read_csv(self.path / "steps.csv", STEP_LOSSES)

    def weights(self) -> bytes:
        """The weights file, checked against its checksum. Raises LabError."""
        name = self.summary.weights
        content = read_bytes(self.path / name) if name else None
        if content is None:
            cure = f"train --resume {self.id}" if not self.finished else "train its config"
            if self.finished and self.path.is_dir():
                cure = f"delete its folder, then {cure}"
            raise NotFound(f"{self.id} has no weights ({self.state}); to make them, {cure}.")
        if hashlib.sha256(content).hexdigest() != self.summary.weights_sha256:
            raise LabError(
                f"{name} of {self.id} is damaged: its checksum is not the one in summary.json; "
                "delete the run's folder and train it again."
            )
        return content

    def first_kernels(self) -> np.ndarray | None:
        """The kernels of the first convolution, (channels, k, k) float32; None without weights.

        Of the weights in the file, the first with kernels for one channel. Raises LabError when
        the file is damaged.
        """
        if not self.has_weights:
            return None
        tensors = tensors_of(self.weights(), f"{self.summary.weights} of {self.id}")
        found = (t for _, t in sorted(tensors.items()) if t.ndim == 4 and t.shape[1] == 1)
        kernels = next(found, None)
        return None if kernels is None else kernels[:, 0].astype(np.float32)

    @property
    def logits_file(self) -> Path:
        """Where its logits are: as training wrote them, or packed. Neither need be there."""
        packed = self.path / PACKED_LOGITS
        return packed if packed.is_file() else self.path / LOGITS

    def logits(self) -> dict[str, np.ndarray]:
        """Half-precision logits by part: "validation" and "test", each (N, classes).

        Raises NotFound, or LabError when the file is damaged.
        """
        path, row = self.logits_file, (dataset_spec(self.config.dataset).num_classes,)
        if path.name == PACKED_LOGITS:
            found = unpacked_logits(read_bytes(path) or b"", str(path))
            check_parts(found, path, np.float16, row)
        else:
            found = read_parts(path, np.float16, row)
        if not all(np.isfinite(found[part]).all() for part in PARTS):
            raise LabError(f"{path} is damaged: it holds more than finite numbers.")
        return found

    @property
    def has_snapshots(self) -> bool:
        return (self.path / SNAPSHOTS).is_file()

    def snapshots(self) -> list[Snapshot]:
        """Its weights early in training and after epochs, in the order of their steps.

        Raises NotFound for a run that kept none, or LabError when the file is damaged.
        """
        return read_snapshots(self.path / SNAPSHOTS)


def read_parts(path: Path, dtype: type[np.generic], row: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The arrays "validation" and "test" of a file, each of this dtype and of shape (N, *row).

    Raises NotFound, or LabError when the file is damaged.
    """
    found = read_tensors_file(path)
    check_parts(found, path, dtype, row)
    return found


def check_parts(
    found: Mapping[str, np.ndarray], path: Path, dtype: type[np.generic], row: tuple[int, ...]
) -> None:
    """Raises LabError unless what was found at `path` is as `read_parts` says."""
    for part in PARTS:
        values = found.get(part, np.empty(0))
        fits = values.dtype == dtype and values.ndim == 1 + len(row) and values.shape[1:] == row
        if not fits or not len(values):
            raise LabError(f"{path} is damaged: {part} is not {dtype.__name__} (N, *{row}).")


@dataclass(frozen=True)
class Damaged:
    """A folder that is no readable run, and why."""

    path: Path
    reason: str
