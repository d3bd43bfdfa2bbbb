"""Files are old or new, never half: written under a temporary name, flushed, then renamed.

A folder of runs may come from anybody: what is read is a regular file of a size that the lab could
have written, and nothing is written through a link.
"""

import csv
import errno
import io
import json
import math
import os
import re
import stat
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as read_tensors

from mnist_core.errors import LabError, NotFound

TEMPORARY = re.compile(r"\..+\.[a-z0-9_]{8}")  # the temporary name of a file (see write_bytes)
# Written by other processes than the one that trains, which may be writing now.
BY_OTHERS = re.compile(r"\.(request|about\.json|robustness\.json|novelty\.safetensors)\..+")
WRITING = 60.0  # seconds after which nobody is writing such a file any more
ATTEMPTS = 50 if os.name == "nt" else 1  # to replace or remove a file

# The most bytes of a file of each kind, far more than the lab writes.
SMALL_FILE_LIMIT = 2**20  # a config, a summary, a setting, a request, a drawing as PNG
PROGRESS_LIMIT = 2**23  # with the losses of an epoch's steps
TABLE_LIMIT = 2**26
TENSORS_LIMIT = 2**29  # 128 million weights in single precision
STATE_LIMIT = 2**31  # weights, what the optimiser keeps of each, and an epoch's logits
MOST_ROWS = 2_000_000  # of a table
MOST_LEVELS = 20  # of lists and objects within each other, in JSON
# Of an open file: a pipe that nobody writes to holds up no reader, and a link is not followed.
_NO_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)

T = TypeVar("T")


def write_bytes(
    path: Path, content: bytes, *, flush: bool = True, make_folder: bool = True
) -> None:
    """Replaces `path` in one step. Raises LabError when the disk is full or not writable.

    With `flush` it is on the disk before it is in its place, also when the power fails. Without
    `make_folder` a folder that is missing, or that is moved away meanwhile, is an error.
    """
    with writing(path):
        if make_folder:
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
    _insist(lambda: os.replace(source, target))


def _insist(change: Callable[[], None]) -> None:
    """On Windows a file that somebody is reading cannot be changed; readers are quick."""
    for _ in range(ATTEMPTS - 1):
        with suppress(PermissionError):
            return change()
        time.sleep(0.02)
    change()


def remove(path: Path) -> None:
    """Removes a file, or a link, if it is there. Raises LabError when that cannot be."""
    with writing(path):
        _insist(lambda: path.unlink(missing_ok=True))


def open_new(path: Path) -> BinaryIO:
    """A new, empty file in the place of whatever was there, which a link may have led to.

    Raises LabError when it cannot be written.
    """
    remove(path)
    with writing(path):
        return path.open("xb")


def touch(path: Path) -> None:
    """Makes an empty file, unless it is there; a link in its place goes. Raises LabError."""
    if path.is_symlink():
        remove(path)
    with writing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | _NO_LINK | _NO_WAIT, 0o644))


def sweep(folder: Path) -> None:
    """Removes what killed processes left half written. The caller holds the run's lock.

    A file of BY_OTHERS, which is written without the lock, goes once it is older than WRITING.
    """
    for path in folder.iterdir():
        if TEMPORARY.fullmatch(path.name):
            with suppress(LabError, OSError):
                age = abs(time.time() - path.lstat().st_mtime)
                if age > WRITING or not BY_OTHERS.fullmatch(path.name):
                    remove(path)


def write_json(path: Path, value: Any, *, flush: bool = True) -> None:
    """`value` as readable JSON; NaN and infinity raise ValueError, as JSON has none."""
    write_bytes(path, to_json(value), flush=flush)


def to_json(value: Any) -> bytes:
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    return (text + "\n").encode()


def read_file(path: Path, limit: int) -> bytes:
    """The content of a regular file of at most `limit` bytes.

    Raises OSError when it cannot be read, and ValueError for a device, a pipe, or a larger file.
    """
    if not stat.S_ISREG(path.stat().st_mode):  # to open a device may be to use it
        raise ValueError("it is not a regular file")
    with os.fdopen(os.open(path, os.O_RDONLY | _NO_WAIT), "rb") as file:
        found = os.fstat(file.fileno())
        if not stat.S_ISREG(found.st_mode):
            raise ValueError("it is not a regular file")
        content = b"" if found.st_size > limit else file.read(found.st_size + 1)
    if len(content) != found.st_size:
        raise ValueError("it is larger than such a file can be")
    return content


def read_bytes(path: Path, limit: int = TENSORS_LIMIT) -> bytes | None:
    """The file's content, None where there is none. Raises LabError when it cannot be read."""
    try:
        return read_file(path, limit)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise LabError(f"{path} is not read: {error}.") from error


def signature(path: Path) -> tuple[int, int, int]:
    """Tells one content of a file from the next: files are replaced whole, never changed."""
    seen = path.stat()
    return seen.st_mtime_ns, seen.st_size, seen.st_ino


def read_json(path: Path, limit: int = SMALL_FILE_LIMIT) -> Any:
    """Raises OSError when it cannot be read, ValueError when it is not JSON, or deeper than any."""
    try:
        found = json.loads(read_file(path, limit))
    except RecursionError as error:
        raise ValueError("it is nested too deeply") from error
    if _is_deeper(found, MOST_LEVELS):
        raise ValueError("it is nested too deeply")
    return found


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether lists and objects lie within each other more than so many times."""
    if not isinstance(value, (list, dict)):
        return False
    parts = value.values() if isinstance(value, dict) else value
    return levels == 0 or any(_is_deeper(part, levels - 1) for part in parts)


def read_checked(
    path: Path, check: Callable[[Any], T], default: T, limit: int = SMALL_FILE_LIMIT
) -> T:
    """What `check` makes of the file's JSON; the default when there is no file, or a damaged one.

    `check` raises ValueError, or whatever values of other types than it expects lead to.
    """
    try:
        return check(read_json(path, limit))
    except (OSError, ValueError, TypeError, KeyError, AttributeError, OverflowError):
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
        content = read_file(path, TENSORS_LIMIT)
    except FileNotFoundError:
        raise NotFound(f"{path} is not there.") from None
    except (OSError, ValueError) as error:
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
        content = io.BytesIO(read_file(path, TABLE_LIMIT))
        rows = csv.DictReader(io.TextIOWrapper(content, encoding="utf-8", newline=""))
        table = [{name: float(row[name]) for name in columns} for row in islice(rows, MOST_ROWS)]
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
