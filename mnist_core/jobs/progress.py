"""What a training process tells the world between two steps, and what it hears."""

from __future__ import annotations

import errno
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from filelock import FileLock, Timeout

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.runs.store import RunStore

Progress = dict[str, Any]
LEAST_WORK = 0.01  # the part of a core's time below which a process does nothing
OnProgress = Callable[[Progress], None]
Request = Callable[[], str | None]  # "pause", "stop", or None: go on


class Asked(Exception):
    """Somebody asked this run to "pause" or to "stop"."""


class Watcher:
    """Between steps: writes progress.json twice a second and notices what is asked of the run.

    progress.json holds the phase (waiting, downloading, loading, training, testing). While
    waiting, `ahead` counts the runs that wait before this one; while training, there are epoch,
    step, steps, images_per_second, seconds_left and `losses`: the pairs (step, loss) of this
    epoch so far. The time at which the file was last written or touched is a sign of life.
    """

    PERIOD = 0.5  # seconds

    def __init__(
        self, store: RunStore, config: RunConfig, on_progress: OnProgress | None, asked: Request
    ) -> None:
        self.store, self.config, self.on_progress, self.asked = store, config, on_progress, asked
        self.losses: list[tuple[int, float]] = []
        self.epoch = 0
        self.next_look = 0.0

    def phase(self, name: str, **more: Any) -> None:
        self.tell({"phase": name, **more})
        self.check()

    def on_step(self, step: Any) -> None:
        if step.epoch != self.epoch:
            self.epoch, self.losses = step.epoch, []
        if step.loss is not None:
            self.losses.append((step.step, step.loss))
        now = time.monotonic()
        if now >= self.next_look:
            self.next_look = now + self.PERIOD
            self.tell(self._training(step))
            self.check()

    def check(self) -> None:
        """Raises Asked when the run shall pause or stop, NotFound when its folder is gone."""
        self.store.folder(self.config.id).check_exists()
        what = self.asked() or self.store.folder(self.config.id).requested()
        if what:
            raise Asked(what)

    def _training(self, step: Any) -> Progress:
        images = (step.steps - step.step) + (self.config.epochs - step.epoch) * step.steps
        left = images * self.config.batch_size / step.images_per_second
        return {
            "phase": "training",
            "epoch": step.epoch,
            "epochs": self.config.epochs,
            "step": step.step,
            "steps": step.steps,
            "images_per_second": round(step.images_per_second, 1),
            "seconds_left": round(left, 1),
            "losses": self.losses,
        }

    def tell(self, progress: Progress) -> None:
        """Writes progress.json; on a full disk it stays as it was, and training goes on."""
        with suppress(LabError):
            self.store.folder(self.config.id).write_progress(progress)
        self.say(progress)

    def say(self, progress: Progress) -> None:
        """To who started this process. A log that finds no room is no reason to stop."""
        try:
            if self.on_progress:
                self.on_progress(progress)
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT):
                raise

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Gives a sign of life once a period, for as long as this process computes at all.

        So a long step or a slow import is no silence, but a process that was halted, or hangs
        in wait for something that never comes, falls silent.
        """
        over = threading.Event()

        def beat() -> None:
            before = _worked()
            while not over.wait(self.PERIOD):
                if _worked() - before > LEAST_WORK * self.PERIOD:
                    self.store.folder(self.config.id).beat()
                before = _worked()

        thread = threading.Thread(target=beat, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()


def _worked() -> float:
    """Seconds of CPU that this process has used, but for those of the thread that asks."""
    return time.process_time() - time.thread_time()


@contextmanager
def holding(lock: FileLock, asked: Request) -> Iterator[None]:
    """Holds the lock; while another process has it, Ctrl-C ends the waiting."""
    while not lock.is_locked:
        if asked():
            raise KeyboardInterrupt
        with suppress(Timeout):
            lock.acquire(timeout=Watcher.PERIOD)
    try:
        yield
    finally:
        lock.release()
