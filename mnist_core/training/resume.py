"""Going on from a run's resume state, which is not trusted before it is checked."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

from mnist_core.errors import LabError
from mnist_core.runs.folder import HISTORY, STEP_LOSSES
from mnist_core.runs.store import Run, RunStore
from mnist_core.runs.summary import PER_EPOCH, Summary


def go_on_from(
    store: RunStore, run: Run, trainer: Any, summary: Summary
) -> tuple[list[dict], list[dict], Summary]:
    """Loads the resume state, if there is one: history, step losses and summary go on from it."""
    import torch

    content = run.folder.resume_state()
    if content is None:
        return [], [], summary
    try:
        # weights_only: a pickle that would run code raises instead
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        trainer.load_state(state["trainer"])
        saved = Summary.from_dict(state["summary"])
        history, step_losses = list(state["history"]), list(state["echoes"])
        if [row["epoch"] for row in history] != list(range(1, trainer.epoch + 1)):
            raise ValueError("the history is of other epochs")
        if any(set(row) != set(HISTORY) for row in history) or not saved.best_epoch:
            raise ValueError("the history lacks figures")
        if any(set(row) != set(STEP_LOSSES) for row in step_losses):
            raise ValueError("the step losses lack figures")
    except Exception as error:  # whatever a damaged or hostile file makes of torch's reader
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
    return history, step_losses, replace(summary, **figures)
