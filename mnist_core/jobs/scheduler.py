"""One process for all runs that wait: it begins the first one, and the others cost nothing.

There is one at most for each store and machine, while any run waits behind the first. A run that
waits for it names it in its summary: so a run is known to be interrupted when the scheduler is
killed, and the next one, which whoever starts or ends a run calls for, takes over its runs.
"""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

from filelock import FileLock, Timeout

from mnist_core.errors import LabError
from mnist_core.files import read_checked, remove, write_json
from mnist_core.jobs import queue, spawn
from mnist_core.jobs.handover import host
from mnist_core.locks import named_lock
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

ROLE = "scheduler"  # of its Process
PERIOD = 0.5  # seconds between two looks at the first of the queue
BEAT = 10.0  # seconds between two signs of life of the runs that wait
ASKED = 2.0  # seconds between two looks at what another machine asks of runs that wait
LINGER = 2.0  # seconds for which it stays when nothing waits any more

Begin = Callable[[RunStore, str], subprocess.Popen[bytes] | None]


@contextmanager
def joining(store: RunStore) -> Iterator[Process]:
    """The living scheduler, which does not end before a run that waits for it is in the queue.

    Raises LabError when there is none and none can be started.
    """
    try:
        with _lock(store).acquire(timeout=5):
            yield running(store) or _start(store)
    except Timeout:
        raise LabError("The queue is busy; try again.") from None


def revive(store: RunStore) -> None:
    """Starts a scheduler when runs wait for one that was killed. Never raises."""
    with suppress(LabError, OSError):
        if running(store) is None and any(_is_left(run) for run in queue.runs(store)):
            with joining(store):
                pass


def _lock(store: RunStore) -> FileLock:
    return named_lock(store.root, f"scheduler-{host()}")


def _path(store: RunStore) -> Path:
    return store.root / f".scheduler-{host()}.json"


def running(store: RunStore) -> Process | None:
    """The scheduler of this machine, if there is one."""
    known = read_checked(_path(store), Process.from_dict, default=None)
    return known if known and known.lives else None


def _start(store: RunStore) -> Process:
    started = spawn.start(store, ["schedule"], store.root / ".scheduler.log")
    process = Process.of(started.pid, ROLE)
    try:
        write_json(_path(store), asdict(process))
    except LabError:
        started.kill()
        raise
    return process


def _is_left(run: Run) -> bool:
    """Whether it waits, on this machine, for a scheduler that is gone."""
    process = run.summary.process
    if process is None or run.summary.state != RunState.QUEUED:
        return False
    return process.role == ROLE and process.here and not process.lives


def schedule(store: RunStore, begin: Begin) -> None:
    """What the process does, until nothing waits. `begin` has a process train a run."""
    Scheduler(store, begin, Process.of(os.getpid(), ROLE)).work()


@dataclass
class Scheduler:
    """The runs that wait for this process, by `begin` in the order of the queue."""

    store: RunStore
    begin: Begin
    process: Process
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)
    waiting: dict[str, int] = field(default_factory=dict)  # by id: how many wait before it
    tickets: list[str] | None = None  # as seen at the last look
    told: dict[str, int] = field(default_factory=dict)  # what their progress files say of it
    next_beat: float = 0.0  # of time.monotonic
    next_asked: float = 0.0

    def work(self) -> None:
        with _lock(self.store):  # whoever started this process writes down that it is there
            pass
        busy_until = time.monotonic() + LINGER
        while self._is_wanted():
            self._look()
            now = time.monotonic()
            if self.waiting:
                busy_until = now + LINGER
            elif now > busy_until and self._ends():
                return
            time.sleep(PERIOD)

    def _is_wanted(self) -> bool:
        """Whether the store still names this process: it was not deleted, or taken over."""
        return running(self.store) == self.process

    def _ends(self) -> bool:
        """Ends, unless a run has joined in this moment."""
        with suppress(Timeout), _lock(self.store).acquire(timeout=0):
            self.tickets = None
            self._look()
            if not self.waiting:
                remove(_path(self.store))
                return True
        return False

    def _look(self) -> None:
        """One look: what has changed, what is asked of a run that waits, and who is next."""
        self.children = [child for child in self.children if child.poll() is None]
        tickets, now = queue.ids(self.store), time.monotonic()
        if tickets != self.tickets or now >= self.next_beat:
            self.tickets, self.next_beat = tickets, now + BEAT
            self._take_over()
            self._tell()
        if now >= self.next_asked:
            self.next_asked = now + ASKED
            for run_id in self.waiting:
                self._heed(run_id)
        first = queue.first(self.store)
        if first and first.summary.process == self.process:
            self.tickets = None
            if child := self.begin(self.store, first.id):
                self.children.append(child)

    def _take_over(self) -> None:
        """Which runs wait for this process; those of one that is gone do now, too."""
        for run in filter(_is_left, queue.runs(self.store)):
            with suppress(Timeout, LabError), self.store.lock(run.id).acquire(timeout=0.1):
                run.folder.write_summary(replace(run.summary, process=self.process))
        line = [run for run in queue.runs(self.store) if queue.waits(run)]
        mine = [run.summary.process == self.process for run in line]
        self.waiting = {line[place].id: place for place, own in enumerate(mine) if own}

    def _tell(self) -> None:
        """A sign of life of each, and how many are ahead of it."""
        for run_id, ahead in self.waiting.items():
            folder = self.store.folder(run_id)
            if self.told.get(run_id) == ahead and folder.progress_file.exists():
                folder.beat()
                continue
            with suppress(LabError):
                folder.write_progress({"phase": "waiting", "ahead": ahead})
        self.told = self.waiting

    def _heed(self, run_id: str) -> None:
        """Takes a run out that was asked, perhaps on another machine, to pause or to stop."""
        folder = self.store.folder(run_id)
        what = folder.requested()
        if not what:
            return
        state = RunState.PAUSED if what == "pause" else RunState.STOPPED
        with suppress(LabError, Timeout), self.store.lock(run_id).acquire(timeout=0):
            run = self.store.get(run_id)
            if run.summary.process == self.process:
                folder.write_summary(replace(run.summary, state=state, process=None))
                folder.clear_progress()
                folder.request(None)
                queue.leave(self.store, run_id)
