"""Sets of drawings of a group: each has a name, and a key that only those know who have its link.

handwriting/_sets/<key>/set.json            its name, whether it is open, who began it, and when
handwriting/_sets/<key>/MNIST/labels.csv    the drawings for a data set (see data.handwriting)
"""

import calendar
import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from filelock import FileLock

from mnist_core.data.drawing_files import OWNER
from mnist_core.errors import InputError, LabError, NotFound
from mnist_core.files import is_text, read_checked, write_json, writing
from mnist_core.formatting import counted
from mnist_core.locks import held, named_lock

FILE = "set.json"
TIME = "%Y-%m-%dT%H:%M:%SZ"
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"  # what nobody mistakes on a blackboard
KEY = re.compile(f"[{ALPHABET}]{{8}}")
LONGEST_NAME = 60  # characters
MOST_SETS = 500  # in a store
KEPT_EMPTY = 24 * 3600.0  # seconds that an empty set takes up a place when there are too many
BUSY = "Others are saving drawings at the moment; try again."
PATIENCE = 10.0  # seconds that one waits for others
CLOSED = "This set is closed: no drawings can be added."
GONE = "There is no such set of drawings: the link is not complete, or the set was deleted."


@dataclass(frozen=True)
class DrawingSet:
    """`owner`: the key of the visitor who began it, "" for whoever sits at the machine itself.

    One whose description is `damaged` has its key for a name, and takes no drawings until somebody
    opens it again: it may have been closed.
    """

    key: str
    name: str
    open: bool = True
    owner: str = ""
    begun: str = ""
    damaged: bool = False

    def begun_at(self) -> float:
        """In seconds of time.time; 0 where that is not known."""
        try:
            return calendar.timegm(time.strptime(self.begun, TIME))
        except ValueError:
            return 0.0


def sets_folder(root: Path) -> Path:
    return root / "handwriting" / "_sets"  # no data set's name begins with this sign


def set_folder(root: Path, key: str) -> Path:
    """Raises NotFound for text that is no key, before it is part of a path."""
    if not isinstance(key, str) or not KEY.fullmatch(key):
        raise NotFound(GONE)
    return sets_folder(root) / key


def drawings_lock(root: Path, name: str) -> FileLock:
    """Whoever changes a set or its drawings holds it. `name`: a set's key, or a data set."""
    return named_lock(root, f"handwriting-{name}")


def find_set(root: Path, key: str) -> DrawingSet:
    """Raises NotFound."""
    folder = set_folder(root, key)
    if not folder.is_dir():
        raise NotFound(GONE)
    damaged = DrawingSet(key, key, open=False, damaged=True)
    return read_checked(folder / FILE, lambda found: _read(key, found), damaged)


def _read(key: str, found: Any) -> DrawingSet:
    name, is_open, begun = checked_name(found["name"]), found["open"], str(found["begun"])
    owner = found["owner"]
    if not isinstance(is_open, bool) or not OWNER.fullmatch(owner):
        raise ValueError("no set of drawings")
    return DrawingSet(key, name, is_open, owner, begun if len(begun) <= 20 else "")


def checked_name(text: Any) -> str:
    """A set's name with single spaces. Raises InputError."""
    name = " ".join(text.split()) if is_text(text) else ""
    if not 0 < len(name) <= LONGEST_NAME:
        raise InputError(f"A set's name has 1 to {LONGEST_NAME} characters, such as Class 7b.")
    return name


def all_sets(root: Path) -> list[DrawingSet]:
    """The newest first."""
    try:
        keys = [path.name for path in sets_folder(root).iterdir() if KEY.fullmatch(path.name)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise LabError(f"{sets_folder(root)} cannot be read ({error.strerror}).") from error
    found = []
    for key in keys:
        with suppress(NotFound):
            found.append(find_set(root, key))
    return sorted(found, key=lambda one: (one.begun, one.key), reverse=True)


def begin_set(root: Path, name: str, owner: str = "", most: int | None = None) -> DrawingSet:
    """A new set, of at most `most` of this owner. Raises InputError or LabError."""
    begun = time.strftime(TIME, time.gmtime())
    new = DrawingSet(new_key(), checked_name(name), owner=owner, begun=begun)
    with held(named_lock(root, "drawing-sets"), BUSY, PATIENCE):
        _make_room(root)
        if most is not None and sum(each.owner == owner for each in all_sets(root)) >= most:
            raise LabError(
                f"You may have at most {counted(most, 'set')} of drawings here; delete one."
            )
        _write(root, new)
    return new


def _write(root: Path, one: DrawingSet) -> None:
    kept = asdict(one)
    del kept["damaged"]
    write_json(set_folder(root, one.key) / FILE, kept)


def new_key() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(8))


def _make_room(root: Path) -> None:
    """Empty sets of long ago go once there are too many. Raises LabError when all are in use."""
    found = all_sets(root)
    if len(found) < MOST_SETS:
        return
    for each in found:
        folder = set_folder(root, each.key)
        with suppress(OSError):
            old = time.time() - folder.stat().st_mtime > KEPT_EMPTY
            if old and not any(folder.glob("*/*.png")):
                delete_set(root, each.key)
    if len(all_sets(root)) >= MOST_SETS:
        raise LabError(f"The lab holds {MOST_SETS:,} sets of drawings at most; delete one first.")


def change_set(root: Path, key: str, **changes: Any) -> DrawingSet:
    """Another `name`, or whether it is `open`; a damaged description is set aside.

    Raises InputError, NotFound or LabError.
    """
    path = set_folder(root, key) / FILE
    with held(drawings_lock(root, key), BUSY, PATIENCE):
        old = find_set(root, key)
        if "name" in changes:
            changes["name"] = checked_name(changes["name"])
        new = replace(old, damaged=False, **changes)
        if old.damaged:
            _set_aside(path)
        _write(root, new)
    return new


def _set_aside(path: Path) -> None:
    with writing(path), suppress(FileNotFoundError):
        os.replace(path, path.with_name(f"damaged-{secrets.token_hex(4)}.json"))


def delete_set(root: Path, key: str) -> None:
    """With all its drawings. It is gone at once, and nobody adds to it meanwhile."""
    folder = set_folder(root, key)
    with held(drawings_lock(root, key), BUSY, PATIENCE), writing(folder):
        gone = folder.with_name(f".{key}-{secrets.token_hex(4)}")
        with suppress(FileNotFoundError):
            os.rename(folder, gone)
    shutil.rmtree(gone, ignore_errors=True)


def check_takes_drawings(root: Path, key: str) -> None:
    """Raises NotFound for a set that was deleted, LabError for a closed one."""
    if not find_set(root, key).open:
        raise LabError(CLOSED)
