"""A sign of life from a process that trains, for as long as it computes at all."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mnist_core.runs.folder import RunFolder

PERIOD = 0.5  # seconds
LEAST_WORK = 0.01  # the share of a core's time below which a process does nothing


@contextmanager
def beating(folder: RunFolder, period: float = PERIOD) -> Iterator[None]:
    """Touches the run's files once a period (in seconds) while this process uses its CPU.

    So a long step or a slow import is a sign of life, too, while a process that was halted, or
    hangs waiting for something that never comes, gives none.
    """

    def beat(over: threading.Event) -> None:
        before = _cpu_seconds()
        while not over.wait(period):
            if _cpu_seconds() - before > LEAST_WORK * period:
                folder.beat()
            before = _cpu_seconds()

    with alongside(beat):
        yield


@contextmanager
def alongside(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Runs `work` in a thread of its own; it returns once the event that it is given is set."""
    over = threading.Event()
    thread = threading.Thread(target=work, args=(over,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _cpu_seconds() -> float:
    """The CPU time that this process has used, without that of the thread that asks."""
    return time.process_time() - time.thread_time()
