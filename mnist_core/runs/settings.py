"""The settings of a run store, which every process that uses it reads. Loads without torch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mnist_core.config import Whole
from mnist_core.errors import InputError
from mnist_core.files import read_json, write_json

AT_ONCE = Whole(0, 64)
AUTOMATIC = 0  # one run has the whole machine; several share its cores


def check_at_once(value: Any) -> int:
    """How many runs train at the same time; 0 is automatic. Raises InputError."""
    try:
        return AT_ONCE.check(value)
    except (ValueError, OverflowError):
        raise InputError(f"at-once: {value!r} was given; allowed is {AT_ONCE.allowed}") from None


def read_at_once(path: Path) -> int:
    """The setting; the default when there is no file, or a damaged one."""
    try:
        return AT_ONCE.check(read_json(path)["at_once"])
    except (OSError, ValueError, OverflowError, TypeError, KeyError, RecursionError):
        return AUTOMATIC


def write_at_once(path: Path, value: Any) -> None:
    """Raises InputError for a bad number and LabError when the file cannot be written."""
    write_json(path, {"at_once": check_at_once(value)})
