"""Locks between processes, as files. The operating system frees one when its process dies."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_core.errors import LabError
from mnist_core.files import touch


def named_lock(root: Path, name: str) -> FileLock:
    """The lock of this name for all processes that use the folder `root`.

    Raises LabError when its file cannot be written.
    """
    path = root / ".locks" / f"{name}.lock"
    touch(path)
    return FileLock(path)


@contextmanager
def held(lock: FileLock, otherwise: str, patience: float = 0.0) -> Iterator[None]:
    """Holds the lock. Raises LabError with the sentence `otherwise` when another process has it.

    It is waited for `patience` seconds.
    """
    try:
        holding = lock.acquire(timeout=patience)
    except Timeout:
        raise LabError(otherwise) from None
    with holding:
        yield
