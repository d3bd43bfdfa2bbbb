"""Which runs began by themselves, and which visitor looks at them.

An empty file says so: RUN.by-VISITOR while the visitor looks at the run, RUN.left once the visitor
looks at something else, and nobody took it over. A run without one was asked for by a person, with
a button or a command. Each change is one rename or removal: of two that meet the first one counts.
"""

import os
from contextlib import suppress
from pathlib import Path

from mnist_core.errors import LabError
from mnist_core.files import remove, touch
from mnist_core.runs.store import RunStore


def mark(store: RunStore, run_id: str, visitor: str) -> None:
    """The run begins by itself, for this visitor. Raises LabError when that cannot be written."""
    path = _path(store, run_id, visitor)
    touch(path)
    for other in _marks(store, run_id):
        if other != path:
            remove(other)


def is_left(store: RunStore, run_id: str) -> bool:
    """Whether the run began by itself and was ended because nobody looked at it any more."""
    return _path(store, run_id).exists()


def marked_for(store: RunStore, visitor: str) -> list[str]:
    """The ids of the runs that began by themselves for this visitor."""
    ending = f".by-{visitor}"
    return [path.name.removesuffix(ending) for path in _folder(store).glob(f"*{ending}")]


def adopt(store: RunStore, run_id: str, visitor: str) -> None:
    """This visitor looks at the run now: another one who leaves it does not end it any more."""
    for path in _folder(store).glob(f"{run_id}.by-*"):
        with suppress(OSError):
            os.replace(path, _path(store, run_id, visitor))


def let_go(store: RunStore, run_id: str, visitor: str) -> bool:
    """The visitor looks at something else. Whether the run was still this visitor's."""
    with suppress(OSError):
        os.replace(_path(store, run_id, visitor), _path(store, run_id))
        return True
    return False


def unmark(store: RunStore, run_id: str) -> None:
    """Somebody has asked for this run, or it is over."""
    for path in _marks(store, run_id):
        with suppress(LabError):
            remove(path)


def sweep(store: RunStore) -> None:
    """Forgets what is said of runs that are finished or gone."""
    for run_id in {path.name.partition(".")[0] for path in _folder(store).glob("*.*")}:
        with suppress(LabError):
            if not store.folder(run_id).path.exists() or store.get(run_id).finished:
                unmark(store, run_id)


def _folder(store: RunStore) -> Path:
    return store.root / ".automatic"


def _path(store: RunStore, run_id: str, visitor: str = "") -> Path:
    return _folder(store) / (f"{run_id}.by-{visitor}" if visitor else f"{run_id}.left")


def _marks(store: RunStore, run_id: str) -> list[Path]:
    return list(_folder(store).glob(f"{run_id}.*"))
