"""Which process works at a run, and whether it is still there."""

import os
import socket
from dataclasses import dataclass
from typing import Self

import psutil

from mnist_core.files import is_number

HEARTBEAT_TIMEOUT = 30.0  # seconds without a sign of life after which a process counts as hung


@dataclass(frozen=True)
class Process:
    """A process that cannot be mistaken for another: a pid alone is reused."""

    pid: int
    started: float
    host: str

    def __post_init__(self) -> None:
        whole = isinstance(self.pid, int) and not isinstance(self.pid, bool) and self.pid > 0
        if not (whole and is_number(self.started) and isinstance(self.host, str)):
            raise ValueError("summary.json: process is not a pid, a time and a host")

    @classmethod
    def of(cls, pid: int) -> Self:
        """The living process with this pid. Raises psutil.NoSuchProcess."""
        return cls(pid, psutil.Process(pid).create_time(), socket.gethostname())

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
        if not self.here:
            return None
        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < 1
            return process if same and process.status() != psutil.STATUS_ZOMBIE else None
        except psutil.Error:
            return None

    def is_alive(self, heartbeat_age: float) -> bool:
        """Whether it still runs, `heartbeat_age` seconds after its last sign of life.

        That age is all that is known of a process on another host that shares the store.
        """
        return self.find() is not None if self.here else heartbeat_age < HEARTBEAT_TIMEOUT
