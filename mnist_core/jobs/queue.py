"""Whose turn it is: the line of runs that wait, and the places of those that train.

A run that waits has a ticket, an empty file whose name begins with the time at which it joined;
a run that trains holds the lock of a place. A process that is killed leaves no place taken, as
the operating system frees its lock, and a ticket that nobody waits with counts for nothing.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_core.errors import LabError
from mnist_core.files import cannot_write
from mnist_core.runs.settings import AUTOMATIC
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RUN_ID, RunStore

PERIOD = 0.5  # seconds between two looks at the line
AtOnce = Callable[[], int]  # how many runs may train at once: asked again at every look
TICKET = re.compile(rf"(?P<time>\d{{20}})-(?P<id>{RUN_ID.pattern})")


def _tickets(store: RunStore) -> list[tuple[str, Path]]:
    """(run id, file) of all who stand in the line, the first come first."""
    with suppress(FileNotFoundError):
        paths = sorted((store.root / ".queue").iterdir())
        found = ((TICKET.fullmatch(path.name), path) for path in paths)
        return [(match["id"], path) for match, path in found if match]
    return []


def join(store: RunStore, run_id: str) -> None:
    """Puts the run at the end of the line, unless it stands there. Raises LabError."""
    if any(other == run_id for other, _ in _tickets(store)):
        return
    ticket = store.root / ".queue" / f"{time.time_ns():020d}-{run_id}"
    try:
        ticket.parent.mkdir(parents=True, exist_ok=True)
        ticket.touch()
    except OSError as error:
        raise LabError(cannot_write(ticket, error)) from error


def leave(store: RunStore, run_id: str) -> None:
    """Takes the run out of the line."""
    for other, path in _tickets(store):
        if other == run_id:
            path.unlink(missing_ok=True)


def ahead(store: RunStore, run_id: str) -> int:
    """How many runs wait before this one; 0 for the next to train."""
    count = 0
    for other, _ in _tickets(store):
        if other == run_id:
            break
        count += _waits(store, other)
    return count


def _waits(store: RunStore, run_id: str) -> bool:
    """Whether a living process stands behind the ticket; one that hangs must hold up nobody."""
    try:
        run = store.get(run_id)
    except LabError:
        return False
    return run.state == RunState.QUEUED and not run.unresponsive


@dataclass(frozen=True)
class Turn:
    """Leave to train: the places that are taken, and how many runs share the machine."""

    places: Sequence[FileLock]
    sharing: int

    def end(self) -> None:
        for place in self.places:
            place.release()


def wait(store: RunStore, run_id: str, at_once: AtOnce, tell: Callable[[int], None]) -> Turn:
    """Waits in the line for a turn.

    `tell` is called at every look with the number of runs ahead; what it raises ends the wait.
    """
    join(store, run_id)
    while True:
        turn = take_turn(store, run_id, at_once())
        if turn:
            return turn
        tell(ahead(store, run_id))
        time.sleep(PERIOD)


def take_turn(store: RunStore, run_id: str, at_once: int) -> Turn | None:
    """A turn for the first of the line, if fewer than `at_once` runs train.

    With AUTOMATIC, as many share the machine as it has cores: two runs of one thread each are
    through sooner than two in turn with two threads. One that nobody waits with, while none
    trains, has the machine, and all of its places, to itself.
    """
    looking = store.named_lock("turn")
    try:
        looking.acquire(timeout=PERIOD)  # while one looks, no other may mistake his look for a run
    except Timeout:
        return None
    try:
        turn = None if ahead(store, run_id) else _turn(store, run_id, at_once)
        if turn:
            leave(store, run_id)
        return turn
    finally:
        looking.release()


def _turn(store: RunStore, run_id: str, at_once: int) -> Turn | None:
    most = at_once or os.cpu_count() or 1
    free, taken = _places(store, most)
    if taken >= most:
        Turn(free, most).end()
        return None
    if at_once == AUTOMATIC and not taken and not _anyone_else(store, run_id):
        return Turn(free, 1)
    Turn(free[1:], most).end()
    return Turn(free[:1], most)


def _anyone_else(store: RunStore, run_id: str) -> bool:
    return any(other != run_id and _waits(store, other) for other, _ in _tickets(store))


def _places(store: RunStore, most: int) -> tuple[list[FileLock], int]:
    """The free places, now held by this process, and how many are taken by others."""
    free: list[FileLock] = []
    count = max(most, _known(store))
    for number in range(count):
        place = store.named_lock(f"place-{number}")
        with suppress(Timeout):
            place.acquire(timeout=0)
            free.append(place)
    return free, count - len(free)


def _known(store: RunStore) -> int:
    """How many places there ever were."""
    numbers = (path.stem.removeprefix("place-") for path in store.root.glob(".locks/place-*.lock"))
    return max((int(number) + 1 for number in numbers if number.isdecimal()), default=0)
