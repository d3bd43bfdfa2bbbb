"""One run as it lies on disk. Loads without torch."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError, NotFound
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.states import FINISHED, LIVE, RunState
from mnist_core.runs.summary import HEARTBEAT_TIMEOUT, Summary


@dataclass(frozen=True)
class Run:
    """One run as it was when it was read. Figures that are not there are None."""

    path: Path
    config: RunConfig
    summary: Summary

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def folder(self) -> RunFolder:
        return RunFolder(self.path)

    @cached_property
    def state(self) -> RunState:
        """The state on disk, corrected when the process that should be at work is gone."""
        at_work = self.summary.state in LIVE
        return self.summary.true_state(self.heartbeat_age) if at_work else self.summary.state

    @cached_property
    def heartbeat_age(self) -> float:
        """Seconds since the last sign of life of the process that trains it."""
        return self.folder.heartbeat_age()

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
    def has_weights(self) -> bool:
        name = self.summary.weights
        return name is not None and name != "" and (self.path / name).is_file()

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row an epoch: see training.results.EpochResult. Empty when there is none.

        Raises LabError when the file is damaged.
        """
        return self.folder.history()

    @cached_property
    def step_losses(self) -> list[dict[str, float]]:
        """The loss within the epochs: rows of epoch, step, loss. Raises LabError."""
        return self.folder.step_losses()

    def weights(self) -> bytes:
        """The weights file, checked against its checksum. Raises LabError."""
        name = self.summary.weights
        if not name or not self.has_weights:
            raise NotFound(
                f"{self.id} has no weights ({self.state}); `train` with its config makes them."
            )
        path = self.path / name
        try:
            content = path.read_bytes()
        except OSError as error:
            raise LabError(
                f"The weights of {self.id} cannot be read ({error.strerror})."
            ) from error
        if hashlib.sha256(content).hexdigest() != self.summary.weights_sha256:
            raise LabError(
                f"{path} is damaged: its checksum is not the one in summary.json; delete the "
                "run's folder and train it again."
            )
        return content

    def logits(self) -> dict[str, np.ndarray]:
        """Half-precision logits by part: see RunFolder.logits."""
        return self.folder.logits(dataset_spec(self.config.dataset).num_classes)


@dataclass(frozen=True)
class Damaged:
    """A folder that is no readable run, and why."""

    path: Path
    reason: str
