"""Takes snapshots of a network in training (see runs.snapshots), which changes nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mnist_core.errors import LabError, NotFound
from mnist_core.runs.run import Run
from mnist_core.runs.snapshots import EARLY, Snapshot, Weights, kept_steps, snapshots_to_bytes
from mnist_core.training.results import Step

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.training.trainer import Trainer

LARGEST = float(np.finfo(np.float16).max)


class SnapshotRecorder:
    """The snapshots of a run, from where its trainer stands to its end."""

    def __init__(self, run: Run, trainer: Trainer) -> None:
        """Takes over what the run has kept. Raises LabError when that is damaged."""
        self.trainer = trainer
        self.kept: dict[int, Snapshot] = {}
        if not trainer.steps_done:
            self._keep(0)
            return
        # a process that was killed may have kept more than it had saved to resume from
        self.kept = {s.step: s for s in _kept_before(run) if s.step <= trainer.steps_done}

    def on_step(self, step: Step) -> bool:
        """To be called after each step. Whether it is one of the first, which may be shown now:
        those of an epoch's end are saved with the epoch."""
        done = (step.epoch - 1) * step.steps + step.step
        if done in kept_steps(done, step.steps):
            self._keep(done)
        return done in EARLY

    def _keep(self, done: int) -> None:
        steps = self.trainer.steps
        with self.trainer.averaged():
            weights = half_weights(self.trainer.model)
        if not all(np.isfinite(values).all() for values in weights.values()):
            return  # it diverges, which the next step or the epoch's end tells
        self.kept[done] = Snapshot(done // steps, done, weights)
        wanted = kept_steps(done, steps)
        self.kept = {step: self.kept[step] for step in sorted(wanted & self.kept.keys())}

    def to_bytes(self) -> bytes:
        return snapshots_to_bytes(self.kept.values())


def _kept_before(run: Run) -> list[Snapshot]:
    try:
        return run.snapshots()
    except NotFound:  # it began without
        return []
    except LabError as error:
        raise LabError(f"{str(error)[:-1]}; delete it to go on without its snapshots.") from error


def half_weights(model: nn.Module) -> Weights:
    """The network's parameters and statistics as float16, cut off at the largest of these."""
    return {
        name: values.clamp(-LARGEST, LARGEST).half().contiguous().numpy(force=True)
        for name, values in model.state_dict().items()
        if values.is_floating_point()
    }
