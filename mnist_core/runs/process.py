"""Which process works at a run, and whether it is still there."""

import functools
import os
import socket
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Self

import psutil

from mnist_core.files import is_number

HEARTBEAT_TIMEOUT = 30.0  # seconds without a sign of life after which a process counts as hung
BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for another: a pid alone is reused.

    `started` are seconds from the boot of the machine that `boot` names, which no change of the
    clock moves; where the system tells no boots apart, and in older records, `boot` is "" and they
    are seconds since 1970. `role` is "scheduler" for one that has runs wait, and does not train.
    """

    pid: int
    started: float
    host: str
    boot: str = ""
    role: str = ""

    def __post_init__(self) -> None:
        whole = isinstance(self.pid, int) and not isinstance(self.pid, bool) and self.pid > 0
        words = all(isinstance(word, str) for word in (self.host, self.boot, self.role))
        if not (whole and is_number(self.started) and words):
            raise ValueError("summary.json: process is not a pid, a time and a host")

    @classmethod
    def of(cls, pid: int, role: str = "") -> Self:
        """The living process with this pid. Raises psutil.NoSuchProcess."""
        boot, started = _start(psutil.Process(pid))
        return cls(pid, started, socket.gethostname(), boot, role)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From JSON's dictionary; what a newer version added is left out.

        Raises ValueError, TypeError or AttributeError for anything else.
        """
        known = {f.name for f in fields(cls)}
        return cls(**{name: value for name, value in values.items() if name in known})

    @property
    def here(self) -> bool:
        """Whether it is a process of this machine, which can be found and ended."""
        return self.host == socket.gethostname()

    @property
    def is_current(self) -> bool:
        """Whether it is the process that asks."""
        return self.here and self.pid == os.getpid()

    def find(self) -> psutil.Process | None:
        """The living process, or None. On another host nothing can be told: None."""
        with suppress(psutil.Error):
            return psutil.Process(self.pid) if self.lives else None
        return None

    @property
    def lives(self) -> bool:
        """Whether `find` finds it, in a tenth of the time."""
        return self._status() is not None

    @property
    def is_halted(self) -> bool:
        """Whether it lives but does nothing, because of a signal such as SIGSTOP."""
        return self._status() == psutil.STATUS_STOPPED

    def _status(self) -> str | None:
        """What psutil calls the living process's status; None when it is gone, or elsewhere.

        It is this process only if it started when this one did: a pid is used again.
        """
        if not self.here:
            return None
        if self.boot:
            status, started = _stat(self.pid) if self.boot == this_boot() else (None, 0.0)
            return status if started == self.started else None
        with suppress(psutil.Error):
            process = psutil.Process(self.pid)
            status = process.status()
            same = abs(process.create_time() - self.started) < 1
            return status if same and status != psutil.STATUS_ZOMBIE else None
        return None

    def is_alive(self, heartbeat_age: float) -> bool:
        """Whether it still runs, `heartbeat_age` seconds after its last sign of life.

        That age is all that is known of a process on another host that shares the store.
        """
        return self.lives if self.here else heartbeat_age < HEARTBEAT_TIMEOUT


def _start(process: psutil.Process) -> tuple[str, float]:
    """The boot and the seconds since it at which the process started; see Process."""
    boot, (_, started) = this_boot(), _stat(process.pid)
    return (boot, started) if boot and started else ("", process.create_time())


def _stat(pid: int) -> tuple[str | None, float]:
    """The process's status and its start, in seconds since the boot; None when it has ended.

    From Linux's own file (see proc(5)): a store with a hundred runs in progress asks it often.
    """
    with suppress(OSError, ValueError, IndexError):
        with open(f"/proc/{pid}/stat", "rb") as file:
            fields = file.read().rpartition(b")")[2].split()
        known = {b"T": psutil.STATUS_STOPPED, b"Z": None, b"X": None}  # Z and X have ended
        started = int(fields[19]) / os.sysconf("SC_CLK_TCK")
        return known.get(fields[0], psutil.STATUS_RUNNING), started
    return None, 0.0


@functools.cache
def this_boot() -> str:
    """Tells this boot of the machine from others; "" where the system does not say."""
    with suppress(OSError, UnicodeDecodeError):
        return BOOT_ID.read_text("ascii").strip()
    return ""


def uptime() -> float:
    """Seconds since the boot, which no change of the clock moves, with those asleep."""
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
