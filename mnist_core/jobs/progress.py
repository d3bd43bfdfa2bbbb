"""What a training process reports while it works."""

import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.jobs.mailbox import Mailbox
from mnist_core.training.results import Step

Progress = dict[str, Any]
OnProgress = Callable[[Progress], None]
PERIOD = 0.5  # seconds between two reports


class Reporter:
    """Writes progress.json twice a second, and looks into the mailbox as often.

    progress.json holds the phase (waiting, downloading, loading, training, testing). While
    waiting, `ahead` counts the runs that wait before this one; while training, there are epoch,
    step, steps, images_per_second, seconds_left and `losses`: the pairs (step, loss) of this
    epoch so far. `on_progress` is told the same, in this process.
    """

    def __init__(
        self, config: RunConfig, mailbox: Mailbox, on_progress: OnProgress | None = None
    ) -> None:
        self.config, self.mailbox, self.on_progress = config, mailbox, on_progress
        self.losses: list[tuple[int, float]] = []
        self.epoch = 0
        self.next_report = 0.0

    def phase(self, name: str, **more: Any) -> None:
        """Reports what begins now. Raises what `Mailbox.check` does, as does `on_step`."""
        self.report({"phase": name, **more})
        self.mailbox.check()

    def go_on(self, epoch: int, losses: Iterable[tuple[int, int, float]]) -> None:
        """The epoch was begun by another process: `losses` are its epoch, step and loss."""
        self.epoch, self.losses = epoch, [(step, loss) for _, step, loss in losses]

    def on_step(self, step: Step) -> None:
        if step.epoch != self.epoch:
            self.epoch, self.losses = step.epoch, []
        if step.loss is not None:
            self.losses.append((step.step, step.loss))
        now = time.monotonic()
        if now >= self.next_report:
            self.next_report = now + PERIOD
            self.report(self._training(step))
            self.mailbox.check()

    def _training(self, step: Step) -> Progress:
        steps_left = (step.steps - step.step) + (self.config.epochs - step.epoch) * step.steps
        seconds_left = steps_left * self.config.batch_size / step.images_per_second
        return {
            "phase": "training",
            "epoch": step.epoch,
            "epochs": self.config.epochs,
            "step": step.step,
            "steps": step.steps,
            "images_per_second": round(step.images_per_second, 1),
            "seconds_left": round(seconds_left, 1),
            "losses": self.losses,
        }

    def report(self, progress: Progress) -> None:
        """Writes progress.json; on a full disk it stays as it was, and training goes on."""
        with suppress(LabError):
            self.mailbox.folder.write_progress(progress)
        self.tell(progress)

    def tell(self, progress: Progress) -> None:
        """Tells `on_progress` only.

        A log for which there is no room, or a terminal that was closed, is no reason to stop.
        """
        with suppress(OSError):
            if self.on_progress:
                self.on_progress(progress)
