"""How a run is handed to a training process on standby: three files in the store.

A process on standby has an offer: PROCESS.json says which process it is, who started it, and which
sources and environment it has. Whoever has a run for it writes its id to PROCESS.request, and the
process agrees by creating PROCESS.answer. The other side creates the same file to withdraw when
no answer comes. A file can be created only once: so both know at once which of the two it is,
whichever of them is killed at whatever moment, and no run is lost or started twice.

Files work alike on Linux, macOS and Windows, need no port and no thread in the server, and are
found by every session of every server that uses the store. To look for one takes microseconds,
so the process looks fifty times a second.
"""

from __future__ import annotations

import hashlib
import os
import re
import socket
import sys
import sysconfig
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnist_core import paths
from mnist_core.files import (
    SMALL_FILE_LIMIT,
    is_text,
    read_checked,
    read_file,
    touch,
    write_bytes,
    write_json,
)
from mnist_core.jobs import spawn
from mnist_core.runs.process import Process
from mnist_core.runs.store import RUN_ID, RunStore

AGREED, WITHDRAWN = "agreed", "withdrawn"
SOURCES = (".py", ".h", ".json")
KINDS = (".json", ".request", ".answer", ".ready")


@dataclass(frozen=True)
class Offer:
    """A process on standby, the process that `started` it, and what it runs with."""

    process: Process
    starter: Process
    sources: str
    environment: str


@dataclass(frozen=True)
class Handover:
    """The files between a process on standby and those that have a run for it."""

    root: Path
    pid: int

    def _path(self, kind: str) -> Path:
        return folder(self.root) / f"{self.pid}{kind}"

    def offer(self) -> Offer | None:
        """None where there is none, or only a damaged one."""
        return read_checked(self._path(".json"), _parse, default=None)

    def write_offer(self, offer: Offer) -> None:
        """Raises LabError when it cannot be written."""
        write_json(self._path(".json"), asdict(offer), flush=False)

    def mark_ready(self) -> None:
        """Says that everything is imported."""
        touch(self._path(".ready"))

    @property
    def is_ready(self) -> bool:
        return self._path(".ready").exists()

    def request(self, run_id: str) -> None:
        """Raises LabError when it cannot be written."""
        write_bytes(self._path(".request"), run_id.encode(), flush=False)

    def requested(self) -> str | None:
        """The id of the run that is handed over, if there is one."""
        with suppress(OSError, ValueError):
            run_id = read_file(self._path(".request"), SMALL_FILE_LIMIT).decode()
            return run_id if RUN_ID.fullmatch(run_id) else None
        return None

    def decide(self, answer: str) -> bool:
        """Whether it is this side that decided: the first of both does."""
        with suppress(OSError), self._path(".answer").open("x", encoding="utf-8") as file:
            file.write(answer)
            return True
        return False

    @property
    def is_decided(self) -> bool:
        return self._path(".answer").exists()

    def clear(self) -> None:
        """Removes the files; on Windows one that is being read stays until the next time."""
        for kind in KINDS:
            with suppress(OSError):
                self._path(kind).unlink()


def handovers(root: Path) -> Iterator[Handover]:
    """Those of all processes on standby on this machine, with what dead ones have left."""
    for pid in sorted({path.stem for path in folder(root).glob("*.*")}):
        if pid.isdecimal():
            yield Handover(root, int(pid))


def folder(root: Path) -> Path:
    """One for each machine that shares the store."""
    return root / ".standby" / host()


def host() -> str:
    """This machine's name, as part of a file's."""
    return re.sub(r"[^\w.-]", "_", socket.gethostname())


def _parse(found: Any) -> Offer:
    found |= {name: Process.from_dict(found[name]) for name in ("process", "starter")}
    offer = Offer(**found)
    if not (is_text(offer.sources) and is_text(offer.environment)):
        raise ValueError("it is no offer")
    return offer


def sources() -> str:
    """Tells the lab's code, this Python and its packages from others."""
    digest = hashlib.sha256(f"{sys.executable} {sys.version}".encode())
    with suppress(OSError):  # pip changes the folder whenever it installs a package
        digest.update(str(os.stat(sysconfig.get_path("purelib")).st_mtime_ns).encode())
    for path, stat in _files(str(paths.PROJECT / "mnist_core")):
        digest.update(f"{path} {stat.st_mtime_ns} {stat.st_size}\n".encode())
    return digest.hexdigest()


def _files(path: str) -> Iterator[tuple[str, os.stat_result]]:
    with os.scandir(path) as entries:
        for entry in sorted(entries, key=lambda entry: entry.name):
            if entry.is_dir():
                yield from _files(entry.path)
            elif entry.name.endswith(SOURCES):
                yield entry.path, entry.stat()


def environment(store: RunStore) -> str:
    """Tells the environment that a process which is started now would have from others."""
    variables = sorted(spawn.environment(store).items())
    return hashlib.sha256(repr(variables).encode()).hexdigest()
