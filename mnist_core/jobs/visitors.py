"""Who did what in a shared lab: which visitor started a run, and how much each did in an hour.

A visitor is known by a key made from a secret of the browser; the secret itself is never stored.
"""

import hashlib
import re
import time
from contextlib import suppress
from pathlib import Path

from mnist_core.files import is_number, read_checked, read_file, write_bytes, write_json
from mnist_core.runs.store import RunStore

HOUR = 3600.0
DAY = 24 * HOUR
KEY = re.compile(r"[0-9a-z]{1,40}")
LOCAL = "local"  # whoever sits at the machine itself


def key_of(secret: str) -> str:
    """The key of the visitor whose browser has this secret."""
    return hashlib.sha256(secret.encode()).hexdigest()[:32]


def own(store: RunStore, thing: str, visitor: str) -> None:
    """The visitor has begun this run, or saved this drawing. Raises LabError."""
    write_bytes(_owner_file(store, thing), visitor.encode(), flush=False)


def owner(store: RunStore, thing: str) -> str | None:
    """The visitor's key; None for what nobody began here, such as runs that ship."""
    with suppress(OSError, ValueError):
        found = read_file(_owner_file(store, thing), 100).decode()
        return found if KEY.fullmatch(found) else None
    return None


def disown(store: RunStore, thing: str) -> None:
    """It is gone."""
    with suppress(OSError):
        _owner_file(store, thing).unlink()


def _owner_file(store: RunStore, thing: str) -> Path:
    return store.root / ".owners" / thing


def done_lately(store: RunStore, visitor: str, what: str) -> int:
    """How often the visitor did this in the last hour."""
    return len(_times(_ledger(store, visitor)).get(what, []))


def note(store: RunStore, visitor: str, what: str) -> None:
    """Keeps that the visitor does this now. Raises LabError."""
    path = _ledger(store, visitor)
    times = _times(path)
    times.setdefault(what, []).append(time.time())
    write_json(path, times, flush=False)
    _sweep(path.parent)


def _ledger(store: RunStore, visitor: str) -> Path:
    if not KEY.fullmatch(visitor):
        raise ValueError("no visitor's key")
    return store.root / ".visitors" / f"{visitor}.json"


def _times(path: Path) -> dict[str, list[float]]:
    """What was done in the last hour, and when; a clock that was set back forgets nothing."""
    now = time.time()
    found: dict[str, list[float]] = read_checked(path, dict, default={})
    return {
        what: [at for at in times if is_number(at) and now - at < HOUR]
        for what, times in found.items()
        if isinstance(times, list)
    }


def _sweep(folder: Path) -> None:
    """Forgets visitors who have done nothing for a day."""
    for path in folder.glob("*.json"):
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > DAY:
                path.unlink()
