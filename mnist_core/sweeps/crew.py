"""The workers of one machine: processes of their own, replaced when one is killed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from mnist_core import paths
from mnist_core.errors import LabError
from mnist_core.jobs.spawn import environment
from mnist_core.runs.store import RunStore

PERIOD = 0.5  # seconds between two looks
REFUSED = 2  # a worker's exit status for what a person has to put right
MOST_DEATHS = 20  # of workers in a row, between which no trial was finished


@dataclass
class Crew:
    """`at_once` worker processes of a study.

    Each has a pipe as its stdin, which closes when this process ends in any way: the worker then
    gives its trial back and ends, too. The storage, which may hold a password, goes through the
    environment: everybody can read a command line.
    """

    store: RunStore
    storage: str
    name: str
    at_once: int
    options: tuple[str, ...] = ()
    workers: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def work(self, look: Callable[[], bool], stopping: Callable[[], bool]) -> None:
        """Until all workers have ended.

        `look` is called every now and then, and says whether trials were finished since. Raises
        LabError when a worker refuses; it has said why.
        """
        deaths = 0
        try:
            self.workers = [self._start() for _ in range(self.at_once)]
            while self.workers:
                time.sleep(PERIOD)
                deaths = 0 if look() else deaths
                ended = [worker for worker in self.workers if worker.poll() is not None]
                self.workers = [worker for worker in self.workers if worker not in ended]
                for worker in ended:
                    self._check(worker)
                    if worker.returncode and not stopping() and deaths < MOST_DEATHS:
                        deaths += 1
                        self.workers.append(self._start())
                if stopping():
                    self._close()
        finally:
            self._close()
            for worker in self.workers:
                worker.wait()

    def _start(self) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-m", "mnist_core", "sweep-worker", "--name", self.name]
        return subprocess.Popen(
            [*command, "--with-parent", *self.options],
            cwd=paths.PROJECT,
            env={**environment(self.store), "MNIST_STUDIES": self.storage},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=os.name != "nt",  # Ctrl-C is for the parent, which closes the pipe
        )

    def _check(self, worker: subprocess.Popen[bytes]) -> None:
        if worker.returncode == REFUSED:
            raise LabError("A worker ended; the reason is above.")

    def _close(self) -> None:
        for worker in self.workers:
            if worker.stdin:
                worker.stdin.close()
