"""One run as it lies on disk. Loads without torch."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError, NotFound
from mnist_core.files import read_csv, read_tensors_file
from mnist_core.models import recipe_of
from mnist_core.runs.summary import FINISHED, LIVE, SILENT, Summary

PARTS = ("validation", "test")
# The columns of history.csv and of steps.csv.
HISTORY = ("epoch", "train_loss", "train_accuracy", "train_top5")
HISTORY += ("validation_loss", "validation_accuracy", "validation_top5")
HISTORY += ("lr", "seconds", "images_per_second")
ECHOES = ("epoch", "step", "loss")


@dataclass(frozen=True)
class Run:
    """One run as it lies on disk. Figures that are not there are None."""

    path: Path
    config: RunConfig
    summary: Summary

    @property
    def id(self) -> str:
        return self.path.name

    @cached_property
    def state(self) -> str:
        at_work = self.summary.state in LIVE
        return self.summary.true_state(self._unheard) if at_work else self.summary.state

    @property
    def silent_for(self) -> float | None:
        """Seconds since the last sign of life of a process that should give one every second.

        None while it does, and for a run that nobody trains. A process that is there but silent
        hangs or was halted: launcher.take_over ends it and has the run trained on.
        """
        return self._unheard if self.state in LIVE and self._unheard > SILENT else None

    @cached_property
    def _unheard(self) -> float:
        """Seconds since the process at work last wrote, or touched, what it is at."""
        seen = [0.0]
        for name in ("summary.json", "progress.json"):
            with suppress(OSError):
                seen.append((self.path / name).stat().st_mtime)
        return max(0.0, time.time() - max(seen))

    @property
    def finished(self) -> bool:
        return self.state in FINISHED

    @property
    def has_weights(self) -> bool:
        return bool(self.summary.weights) and (self.path / self.summary.weights).is_file()

    @cached_property
    def history(self) -> list[dict[str, float]]:
        """One row an epoch: see training.EpochResult. Empty when there is none.

        Raises LabError when the file is damaged.
        """
        return read_csv(self.path / "history.csv", HISTORY)

    @cached_property
    def echoes(self) -> list[dict[str, float]]:
        """The loss within the epochs: rows of epoch, step, loss. Raises LabError."""
        return read_csv(self.path / "steps.csv", ECHOES)

    def row(self) -> dict[str, Any]:
        """The run as one flat row of a table, as `runs --json` prints it."""
        config, summary = self.config, self.summary
        figures = ("epochs_done", "best_epoch", "validation_accuracy", "test_accuracy")
        figures += ("validation_loss", "test_loss", "validation_top5", "test_top5", "seconds")
        figures += ("parameters", "macs", "receptive_field", "weights_bytes", "weights_sha256")
        figures += ("parent", "device", "threads", "data_fingerprint", "data_note", "note")
        return {
            "id": self.id,
            "dataset": config.dataset,
            "model": config.model,
            "recipe": recipe_of(config),
            "group": config.group,
            "state": self.state,
            "has_weights": self.has_weights,
            **{name: getattr(summary, name) for name in figures},
            **{k: v for k, v in config.to_dict().items() if k not in ("dataset", "model")},
        }

    def weights(self) -> bytes:
        """The weights file, checked against its checksum. Raises LabError."""
        if not self.has_weights:
            raise NotFound(
                f"{self.id} has no weights ({self.state}); `train` with its config makes them."
            )
        try:
            content = (self.path / self.summary.weights).read_bytes()
        except OSError as error:
            raise LabError(
                f"The weights of {self.id} cannot be read ({error.strerror})."
            ) from error
        if hashlib.sha256(content).hexdigest() != self.summary.weights_sha256:
            raise LabError(
                f"{self.path / self.summary.weights} is damaged: its checksum is not the one in "
                "summary.json; delete the run's folder and train it again."
            )
        return content

    def logits(self) -> dict[str, np.ndarray]:
        """Half-precision logits by part: "validation" and "test", each (N, classes).

        Raises NotFound, or LabError when the file is damaged.
        """
        path, classes = (
            self.path / "logits.safetensors",
            dataset_spec(self.config.dataset).num_classes,
        )
        found = read_tensors_file(path)
        for part in PARTS:
            values = found.get(part)
            if values is None or values.ndim != 2 or values.shape[1] != classes or not len(values):
                raise LabError(f"{path} is damaged: {part} is not (N, {classes}).")
            if values.dtype != np.float16 or not np.isfinite(values).all():
                raise LabError(f"{path} is damaged: {part} holds more than half-precision numbers.")
        return found


@dataclass(frozen=True)
class Damaged:
    """A folder that is no readable run, and why."""

    path: Path
    reason: str
