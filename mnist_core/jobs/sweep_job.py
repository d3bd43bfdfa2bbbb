"""A sweep in a process of its own. What it finds is in its study's table (see sweeps.table).

The processes of a sweep train by themselves, without the queue: it is the machine's work for as
long as it runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError
from mnist_core.files import SMALL_FILE_LIMIT, read_checked, read_file, write_json
from mnist_core.jobs import spawn
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore

COMPLAINT = re.compile(r"mnist_core sweep[a-z-]*: (?P<words>.+)")


def folder(store: RunStore, name: str) -> Path:
    """Where the processes of a study work in this store; the name is one of sweeps.plan.NAME."""
    return store.root / ".sweeps" / name


def _job_path(store: RunStore, name: str) -> Path:
    return folder(store, name) / "job.json"


def log_path(store: RunStore, name: str) -> Path:
    return folder(store, name) / "log.txt"


def is_known(store: RunStore, name: str) -> bool:
    """Whether this store has searched the study, and so can go on with it."""
    return _job_path(store, name).exists()


def known_names(store: RunStore) -> list[str]:
    return sorted(path.parent.name for path in store.root.glob(".sweeps/*/job.json"))


def process_of(store: RunStore, name: str) -> Process | None:
    """The process that carries out the sweep now, if there is one."""

    def check(found: Any) -> Process | None:
        kept = found["process"]
        return Process.from_dict(kept) if kept is not None else None

    process = read_checked(_job_path(store, name), check, default=None)
    return process if process and process.find() else None


def _register(store: RunStore, name: str, process: Process | None) -> None:
    kept = process and asdict(process)
    write_json(_job_path(store, name), {"process": kept}, flush=False)


@contextmanager
def registered(store: RunStore, name: str) -> Iterator[None]:
    """This process carries out the sweep: pages see that it is in progress."""
    _register(store, name, Process.of(os.getpid()))
    try:
        yield
    finally:
        _register(store, name, None)


def start(store: RunStore, name: str, arguments: Sequence[str]) -> None:
    """Begins, or goes on, in a process that outlives this one; nothing if there is one already.

    `arguments` are those of the command `sweep`. Raises LabError when it cannot be started.
    """
    if process_of(store, name):
        return
    folder(store, name).mkdir(parents=True, exist_ok=True)
    process = spawn.start(store, ["sweep", *arguments], log_path(store, name))
    _register(store, name, Process.of(process.pid))


def pause(store: RunStore, name: str) -> None:
    """Asks it to end: its workers give back the trials under way, which lose nothing."""
    process = process_of(store, name)
    if process and (found := process.find()):
        found.terminate()


def delete(store: RunStore, name: str) -> None:
    """Deletes the study for good. Raises LabError with the reason why it cannot be.

    Takes seconds, in a process that loads Optuna.
    """
    said = spawn.complaint_of(store, ["sweep-delete", "--name", name])
    if said is not None:
        found = COMPLAINT.search(said)
        raise LabError(found["words"] if found else f"{name} could not be deleted.")


def why_it_failed(store: RunStore, name: str) -> str:
    """What the last process said last, if it ended with an error."""
    return complaint_in(log_path(store, name))


def complaint_in(log: Path) -> str:
    """The error with which a command of sweeps, or one of its workers, has ended."""
    with suppress(OSError, ValueError):
        for line in read_file(log, SMALL_FILE_LIMIT).decode().strip().splitlines():
            if found := COMPLAINT.search(line):
                return found["words"]
    return ""
