"""Who did what in a shared lab: which visitor started a run, and how much each did in an hour.

A visitor is known by a key made from a secret of the browser; the secret itself is never stored.
"""

import hashlib
import re
import threading
import time
from contextlib import suppress
from pathlib import Path

from mnist_core.files import is_number, read_checked, read_file, write_bytes, write_json
from mnist_core.limits import read_only
from mnist_core.locks import held, named_lock
from mnist_core.runs.owners import owner_file
from mnist_core.runs.store import RunStore

HOUR = 3600.0
DAY = 24 * HOUR
KEY = re.compile(r"[0-9a-z]{1,40}")
LOCAL = "local"  # whoever sits at the machine itself
BUSY = "Others are using the lab at the moment; try again."
PATIENCE = 10.0  # seconds that a visitor waits for others

Times = dict[str, list[float]]  # what was done, and when, in seconds of time.time
IN_MEMORY = threading.Lock()  # for what a read-only lab keeps
_kept: dict[Path, Times] = {}  # instead of a file, by its path


def key_of(secret: str) -> str:
    """The key of the visitor whose browser has this secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def set_owner(store: RunStore, name: str, visitor: str) -> None:
    """The visitor has begun the run, or saved the drawing, of this name. Raises LabError."""
    write_bytes(owner_file(store.root, name), visitor.encode(), flush=False)


def owner(store: RunStore, name: str) -> str | None:
    """The visitor's key; None for what nobody began here, such as runs that ship."""
    with suppress(OSError, ValueError):
        found = read_file(owner_file(store.root, name), 100).decode()
        return found if KEY.fullmatch(found) else None
    return None


def done_lately(store: RunStore, visitor: str, what: str) -> int:
    """How often the visitor did this in the last hour."""
    return len(_lately(_ledger(store, visitor)).get(what, []))


def note(store: RunStore, visitor: str, what: str, most: int | None = None) -> bool:
    """Keeps that the visitor does this now; False if it was done `most` times in the last hour.

    A read-only lab keeps it in memory. Raises LabError.
    """
    path = _ledger(store, visitor)
    with IN_MEMORY if read_only() else held(named_lock(store.root, "visitors"), BUSY, PATIENCE):
        times = _lately(path)
        done = times.setdefault(what, [])
        if most is not None and len(done) >= most:
            return False
        done.append(time.time())
        _keep(path, times)
        return True


def _keep(path: Path, times: Times) -> None:
    if not read_only():
        write_json(path, times, flush=False)
        _sweep(path.parent)
        return
    _kept[path] = times
    for other in [each for each in _kept if not any(_fresh(_kept[each]).values())]:
        del _kept[other]


def _ledger(store: RunStore, visitor: str) -> Path:
    if not KEY.fullmatch(visitor):
        raise ValueError("no visitor's key")
    return store.root / ".visitors" / f"{visitor}.json"


def _lately(path: Path) -> Times:
    """What was done in the last hour, and when."""
    return _fresh(_kept.get(path, {}) if read_only() else read_checked(path, dict, default={}))


def _fresh(times: Times) -> Times:
    """Those of the last hour, or of the next one where the clock was set back since.

    One that ran years ahead for a while must not keep a visitor out for years.
    """
    now = time.time()
    return {
        what: [at for at in ats if is_number(at) and abs(now - at) < HOUR]
        for what, ats in times.items()
        if isinstance(ats, list)
    }


def _sweep(folder: Path) -> None:
    """Forgets visitors who have done nothing for a day."""
    for path in folder.glob("*.json"):
        with suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) > DAY:
                path.unlink()
