"""Trains what a visitor looks at, without being asked: "train as I move".

A setting that was never trained begins by itself when it has been looked at for a moment and is
estimated at MOST seconds or less. Once the visitor looks at another setting, the run is paused: if
an epoch was done it stays and goes on when the visitor comes back, else it is removed, as it would
show nothing. There is one such run at a time for a visitor. A run that a person has asked for,
paused or stopped is left alone.
"""

import shutil
import time
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum

from filelock import Timeout

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.errors import LabError
from mnist_core.jobs import automatic, launcher, standby
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from mnist_core.training import cost

MOST = 10.0  # seconds that a run may take which begins by itself
REST = 0.5  # seconds for which a setting is looked at before its run begins
# Seconds for which it then waits for a process on standby to be ready: no run begins sooner
# without it, and a visitor who moves on before that wastes nothing.
PATIENCE = 20.0

Begin = Callable[[], Run]


class Moment(Enum):
    """What happens at the setting that is looked at."""

    TRAINED = "its run is finished"
    TRAINING = "its run is in progress"
    STARTED = "its run has just begun"
    RESTING = "its run is about to begin"
    LEAVING = "another run still has to end"
    UNKNOWN = "it is not known yet how long it takes"
    TOO_LONG = "it takes too long to begin by itself"
    NOT_ASKED = "a person has to ask for it"

    @property
    def passes(self) -> bool:
        """Whether something else comes of it without a move of the visitor."""
        return self in (Moment.TRAINING, Moment.RESTING, Moment.LEAVING, Moment.UNKNOWN)


@dataclass
class Follower:
    """One visitor: what is looked at since when, and the runs that are being left."""

    visitor: str = field(default_factory=lambda: uuid.uuid4().hex)
    run_id: str = ""
    since: float = 0.0  # of time.monotonic
    leaving: set[str] = field(default_factory=set)

    def look(
        self,
        store: RunStore,
        config: RunConfig,
        launch: Callable[[Begin], Run] = lambda begin: begin(),
        may_adopt: Callable[[Run], bool] = lambda _: True,
    ) -> Moment:
        """Does what is to be done now that the visitor looks at this setting.

        To be called again as long as the moment passes. `launch` is given the function that begins
        the run and may refuse to call it; the run that was left has ended all the same. A run in
        progress of another visitor is taken on where `may_adopt` allows it. Raises LabError.
        """
        now = time.monotonic()
        if config.id != self.run_id:
            self.run_id, self.since = config.id, now
        if self._leave(store):
            return Moment.LEAVING
        run = store.find(config)
        if run and run.finished:
            return Moment.TRAINED
        if run and run.state in LIVE:
            if may_adopt(run):
                automatic.adopt(store, run.id, self.visitor)
            return Moment.TRAINING
        if against := _against(store, config, run):
            return against
        looked = now - self.since
        if looked < REST or (looked < PATIENCE and standby.is_preparing(store)):
            return Moment.RESTING
        automatic.sweep(store)
        launch(lambda: launcher.start(store, config, automatic_for=self.visitor))
        return Moment.STARTED

    def stop_following(self, store: RunStore) -> None:
        """The visitor does not want it any more: a run that has begun is like any other."""
        for run_id in automatic.marked_for(store, self.visitor):
            automatic.unmark(store, run_id)

    def _leave(self, store: RunStore) -> bool:
        """Ends what is no longer looked at; whether that takes longer."""
        for run_id in automatic.marked_for(store, self.visitor):
            if run_id != self.run_id:
                self._let_go(store, run_id)
        for run_id in [*self.leaving]:
            if not _is_live(store, run_id):
                self.leaving.remove(run_id)
                if run_id != self.run_id:
                    _remove_if_empty(store, run_id)
        return bool(self.leaving)

    def _let_go(self, store: RunStore, run_id: str) -> None:
        if not _is_live(store, run_id):  # it has come to its end, or a person has ended it
            automatic.unmark(store, run_id)
        elif automatic.let_go(store, run_id, self.visitor):
            self.leaving.add(run_id)
            launcher.pause(store, run_id)


def _against(store: RunStore, config: RunConfig, run: Run | None) -> Moment | None:
    """What speaks against training the setting now."""
    if run and not automatic.is_left(store, run.id):
        return Moment.NOT_ASKED
    if missing_files(config.dataset, data_root()):
        return Moment.NOT_ASKED
    known = cost.load_similar(store, config)
    if known is None:
        return Moment.UNKNOWN
    return Moment.TOO_LONG if known.run(config, standby=True) > MOST else None


def _is_live(store: RunStore, run_id: str) -> bool:
    with suppress(LabError):
        return store.get(run_id).state in LIVE
    return False


def _remove_if_empty(store: RunStore, run_id: str) -> None:
    """Removes a run that began by itself and has no epoch."""
    with suppress(LabError, Timeout, OSError), store.lock(run_id).acquire(timeout=0.5):
        run = store.get(run_id)
        empty = run.state not in LIVE and run.summary.epochs_done == 0
        if empty and automatic.is_left(store, run_id):
            shutil.rmtree(run.path)
            automatic.unmark(store, run_id)
