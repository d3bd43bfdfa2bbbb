"""A command of the lab in a process of its own: in the background, or for what it prints."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mnist_core import limits, paths
from mnist_core.errors import LabError
from mnist_core.files import open_new, writing
from mnist_core.runs.store import RunStore

_APART_ON_WINDOWS = 0
if sys.platform == "win32":
    _APART_ON_WINDOWS = subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS


def environment(store: RunStore) -> dict[str, str]:
    """The variables of a process that is started now."""
    return {
        **os.environ,
        "MNIST_CHECKPOINTS": str(store.root.resolve()),
        "MNIST_DATA": str(paths.data_root().resolve()),
        "MNIST_LIMITS": limits.for_another_folder(),
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
    }


def start(store: RunStore, arguments: Sequence[str], log: Path) -> subprocess.Popen[bytes]:
    """`python -m mnist_core ARGUMENTS` with this store and data; what it says goes to `log`.

    Raises LabError when the log cannot be written, or no process can be started.
    """
    with writing(log), open_new(log) as output:
        return subprocess.Popen(
            [sys.executable, "-m", "mnist_core", *arguments],
            cwd=paths.PROJECT,
            env=environment(store),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=os.name != "nt",
            creationflags=_APART_ON_WINDOWS,
        )


def complaint_of(store: RunStore, arguments: Sequence[str]) -> str | None:
    """Carries out `python -m mnist_core ARGUMENTS`; what it says when it fails, else None."""
    done = subprocess.run(
        [sys.executable, "-m", "mnist_core", *arguments],
        cwd=paths.PROJECT,
        env=environment(store),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=300,
    )
    return done.stderr if done.returncode else None


def ask(*arguments: str) -> Any:
    """What `python -m mnist_core ARGUMENTS --json` prints. Raises LabError when it fails.

    For what needs torch, in a process that stays light without it.
    """
    command = [sys.executable, "-m", "mnist_core", *arguments, "--json"]
    done = subprocess.run(command, cwd=paths.PROJECT, capture_output=True, text=True, timeout=300)
    if done.returncode:
        lines = done.stderr.strip().splitlines() or ["no reason given"]
        raise LabError(f"{arguments[0]} could not be worked out: {lines[-1]}")
    return json.loads(done.stdout)
