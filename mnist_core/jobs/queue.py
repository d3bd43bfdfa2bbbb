"""The queue of runs that wait to train, and the slots of those that do.

A run that waits has a ticket: an empty file whose name begins with the time at which it joined.
A run that trains holds the lock of a slot. A process that is killed leaves no slot taken, as the
operating system frees its lock, and a ticket behind which no living process waits is ignored.
"""

import os
import re
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from itertools import takewhile
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_core.errors import LabError
from mnist_core.files import remove, touch
from mnist_core.locks import named_lock
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import AUTOMATIC, RUN_ID, RunStore

PERIOD = 0.5  # seconds between two looks at the queue
REST = 10.0  # seconds between two looks at who still waits, where no ticket came or went
AtOnce = Callable[[], int]  # how many runs may train at once: asked again at every look
TICKET = re.compile(rf"(?P<time>\d{{20}})-(?P<id>{RUN_ID.pattern})")


def enter(store: RunStore, run: Run, process: Process) -> Run:
    """Puts the run, for which `process` waits, at the end of the queue: the one way to "queued".

    A run that comes again after a pause or a kill goes to the end, too. Raises LabError.
    """
    leave(store, run.id)
    join(store, run.id)
    run.folder.write_summary(replace(run.summary, state=RunState.QUEUED, process=process, note=""))
    return store.get(run.id)


def has_entered(run: Run) -> bool:
    """Whether the run waits for this process already: whoever started it put it there."""
    process = run.summary.process
    return run.state == RunState.QUEUED and process is not None and process.is_current


def _tickets(store: RunStore) -> list[tuple[str, Path]]:
    """(run id, file) of all in the queue, in its order."""
    folder = store.root / ".queue"
    with suppress(FileNotFoundError):
        found = map(TICKET.fullmatch, sorted(os.listdir(folder)))
        return [(match["id"], folder / match[0]) for match in found if match]
    return []


def ids(store: RunStore) -> list[str]:
    """The ids of all runs with a ticket, in the order of the queue, whether they wait or not."""
    return [run_id for run_id, _ in _tickets(store)]


def runs(store: RunStore) -> Iterator[Run]:
    """All runs with a ticket, in the order of the queue, whether they wait or not."""
    for run_id, _ in _tickets(store):
        with suppress(LabError):
            yield store.get(run_id)


def first(store: RunStore, but: str = "") -> Run | None:
    """The run that is the next to train, and waits for that; `but` is left out."""
    return next((run for run in runs(store) if run.id != but and waits(run)), None)


def join(store: RunStore, run_id: str) -> None:
    """Gives the run a ticket behind all others, also when the clock was set back since.

    Raises LabError when it cannot be written.
    """
    last = max((int(path.name[:20]) for _, path in _tickets(store)), default=0)
    ticket = store.root / ".queue" / f"{max(time.time_ns(), last + 1):020d}-{run_id}"
    touch(ticket)


def leave(store: RunStore, run_id: str) -> None:
    """Takes the run out of the queue."""
    for other, path in _tickets(store):
        if other == run_id:
            remove(path)


def ahead(store: RunStore, run_id: str) -> int:
    """How many runs wait before this one; 0 for the next to train."""
    before = takewhile(lambda ticket: ticket[0] != run_id, _tickets(store))
    return sum(_is_waiting(store, other) for other, _ in before)


def _is_waiting(store: RunStore, run_id: str) -> bool:
    with suppress(LabError):
        return waits(store.get(run_id))
    return False


def waits(run: Run) -> bool:
    """Whether a living process stands behind the ticket; one that is halted must hold up nobody.

    Of a process of this machine no clock tells that, which may be set at any moment.
    """
    if run.state != RunState.QUEUED or run.summary.process is None:
        return False
    process = run.summary.process
    if process.lives:
        return not process.is_halted
    return not run.unresponsive


@dataclass(frozen=True)
class Slot:
    """Leave to train: the locks that are held, and how many runs share the machine."""

    locks: Sequence[FileLock]
    sharing: int

    def release(self) -> None:
        for lock in self.locks:
            lock.release()


def wait_for_slot(
    store: RunStore, run_id: str, at_once: AtOnce, tell: Callable[[int], None]
) -> Slot:
    """Waits until the run is the first of the queue and a slot is free.

    `tell` is called at every look with the number of runs ahead; what it raises ends the wait.
    """
    seen, before, look_again = [""], 0, 0.0
    while True:
        now, waiting = time.monotonic(), ids(store)
        if not before or waiting != seen or now >= look_again:
            if slot := take_slot(store, run_id, at_once()):
                return slot
            before, seen, look_again = ahead(store, run_id), waiting, now + REST
        tell(before)
        time.sleep(4 * PERIOD if before else PERIOD)


def take_slot(store: RunStore, run_id: str, at_once: int) -> Slot | None:
    """A slot for the first of the queue, if fewer than `at_once` runs train.

    With AUTOMATIC, as many runs share the machine as it has cores: two runs with one thread each
    are finished sooner than two, one after the other, with two threads. A run that is alone, with
    none in training and none waiting, has the machine and all its slots to itself.
    """
    one_at_a_time = named_lock(store.root, "queue")  # as a look holds slots that are free
    with suppress(Timeout), one_at_a_time.acquire(timeout=PERIOD):
        slot = None if ahead(store, run_id) else _free_slot(store, run_id, at_once)
        if slot:
            leave(store, run_id)
        return slot
    return None


def _free_slot(store: RunStore, run_id: str, at_once: int) -> Slot | None:
    most = at_once or os.cpu_count() or 1
    free, taken = _slots(store, most)
    if at_once == AUTOMATIC and not taken and not first(store, but=run_id):
        return Slot(free, 1)
    keep = 1 if taken < most else 0
    Slot(free[keep:], most).release()
    return Slot(free[:1], most) if keep else None


def _slots(store: RunStore, most: int) -> tuple[list[FileLock], int]:
    """The free slots, now held by this process, and how many are taken by others.

    Looks at all that there ever were: the setting may have been higher when a run took one.
    """
    free: list[FileLock] = []
    known = (path.stem.removeprefix("place-") for path in store.root.glob(".locks/place-*.lock"))
    count = max([most, *(int(number) + 1 for number in known if number.isdecimal())])
    for number in range(count):
        lock = named_lock(store.root, f"place-{number}")
        with suppress(Timeout):
            lock.acquire(timeout=0)
            free.append(lock)
    return free, count - len(free)
