"""Who works at a trial, and what becomes of one whose worker is gone.

Optuna's heartbeat needs a database and its own loop; this one works with every storage. A worker
writes its process into the trial and, while it trains, a counter that it raises every BEAT seconds.
A trial whose process is gone from this machine, or whose counter has stood still for STALE seconds
by the watch of who looks, goes back to the queue under its own number: none is lost, and as a trial
can be finished only once, none counts twice.
"""

from __future__ import annotations

import os
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from mnist_core.errors import LabError
from mnist_core.jobs.heartbeat import alongside
from mnist_core.runs.process import Process
from mnist_core.sweeps.study import Study

BEAT = 10.0  # seconds
STALE = 45.0  # seconds
LOOK = 5.0  # seconds between two looks at the end of an epoch
WORKER = "worker"  # on a trial: whose it is


@dataclass
class Claim:
    """This process's hold on a trial, for as long as it trains."""

    study: Study
    trial_id: int
    token: str = field(default_factory=lambda: uuid.uuid4().hex)
    lost: bool = False  # the trial was given to another worker, or is finished
    paused: bool = False  # somebody asked all workers to pause
    looked: float = field(default_factory=time.monotonic)
    reported: set[int] = field(default_factory=set)  # steps of which the study knows the value
    signs: int = 0  # of life that this process has given

    def take(self) -> None:
        """Writes down whose the trial is; not needed for one that was made with `mark`."""
        self._storage.set_trial_user_attr(self.trial_id, WORKER, mark(self.token))

    def report(self, trial: optuna.Trial, accuracy: float, step: int) -> None:
        """Tells the study a value, unless it knows it, as of a trial that is tried again."""
        if step not in self.reported:
            self.reported.add(step)
            self.signs += 1
            trial.report(accuracy, step)

    @property
    def _storage(self) -> BaseStorage:
        return self.study.storage

    def look(self) -> None:
        """Finds out whether the trial is still this process's, and whether to go on."""
        self.looked = time.monotonic()
        trial = self._storage.get_trial(self.trial_id)
        owner = trial.user_attrs.get(WORKER) or {}
        mine = owner.get("token") == self.token
        self.lost = self.lost or trial.state != TrialState.RUNNING or not mine

    def give_back(self) -> None:
        """Puts the trial back into the queue, unless it is another worker's by now."""
        self.look()
        if not self.lost:
            requeue(self._storage, self.trial_id)

    def look_if_due(self) -> None:
        """As `look`, where the last one is some time ago: an epoch may be very short."""
        if time.monotonic() - self.looked > LOOK:
            self.look()

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Gives signs of life, and looks, from a thread of its own."""
        with alongside(self._beat):
            yield

    def _beat(self, over: threading.Event) -> None:
        given = self.signs
        while not over.wait(BEAT):
            try:
                self.paused = self.study.requested == "pause"
                self.look_if_due()
                if self.lost:
                    return
                if self.signs == given:  # what is reported is a sign of life, too
                    self.signs += 1
                    beat = f"{self.token[:8]}-{self.signs}"
                    self._storage.set_trial_user_attr(self.trial_id, "beat", beat)
                given = self.signs
            except (UpdateFinishedTrialError, KeyError):
                self.lost = True
                return
            except LabError:  # the main thread meets the same and says so
                return


def mark(token: str) -> dict[str, Any]:
    """This process, as a trial bears it; `token` tells its claim from others."""
    return {"process": asdict(Process.of(os.getpid())), "token": token}


def requeue(storage: BaseStorage, trial_id: int) -> None:
    try:
        storage.set_trial_state_values(trial_id, TrialState.WAITING)
    except UpdateFinishedTrialError:
        return  # its worker finished it just now


@dataclass
class Watch:
    """Sees which trials nobody works at any more."""

    study: Study
    seen: dict[int, tuple[Any, float]] = field(default_factory=dict)

    def requeue_stale(self, trials: list[FrozenTrial]) -> int:
        """Puts them back into the queue; returns how many."""
        running = [trial for trial in trials if trial.state == TrialState.RUNNING]
        self.seen = {t._trial_id: self.seen.get(t._trial_id, ("", 0.0)) for t in running}
        stale = [trial for trial in running if self._is_stale(trial)]
        for trial in stale:
            # what is known may be old: another worker may have it by now
            now = self.study.storage.get_trial(trial._trial_id)
            if now.state == TrialState.RUNNING and _sign(now) == _sign(trial):
                requeue(self.study.storage, trial._trial_id)
                self.seen.pop(trial._trial_id)
        return len(stale)

    def _is_stale(self, trial: FrozenTrial) -> bool:
        sign, since = self.seen[trial._trial_id]
        if sign != _sign(trial):
            self.seen[trial._trial_id] = _sign(trial), time.monotonic()
            since = time.monotonic()
        return _is_gone(trial) or time.monotonic() - since > STALE


def _sign(trial: FrozenTrial) -> Any:
    """What changes as long as somebody works at the trial."""
    attributes = trial.user_attrs
    return attributes.get(WORKER), attributes.get("beat"), len(trial.intermediate_values)


def _is_gone(trial: FrozenTrial) -> bool:
    """Whether its worker is known to have ended: it was of this machine, since this boot."""
    try:
        process = Process.from_dict(trial.user_attrs[WORKER]["process"])
    except (KeyError, TypeError, ValueError, AttributeError):
        return False
    same_boot = process.boot == Process.of(os.getpid()).boot
    return process.here and same_boot and not process.lives
