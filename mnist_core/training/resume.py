"""The resume state of a run: what is kept to go on from, and not trusted before it is checked."""

from __future__ import annotations

import io
import time
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from mnist_core.errors import LabError
from mnist_core.files import is_number
from mnist_core.runs.folder import HISTORY, STEP_LOSSES
from mnist_core.runs.run import Run
from mnist_core.runs.summary import PER_EPOCH, Summary

if TYPE_CHECKING:
    from mnist_core.training.trainer import Trainer


@dataclass
class Record:
    """What is known of a run in training: its summary, and the rows of its two tables."""

    summary: Summary
    history: list[dict[str, float]] = field(default_factory=list)
    step_losses: list[dict[str, float]] = field(default_factory=list)
    clock: float = field(default_factory=time.process_time)  # at the last look

    def cpu_seconds(self) -> float | None:
        """Those of the summary and what this process has taken since the last look.

        None for a run that began before they were counted.
        """
        before, self.clock = self.clock, time.process_time()
        counted = self.summary.cpu_seconds
        if counted is None and self.summary.epochs_done:
            return None
        return (counted or 0.0) + self.clock - before


def resume_bytes(trainer: Trainer, record: Record) -> bytes:
    """All that `go_on_from` needs, as a file that torch reads without running code."""
    import torch

    state = {
        "trainer": trainer.state(),
        "summary": record.summary.to_dict(),
        "history": record.history,
        "step_losses": record.step_losses,
    }
    buffer = io.BytesIO()
    torch.save(state, buffer)
    return buffer.getvalue()


def go_on_from(run: Run, trainer: Trainer, summary: Summary) -> Record:
    """Puts the run's resume state, if there is one, into the trainer.

    Returns the record that goes on from it; `summary` is what this process knows of the run.
    Raises LabError for a damaged state, and for one that was trained on other data files.
    """
    import torch

    content = run.folder.resume_state()
    if content is None:
        return Record(summary)
    try:
        # weights_only: a pickle that would run code raises instead
        _check_container(content)
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        trainer.load_state(state["trainer"])
        saved = Summary.from_dict(state["summary"])
        history = _rows(state["history"], HISTORY)
        # "echoes" is the name in states that older versions wrote
        losses = state["step_losses"] if "step_losses" in state else state["echoes"]
        step_losses = _rows(losses, STEP_LOSSES)
        if [row["epoch"] for row in history] != list(range(1, trainer.epoch + 1)):
            raise ValueError("the history is of other epochs")
        if bool(history) != bool(saved.best_epoch):
            raise ValueError("the history lacks its best epoch")
    except Exception as error:  # of any kind: torch's reader meets a damaged or hostile file
        raise LabError(
            f"The resume state of {run.id} is damaged ({type(error).__name__}); delete "
            f"{run.folder.resume_file} to train from the start."
        ) from error
    if saved.data_fingerprint != summary.data_fingerprint:
        raise LabError(
            f"{run.id} was trained on other data files than those in MNIST_DATA now; "
            "point MNIST_DATA at the same files."
        )
    figures = {name: getattr(saved, name) for name in PER_EPOCH}
    return Record(replace(summary, **figures), history, step_losses)


def _check_container(content: bytes) -> None:
    """Raises ValueError unless it is a zip file as torch writes it, whose parts are as large in
    memory as they are on disk: a few bytes must not become gigabytes.
    """
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        parts = file.infolist()
        if any(part.compress_type != zipfile.ZIP_STORED for part in parts):
            raise ValueError("its parts are compressed")
        if sum(part.file_size for part in parts) > len(content):
            raise ValueError("its parts are larger than the file")
        pickles = [file.read(part) for part in parts if part.filename.endswith(".pkl")]
    if any(b"bytearray" in each for each in pickles):  # torch would make one of any length
        raise ValueError("it holds more than numbers")


def _rows(rows: Any, columns: Sequence[str]) -> list[dict[str, float]]:
    """Raises ValueError unless these are the rows of a table with finite numbers."""
    if not isinstance(rows, list):
        raise ValueError("a table is no list")
    for row in rows:
        if not isinstance(row, dict) or not set(columns) <= set(row):
            raise ValueError("a table lacks figures")
        if not all(is_number(row[name]) for name in columns):
            raise ValueError("a figure is not a finite number")
    return [{name: row[name] for name in columns} for row in rows]
