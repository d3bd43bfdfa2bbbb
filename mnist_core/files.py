"""Files that are old or new, never half: written beside their place, flushed, then renamed."""

import errno
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError


def write_bytes(path: Path, content: bytes, *, flush: bool = True) -> None:
    """Replaces `path` in one step. Raises LabError when the disk is full or not writable.

    With `flush` it is on the disk before it is in its place, also when the power fails.
    """
    temporary = None
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            if flush:
                file.flush()
                os.fsync(file.fileno())
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise LabError(cannot_write(path, error)) from error


def write_json(path: Path, value: Any, *, flush: bool = True) -> None:
    """`value` as readable JSON; NaN and infinity are no JSON and raise ValueError."""
    text = json.dumps(value, indent=1, allow_nan=False, ensure_ascii=False)
    write_bytes(path, (text + "\n").encode(), flush=flush)


def read_json(path: Path) -> Any:
    """Raises OSError when it cannot be read and ValueError when it is no JSON."""
    return json.loads(path.read_bytes())


def cannot_write(path: Path, error: OSError) -> str:
    """One sentence for a failed write."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full: {path} could not be written; make room and start again."
    reason = error.strerror or str(error)
    return (
        f"{path} could not be written ({reason}); make its folder writable, or point "
        "MNIST_CHECKPOINTS at one that is."
    )
