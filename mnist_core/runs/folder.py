"""The files of one run: what they are called, how they are written and read. No torch."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError, NotFound
from mnist_core.files import (
    is_number,
    read_csv,
    read_json,
    read_tensors_file,
    to_csv,
    write_bytes,
    write_json,
)
from mnist_core.runs.cache import read_summary
from mnist_core.runs.states import check_change
from mnist_core.runs.summary import Summary

PARTS = ("validation", "test")
# The columns of history.csv and of steps.csv.
HISTORY: tuple[str, ...] = ("epoch", "train_loss", "train_accuracy", "train_top5")
HISTORY += (
    "validation_loss",
    "validation_accuracy",
    "validation_top5",
    "lr",
    "seconds",
    "images_per_second",
)
STEP_LOSSES = ("epoch", "step", "loss")

Row = Mapping[str, float]


@dataclass(frozen=True)
class RunFolder:
    """The folder of one run. Whoever writes holds the run's lock, except for `request`.

    Writing raises LabError when the disk is full, and NotFound once the folder was deleted.
    """

    path: Path

    @property
    def id(self) -> str:
        return self.path.name

    @property
    def config_file(self) -> Path:
        return self.path / "config.json"

    @property
    def summary_file(self) -> Path:
        return self.path / "summary.json"

    @property
    def resume_file(self) -> Path:
        return self.path / "resume.pt"

    @property
    def log_file(self) -> Path:
        """What the training process said: its progress and, if it failed, why."""
        return self.path / "worker.log"

    def check_exists(self) -> None:
        """Raises NotFound once somebody has deleted the folder, which must not come back then."""
        if not self.config_file.exists():
            raise NotFound(f"The folder of {self.id} was deleted; nothing more is written there.")

    def _write(self, path: Path, content: bytes) -> None:
        self.check_exists()
        write_bytes(path, content)

    def write_summary(self, summary: Summary) -> None:
        """The summary is what makes a run's new state true; write it last.

        Raises LabError for a change of state that is not allowed (see states.can_follow).
        """
        self.check_exists()
        with suppress(
            OSError, ValueError, TypeError, RecursionError
        ):  # damaged: anything may follow
            check_change(self.id, read_summary(self.summary_file).state, summary.state)
        write_json(self.summary_file, summary.to_dict())

    def request(self, what: str | None) -> None:
        """Asks the process that trains this run to "pause" or "stop"; None takes it back."""
        if what is None:
            (self.path / "request").unlink(missing_ok=True)
        else:
            self._write(self.path / "request", what.encode())

    def requested(self) -> str | None:
        """What was asked of the training process, if anything."""
        try:
            return (self.path / "request").read_text(encoding="utf-8")
        except (OSError, ValueError):
            return None

    def write_progress(self, progress: Mapping[str, Any]) -> None:
        """What a running process is doing; overwritten about twice a second, so not flushed."""
        self.check_exists()
        write_json(self.path / "progress.json", progress, flush=False)

    def progress(self) -> dict[str, Any]:
        """What was written by `jobs.progress.Reporter`; empty when nothing runs."""
        try:
            progress = read_json(self.path / "progress.json")
        except (OSError, ValueError):
            return {}
        return progress if _is_progress(progress) else {}

    def clear_progress(self) -> None:
        with suppress(OSError):  # on Windows, while it is being read; nobody looks at it any more
            (self.path / "progress.json").unlink()

    def beat(self) -> None:
        """A sign of life, which needs no room on the disk."""
        for path in (self.path / "progress.json", self.summary_file):
            with suppress(OSError):
                return os.utime(path)

    def heartbeat_age(self) -> float:
        """Seconds since the process at work last wrote or touched its files."""
        seen = [0.0]
        for path in (self.summary_file, self.path / "progress.json"):
            with suppress(OSError):
                seen.append(path.stat().st_mtime)
        return max(0.0, time.time() - max(seen))

    def write_resume_state(self, content: bytes) -> None:
        self._write(self.resume_file, content)

    def resume_state(self) -> bytes | None:
        """The bytes from which training goes on, or None when no epoch was finished."""
        try:
            return self.resume_file.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise LabError(f"The resume state of {self.id} cannot be read ({error}).") from error

    def write_history(self, history: Iterable[Row], step_losses: Iterable[Row]) -> None:
        self._write(self.path / "history.csv", to_csv(history))
        self._write(self.path / "steps.csv", to_csv(step_losses))

    def history(self) -> list[dict[str, float]]:
        """One row an epoch, with the columns HISTORY. Raises LabError for a damaged file."""
        return read_csv(self.path / "history.csv", HISTORY)

    def step_losses(self) -> list[dict[str, float]]:
        """The loss within the epochs: rows of STEP_LOSSES. Raises LabError."""
        return read_csv(self.path / "steps.csv", STEP_LOSSES)

    def write_weights(self, epoch: int, content: bytes, suffix: str = "") -> dict[str, Any]:
        """Writes the weights under a name of their epoch; returns the summary's fields on them.

        The name differs from that of the weights before, which stay valid until the summary
        names the new ones.
        """
        name = f"weights-epoch{epoch:03d}{suffix}.safetensors"
        self._write(self.path / name, content)
        digest = hashlib.sha256(content).hexdigest()
        return {"weights": name, "weights_sha256": digest, "weights_bytes": len(content)}

    def drop_old_weights(self, keep: str | None) -> None:
        for path in self.path.glob("weights-epoch*.safetensors"):
            if path.name != keep:
                path.unlink(missing_ok=True)

    def write_logits(self, logits: Mapping[str, np.ndarray]) -> None:
        """Half-precision logits (see evaluation.metrics.to_half) of "validation" and "test"."""
        self._write(self.path / "logits.safetensors", tensors_to_bytes(dict(logits)))

    def logits(self, classes: int) -> dict[str, np.ndarray]:
        """Half-precision logits by part: "validation" and "test", each (N, classes).

        Raises NotFound, or LabError when the file is damaged.
        """
        path = self.path / "logits.safetensors"
        found = read_tensors_file(path)
        for part in PARTS:
            values = found.get(part)
            if values is None or values.ndim != 2 or values.shape[1] != classes or not len(values):
                raise LabError(f"{path} is damaged: {part} is not (N, {classes}).")
            if values.dtype != np.float16 or not np.isfinite(values).all():
                raise LabError(f"{path} is damaged: {part} holds more than half-precision numbers.")
        return found


def _is_progress(value: Any) -> bool:
    """Whether this is what a training process writes of itself (see jobs.progress.Reporter)."""
    if not isinstance(value, dict) or not isinstance(value.get("phase"), str):
        return False
    if value["phase"] != "training":
        return is_number(value.get("bytes", 0)) and is_number(value.get("ahead", 0))
    figures = ("epoch", "step", "steps", "images_per_second", "seconds_left")
    losses = value.get("losses")
    return (
        all(is_number(value.get(name)) for name in figures)
        and value["steps"] > 0
        and isinstance(losses, list)
        and all(
            isinstance(pair, list) and list(map(is_number, pair)) == [True] * 2 for pair in losses
        )
    )
