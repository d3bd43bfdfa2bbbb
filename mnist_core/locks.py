"""Locks between processes, as files. The operating system frees one when its process dies."""

from pathlib import Path

from filelock import FileLock

from mnist_core.errors import LabError
from mnist_core.files import cannot_write


def named_lock(root: Path, name: str) -> FileLock:
    """The lock of this name for all processes that use the folder `root`.

    Raises LabError when its file cannot be written.
    """
    path = root / ".locks" / f"{name}.lock"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.open("ab").close()
    except OSError as error:
        raise LabError(cannot_write(path, error)) from error
    return FileLock(path)
