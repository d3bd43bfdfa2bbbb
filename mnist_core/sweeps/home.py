"""Studies that are searched elsewhere come home by themselves while somebody looks. No Optuna."""

from __future__ import annotations

import os
import time
from pathlib import Path

from mnist_core.files import write_bytes
from mnist_core.jobs import spawn, sweep_job
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import JOURNAL

PERIOD = 20.0  # seconds at least between two looks into the storage


def is_elsewhere() -> bool:
    """Whether studies are in a storage that other machines may use."""
    return bool(os.environ.get("MNIST_STUDIES"))


def bring_home(store: RunStore) -> None:
    """Has all studies of the storage collected in the background, if that is due.

    It is due now and then where the storage is elsewhere; else when the store's own journal has
    changed, as by a worker that was started by hand.
    """
    mark, now = store.root / ".sweeps" / "collected", time.time()
    last = _changed(mark)
    if abs(now - last) < PERIOD or not (is_elsewhere() or _changed(store.root / JOURNAL) > last):
        return
    write_bytes(mark, b"", flush=False)
    spawn.start(store, ["sweep-collect"], log_path(store))


def log_path(store: RunStore) -> Path:
    return store.root / ".sweeps" / "collect.log"


def why_not(store: RunStore) -> str:
    """Why the last look failed, if it did."""
    return sweep_job.complaint_in(log_path(store))


def _changed(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
