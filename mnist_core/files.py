"""Files are old or new, never half: written under a temporary name, flushed, then renamed."""

import csv
import errno
import io
import json
import math
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors

from mnist_core.errors import LabError, NotFound

# The temporary name (see write_bytes) of a file that a training process writes; requests, which
# other processes write, are left out.
TEMPORARY = re.compile(r"\.(?!request\.).+\.[a-z0-9_]{8}")
ATTEMPTS = 50 if os.name == "nt" else 1  # to replace a file
CSV_LIMIT = 64 * 2**20  # bytes; far more than a history of 1,000 epochs

T = TypeVar("T")


def write_bytes(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Replaces `path` in one step. Raises LabError when the disk is full or not writable.

    With `flush` it is on the disk before it is in its place, also when the power fails.
    """
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                if flush:
                    file.flush()
                    os.fsync(file.fileno())
            os.chmod(temporary, 0o644)
            _replace(temporary, path)
        except OSError:
            Path(temporary).unlink(missing_ok=True)
            raise


def _replace(source: str, target: Path) -> None:
    """On Windows a file that somebody is reading cannot be replaced; readers are quick."""
    for _ in range(ATTEMPTS - 1):
        with suppress(PermissionError):
            return os.replace(source, target)
        time.sleep(0.02)
    os.replace(source, target)


def sweep(folder: Path) -> None:
    """Removes what killed processes left half written; no other process may be writing there."""
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name):
            path.unlink(missing_ok=True)


def write_json(path: Path, value: Any, *, flush: bool = True) -> None:
    """`value` as readable JSON; NaN and infinity raise ValueError, as JSON has none."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode(), flush=flush)


def read_bytes(path: Path) -> bytes | None:
    """The file's content, None where there is none. Raises LabError when it cannot be read."""
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}).") from error


def signature(path: Path) -> tuple[int, int, int]:
    """Tells one content of a file from the next: files are replaced whole, never changed."""
    seen = path.stat()
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def read_json(path: Path) -> Any:
    """Raises OSError when it cannot be read, ValueError when it is not JSON."""
    try:
        return json.loads(path.read_bytes())
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error


def read_checked(path: Path, check: Callable[[Any], T], default: T) -> T:
    """What `check` makes of the file's JSON; the default when there is no file, or a damaged one.

    `check` raises ValueError, or whatever values of other types than it expects lead to.
    """
    try:
        return check(read_json(path))
    except (OSError, ValueError, TypeError, KeyError, OverflowError):
        return default


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Makes one sentence of a failed write, in a LabError."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise LabError(
                f"The disk is full: {path} could not be written; make room and start again."
            ) from error
        raise LabError(
            f"{path} could not be written ({error.strerror or error}); make its folder writable, "
            "or point MNIST_CHECKPOINTS at one that is."
        ) from error


def read_tensors_file(path: Path) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file. Raises NotFound, or LabError when it is damaged."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise NotFound(f"{path} is not there.") from None
    except OSError as error:
        raise LabError(f"{path} is damaged ({error}).") from error
    return tensors_of(content, str(path))


def tensors_of(content: bytes, name: str) -> dict[str, np.ndarray]:
    """The arrays in the bytes of a safetensors file. Raises LabError when `name` is damaged."""
    try:
        return read_tensors(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise LabError(f"{name} is damaged ({error}).") from error


def to_csv(rows: Iterable[Mapping[str, Any]], columns: Iterable[str] = ()) -> bytes:
    """Rows with a heading, by default that of the first row; floats keep every bit."""
    rows, names = list(rows), list(columns)
    out = io.StringIO()
    writer = csv.DictWriter(out, names or (list(rows[0]) if rows else []), lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue().encode()


def read_csv(path: Path, columns: Iterable[str]) -> list[dict[str, float]]:
    """Rows of finite numbers in these columns.

    A file that is not there is empty; a damaged one raises LabError.
    """
    try:
        if path.stat().st_size > CSV_LIMIT:
            raise ValueError("it is too large")
        rows = csv.DictReader(io.StringIO(path.read_text(encoding="utf-8")))
        table = [{name: float(row[name]) for name in columns} for row in rows]
        if not all(math.isfinite(value) for row in table for value in row.values()):
            raise ValueError("it holds more than finite numbers")
        return table
    except FileNotFoundError:
        return []
    except (OSError, ValueError, TypeError, KeyError, csv.Error) as error:
        raise LabError(f"{path} is damaged ({error}).") from error


def is_number(value: Any) -> bool:
    """A number that breaks no chart: not True, NaN, infinite, or beyond all floats."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) < 1e300


def is_text(value: Any) -> bool:
    """Text that can be written as UTF-8."""
    if not isinstance(value, str):
        return False
    return value.isascii() or not any(0xD800 <= ord(letter) < 0xE000 for letter in value)
