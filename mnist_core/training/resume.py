"""The resume state of a run: what is kept to go on from, and not trusted before it is checked."""

from __future__ import annotations

import io
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from mnist_core.errors import LabError
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
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        trainer.load_state(state["trainer"])
        saved = Summary.from_dict(state["summary"])
        history = list(state["history"])
        # "echoes" is the name in states that older versions wrote
        step_losses = list(state["step_losses"] if "step_losses" in state else state["echoes"])
        if [row["epoch"] for row in history] != list(range(1, trainer.epoch + 1)):
            raise ValueError("the history is of other epochs")
        if any(set(row) != set(HISTORY) for row in history) or bool(history) != bool(
            saved.best_epoch
        ):
            raise ValueError("the history lacks figures")
        if any(set(row) != set(STEP_LOSSES) for row in step_losses):
            raise ValueError("the step losses lack figures")
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
