"""What may be done in a lab that others use, too: MNIST_READ_ONLY and MNIST_LIMITS.

MNIST_LIMITS is TOML, in place or as the path of a file: `epochs = 20`, one line for each limit.
"""

import os
import shutil
import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

from mnist_core.errors import InputError, LabError

LONGEST = 100_000  # bytes of a file of limits
TRASH = ".trash"  # the folder of deleted runs in a store (see runs.trash)


@dataclass(frozen=True)
class Limits:
    """Limits for all visitors. None is no limit; one person does not notice the defaults."""

    training: int | None = None  # runs that train at the same time
    waiting: int | None = 100  # runs in progress, those that wait included
    launches_per_hour: int | None = 500  # by one visitor
    epochs: int | None = None  # of one run
    parameters: int | None = None  # of a network that is trained
    uploads_per_hour: int | None = 500  # zip files and pictures, by one visitor
    drawings: int | None = 500  # that one visitor keeps under My digits, in all sets
    sets: int | None = 20  # of drawings, for a class or group, that one visitor may begin
    store_gb: float | None = None  # size of the run store, at which nothing more is trained
    free_gb: float | None = 0.2  # of the disk, below which nothing more is trained

    @classmethod
    def from_toml(cls, text: str) -> Self:
        """Raises InputError that names the limit, what was given and what is allowed."""
        try:
            given = tomllib.loads(text)
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            raise InputError(f"MNIST_LIMITS is not valid TOML: {error}") from None
        known = [field.name for field in fields(cls)]
        for name, value in given.items():
            if name not in known:
                allowed = ", ".join(known)
                raise InputError(f"MNIST_LIMITS: {name!r} was given; allowed is one of {allowed}")
            _check(name, value)
        return cls(**given)


def _check(name: str, value: Any) -> None:
    whole = not name.endswith("_gb")
    least = 1 if name == "training" else 0  # with none in training, the queue would never end
    fits = isinstance(value, int if whole else (int, float)) and not isinstance(value, bool)
    if not fits or not least <= value < 1e15:
        kind = "whole number" if whole else "number"
        raise InputError(
            f"MNIST_LIMITS: {name}: {value!r} was given; allowed is a {kind} from {least}"
        )


def limits() -> Limits:
    """Those of the environment; the defaults without any. Raises InputError, or LabError."""
    given = os.environ.get("MNIST_LIMITS", "").strip()
    if "=" in given or not given:
        return Limits.from_toml(given)
    try:
        with Path(given).open("rb") as file:
            return Limits.from_toml(file.read(LONGEST).decode())
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(f"MNIST_LIMITS: {given} cannot be read ({error}).") from error


def for_another_folder() -> str:
    """What MNIST_LIMITS is for a process in another folder: a path of a file is absolute."""
    given = os.environ.get("MNIST_LIMITS", "").strip()
    return given if "=" in given or not given else str(Path(given).resolve())


def are_set() -> bool:
    """Whether the environment has limits, as it does where strangers use the lab."""
    return bool(os.environ.get("MNIST_LIMITS", "").strip())


def read_only() -> bool:
    """Whether visitors may only look and draw."""
    return os.environ.get("MNIST_READ_ONLY", "").strip().lower() not in ("", "0", "false", "no")


def check_disk(root: Path, allowed: Limits) -> None:
    """Raises LabError when a run store has no room for another run."""
    if allowed.free_gb is not None and root.exists():
        free = shutil.disk_usage(root).free / 1e9
        if free < allowed.free_gb:
            raise LabError(
                f"No new run can start: the disk has {free:.2g} GB free, and {allowed.free_gb:g} "
                "GB must stay free. Delete runs that are no longer needed."
            )
    if allowed.store_gb is not None and (size := _size(root) / 1e9) > allowed.store_gb:
        raise LabError(
            f"No new run can start: the runs take {size:.2g} GB, and at most {allowed.store_gb:g} "
            "GB are allowed. Delete runs that are no longer needed."
        )


def _size(root: Path) -> int:
    """Bytes of all files below a folder, without deleted runs.

    Files that go meanwhile count nothing.
    """
    total = 0
    for folder, folders, names in os.walk(root):
        if TRASH in folders:
            folders.remove(TRASH)
        for name in names:
            try:
                total += os.lstat(os.path.join(folder, name)).st_size
            except OSError:
                continue
    return total
