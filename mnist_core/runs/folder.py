"""The files of one run: what they are called, how they are written and read. No torch."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError, NotFound
from mnist_core.files import (
    PROGRESS_LIMIT,
    SMALL_FILE_LIMIT,
    STATE_LIMIT,
    is_number,
    read_bytes,
    read_checked,
    read_file,
    remove,
    to_csv,
    to_json,
    write_bytes,
    write_json,
)
from mnist_core.runs.logits import packed_logits
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.states import can_follow
from mnist_core.runs.summary import Summary

# The columns of history.csv and of steps.csv.
HISTORY = (
    *("epoch", "train_loss", "train_accuracy", "train_top5"),
    *("validation_loss", "validation_accuracy", "validation_top5"),
    *("lr", "seconds", "images_per_second"),
)
STEP_LOSSES = ("epoch", "step", "loss")

REQUESTS = ("pause", "stop")
PHASES = ("waiting", "downloading", "loading", "training", "testing")
TRAINING = ("epoch", "step", "steps", "images_per_second", "seconds_left")
LOGITS, PACKED_LOGITS = "logits.safetensors", "logits.packed.gz"

Row = Mapping[str, float]


class RunFolder:
    """The folder of one run.

    The process that trains the run holds its lock and writes all files but three: `request` and
    what `write_added` writes come from other processes, which need no lock (see files.BY_OTHERS).
    Writing raises LabError when the disk is full, and NotFound once the folder was deleted.
    """

    def __init__(self, path: Path) -> None:
        self.path, self.id = path, path.name
        self.config_file = path / "config.json"
        self.summary_file = path / "summary.json"
        self.progress_file = path / "progress.json"
        self.request_file = path / "request"
        self.resume_file = path / "resume.pt"
        self.log_file = path / "worker.log"  # what the process said and, if it failed, why

    def check_exists(self) -> None:
        """Raises NotFound once somebody has deleted the folder, which must not come back then."""
        if not self.config_file.exists():
            raise NotFound(f"The folder of {self.id} was deleted; nothing more is written there.")

    def _write(self, path: Path, content: bytes) -> None:
        self.check_exists()
        try:
            write_bytes(path, content, make_folder=False)
        except LabError:
            self.check_exists()  # it may have been deleted just now
            raise

    def write_added(self, name: str, value: Any) -> None:
        """Writes JSON that belongs to the run but not to its training: about, robustness.

        It needs no lock: a run can be labelled while it trains. A deleted folder stays deleted.
        """
        self._write(self.path / name, to_json(value))

    def write_beside(self, name: str, content: bytes) -> None:
        """Writes what was computed from the weights: the measure of novelty (see
        inspection.novelty), an image map (see runs.image_map). It needs no lock either."""
        self._write(self.path / name, content)

    def write_summary(self, summary: Summary) -> None:
        """The summary is what makes a run's new state true; write it last.

        Raises LabError for a change of state that is not allowed (see states.can_follow); what is
        damaged on disk may be followed by anything.
        """
        self.check_exists()
        old = read_checked(self.summary_file, Summary.from_dict, default=summary)
        if not can_follow(old.state, summary.state):
            raise LabError(f"{self.id} is {old.state}; it cannot become {summary.state}.")
        write_json(self.summary_file, summary.to_dict())

    def request(self, what: str | None) -> None:
        """Asks the process that trains this run to "pause" or "stop"; None takes it back."""
        if what is None:
            remove(self.request_file)
        else:
            self._write(self.request_file, what.encode())

    def requested(self) -> str | None:
        """What was asked of the training process, if anything."""
        with suppress(OSError, ValueError):
            what = read_file(self.request_file, SMALL_FILE_LIMIT).decode()
            return what if what in REQUESTS else None
        return None

    def write_progress(self, progress: Mapping[str, Any]) -> None:
        """What a running process is doing; overwritten about twice a second, so not flushed."""
        self.check_exists()
        write_json(self.progress_file, progress, flush=False)

    def progress(self) -> dict[str, Any]:
        """What was written by `jobs.progress.Reporter`; empty when nothing runs."""
        return read_checked(self.progress_file, _check_progress, {}, PROGRESS_LIMIT)

    def clear_progress(self) -> None:
        with suppress(OSError):  # on Windows, while it is being read; nobody looks at it any more
            self.progress_file.unlink()

    def beat(self) -> None:
        """A sign of life, which needs no room on the disk."""
        for path in (self.progress_file, self.summary_file):
            with suppress(OSError):
                return os.utime(path)

    def write_resume_state(self, content: bytes) -> None:
        self._write(self.resume_file, content)

    def resume_state(self) -> bytes | None:
        """The bytes from which training goes on, or None when no epoch was finished."""
        return read_bytes(self.resume_file, STATE_LIMIT)

    def write_history(self, history: Iterable[Row], step_losses: Iterable[Row]) -> None:
        self._write(self.path / "history.csv", to_csv(history))
        self._write(self.path / "steps.csv", to_csv(step_losses))

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
                remove(path)

    def write_snapshots(self, content: bytes) -> None:
        """Snapshots (see runs.snapshots): written before the resume state, never after it.

        The file may hold more than the resume state knows of.
        """
        self._write(self.path / SNAPSHOTS, content)

    def write_logits(self, logits: Mapping[str, np.ndarray]) -> None:
        """Half-precision logits (see evaluation.metrics.to_half) of "validation" and "test"."""
        self._write(self.path / LOGITS, tensors_to_bytes(dict(logits)))

    def pack_logits(self, logits: Mapping[str, np.ndarray]) -> None:
        """Replaces them by a smaller file (see runs.logits), which is read instead."""
        self._write(self.path / PACKED_LOGITS, packed_logits(logits))
        remove(self.path / LOGITS)

    def drop_logits(self) -> None:
        """Of a run whose weights give them again."""
        remove(self.path / LOGITS)
        remove(self.path / PACKED_LOGITS)


def _check_progress(progress: Any) -> dict[str, Any]:
    """What a Reporter (see jobs.progress) writes, and no more.

    Raises ValueError, TypeError or KeyError for anything else.
    """
    phase = progress["phase"]
    kept = {name: progress[name] for name in ("bytes", "ahead", "epochs") if name in progress}
    if phase not in PHASES:
        raise ValueError("it is no progress")
    if phase != "training":
        _check_figures(kept.values())
        return {"phase": phase, **kept}
    kept |= {name: progress[name] for name in TRAINING}
    losses = [[step, loss] for step, loss in progress["losses"]]
    _check_figures([*kept.values(), *(step for step, _ in losses)])
    if kept["epoch"] < 1 or not kept["step"] <= kept["steps"] or not kept["steps"]:
        raise ValueError("the step is not one of the epoch's")
    if not all(is_number(loss) for _, loss in losses):
        raise ValueError("a loss is not a number")
    return {"phase": phase, **kept, "losses": losses}


def _check_figures(figures: Iterable[Any]) -> None:
    """Raises ValueError unless all are numbers, and none is below 0."""
    if not all(is_number(figure) and figure >= 0 for figure in figures):
        raise ValueError("a figure is out of range")
