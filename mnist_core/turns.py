"""Whose turn it is: the line of runs that wait, and the places of those that train.

A run that waits has a ticket, an empty file whose name begins with the time at which it joined;
a run that trains holds the lock of a place. A process that is killed leaves no place taken, as
the operating system frees its lock, and a ticket that nobody waits with counts for nothing.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_core.errors import LabError
from mnist_core.files import cannot_write
from mnist_core.runs import RUN_ID, RunStore

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
    return run.state == "queued" and run.silent_for is None


def wait(
    store: RunStore, run_id: str, at_once: AtOnce, tell: Callable[[int], None]
) -> tuple[FileLock, int]:
    """Waits in the line; returns the place to train in, and how many train at once.

    `tell` is called at every look with the number of runs ahead; what it raises ends the wait.
    """
    join(store, run_id)
    while True:
        number = at_once()
        place = take_place(store, run_id, number)
        if place:
            return place, number
        tell(ahead(store, run_id))
        time.sleep(PERIOD)


def take_place(store: RunStore, run_id: str, at_once: int) -> FileLock | None:
    """A place to train in, for the first of the line, if fewer than `at_once` are taken."""
    turn = store.named_lock("turn")
    try:
        turn.acquire(timeout=PERIOD)  # while one looks, no other may mistake his look for a run
    except Timeout:
        return None
    try:
        place = None if ahead(store, run_id) else _free_place(store, at_once)
        if place:
            leave(store, run_id)
        return place
    finally:
        turn.release()


def _free_place(store: RunStore, at_once: int) -> FileLock | None:
    free = []
    known = _places(store)
    for number in range(known):
        place = store.named_lock(f"place-{number}")
        with suppress(Timeout):
            place.acquire(timeout=0)
            free.append(place)
    if known - len(free) >= at_once:
        for place in free:
            place.release()
        return None
    if not free:
        free = [store.named_lock(f"place-{known}")]
        free[0].acquire(timeout=0)
    for place in free[1:]:
        place.release()
    return free[0]


def _places(store: RunStore) -> int:
    """How many places were ever taken at the same time."""
    numbers = (path.stem.removeprefix("place-") for path in store.root.glob(".locks/place-*.lock"))
    return max((int(number) + 1 for number in numbers if number.isdecimal()), default=0)
