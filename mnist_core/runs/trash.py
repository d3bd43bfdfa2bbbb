"""Deleted runs: their folders wait in .trash for a while, so that a mistake can be undone."""

import os
import re
import shutil
import time
from contextlib import suppress
from pathlib import Path

from mnist_core.errors import LabError, NotFound
from mnist_core.files import writing
from mnist_core.limits import TRASH
from mnist_core.locks import held
from mnist_core.runs.owners import forget_owner
from mnist_core.runs.process import this_boot, uptime
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RUN_ID, RunStore

KEPT = 3600.0  # seconds for which a deleted run can be brought back
# A run's id, when it was deleted (in nanoseconds of time.time), and, where the system tells its
# boots apart, in which and how many microseconds after its start.
NAME = re.compile(
    rf"(?P<id>{RUN_ID.pattern})\.(?P<time>\d{{20}})(\.(?P<boot>[0-9a-f]{{8}})-(?P<up>\d{{1,18}}))?"
)


def delete(store: RunStore, run_id: str) -> None:
    """Takes the run out of the store; `restore` brings it back within KEPT.

    Raises LabError for a run in progress, one that ships without a folder, and one that another
    process holds.
    """
    run = store.get(run_id)
    if not run.path.is_dir():
        raise LabError(f"{run_id} ships in a file with many others and cannot be deleted.")
    busy = f"{run_id} is in use by another process; stop it first."
    with held(store.lock(run_id), otherwise=busy):
        if store.get(run_id).state in LIVE:
            raise LabError(busy)
        target = _trash(store) / f"{run_id}.{time.time_ns():020d}{_since_boot()}"
        with writing(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            os.replace(run.path, target)
    sweep(store)


def restore(store: RunStore, run_id: str) -> Run:
    """Brings back the run as it was deleted last. Raises NotFound, or LabError.

    What was deleted longer than KEPT ago does not come back.
    """
    sweep(store)
    name = store.folder(run_id).id
    found = [path for path, deleted in _deleted(store) if deleted["id"] == name]
    if not found:
        raise NotFound(f"run: {run_id} is not among those that were deleted in the last hour")
    target = store.root / name
    if target.exists():
        raise LabError(f"{run_id} was trained anew since it was deleted; delete that one first.")
    with writing(target):
        os.replace(found[-1], target)
    return store.get(run_id)


def empty(store: RunStore, run_id: str) -> None:
    """Deletes the run for good."""
    for path, found in _deleted(store):
        if found["id"] == run_id:
            shutil.rmtree(path, ignore_errors=True)


def sweep(store: RunStore) -> None:
    """Deletes for good what was deleted longer than KEPT ago, and forgets whose it was."""
    old = [(path, found["id"]) for path, found in _deleted(store) if _age(found) > KEPT]
    for path, _ in old:
        shutil.rmtree(path, ignore_errors=True)
    left = {found["id"] for _, found in _deleted(store)} if old else set()
    for _, run_id in old:
        if run_id not in left and not (store.root / run_id).exists():
            forget_owner(store.root, run_id)


def _since_boot() -> str:
    boot = this_boot()
    return f".{boot[:8]}-{int(1e6 * uptime())}" if boot else ""


def _age(found: re.Match[str]) -> float:
    """Seconds since a run was deleted. No step of the clock makes it older than it is.

    In another boot, or on another machine, it is no older than this boot is. Where the clock is
    before the time at which it was deleted, its age is not known: 0, so that it is not lost.
    """
    by_clock = max(0.0, time.time() - int(found["time"]) / 1e9)
    boot = this_boot()
    if not boot or not found["boot"]:
        return by_clock
    if boot[:8] == found["boot"]:
        return uptime() - int(found["up"]) / 1e6
    return min(by_clock, uptime())


def _deleted(store: RunStore) -> list[tuple[Path, re.Match[str]]]:
    """The folders that wait, with what their names say, the oldest first."""
    with suppress(OSError):
        names = ((NAME.fullmatch(path.name), path) for path in _trash(store).iterdir())
        known = [(path, found) for found, path in names if found]
        return sorted(known, key=lambda pair: (-_age(pair[1]), pair[1]["time"]))
    return []


def _trash(store: RunStore) -> Path:
    return store.root / TRASH
