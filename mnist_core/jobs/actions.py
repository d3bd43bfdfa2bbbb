"""Everything that a visitor of the pages can change, checked in one place.

A page hides or greys out what is not allowed; what counts is this module. It refuses in a
read-only lab, beyond the limits (see mnist_core.limits), and what somebody else has begun.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from filelock import Timeout

from mnist_core.config import RunConfig
from mnist_core.data.handwriting import Handwriting
from mnist_core.errors import LabError
from mnist_core.formatting import counted
from mnist_core.jobs import automatic, launcher, robustness_job, visitors
from mnist_core.jobs.follow import Follower, Moment
from mnist_core.limits import check_disk, limits, read_only
from mnist_core.locks import named_lock
from mnist_core.models.stats import stats_of
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RESUMABLE
from mnist_core.runs.store import AUTOMATIC, RunStore

READ_ONLY = "This lab is for looking and drawing: nothing can be started, changed or removed in it."
BUSY = "Others are starting runs at the moment; try again."
PATIENCE = 10.0  # seconds that one launch waits for others


@dataclass(frozen=True)
class Visitor:
    """Who asks. A trusted one sits at the machine itself, or administers the lab."""

    key: str = visitors.LOCAL
    trusted: bool = True


@dataclass(frozen=True)
class Actions:
    """What this visitor does in this store. Every method raises LabError where it is refused."""

    store: RunStore
    visitor: Visitor = Visitor()

    def may_control(self, run: Run | None) -> bool:
        """Whether the visitor may pause, stop, go on with or delete the run."""
        if self.visitor.trusted or run is None:
            return True
        mine = visitors.owner(self.store, run.id) == self.visitor.key
        return mine or automatic.is_left(self.store, run.id)

    def start(self, config: RunConfig) -> Run:
        """Trains a new run, or goes on with one."""
        with self._launch(config):
            return launcher.start(self.store, config)

    def extend(self, run_id: str, epochs: Any) -> Run:
        """Trains a finished run on, to `epochs` in all."""
        with self._launch(self.store.get(run_id).config.replace(epochs=epochs)):
            return launcher.extend(self.store, run_id, epochs)

    def follow(self, follower: Follower, config: RunConfig) -> Moment:
        """Trains what is looked at by itself (see jobs.follow)."""
        check_not_read_only()
        run = self.store.find(config)
        if run and (run.finished or run.state in LIVE):
            return follower.look(self.store, config)
        self.check_launch(config)
        moment = follower.look(self.store, config)
        if moment is Moment.STARTED:
            self._note_launch(config)
        return moment

    def pause(self, run_id: str) -> Run:
        self._check_control(run_id)
        return launcher.pause(self.store, run_id)

    def stop(self, run_id: str) -> Run:
        self._check_control(run_id)
        return launcher.stop(self.store, run_id)

    def take_over(self, run_id: str) -> Run:
        """Ends a process that hangs, and trains the run on."""
        self._check_control(run_id)
        return launcher.take_over(self.store, run_id)

    def set_at_once(self, number: int) -> None:
        """How many runs train at the same time."""
        self._check_trusted("Only an administrator sets how many runs train at the same time.")
        most = limits().training
        if most is not None and (number > most or number == AUTOMATIC):
            raise LabError(f"At most {counted(most, 'run')} may train at the same time here.")
        self.store.set_at_once(number)

    def compute_robustness(self, ids: Sequence[str]) -> None:
        check_not_read_only()
        check_disk(self.store.root, limits())
        self._check_hour("launches", limits().launches_per_hour, "start")
        visitors.note(self.store, self.visitor.key, "launches")
        robustness_job.start(self.store, ids)

    def stop_robustness(self) -> None:
        self._check_trusted("Only an administrator stops this computation, which serves all.")
        robustness_job.stop(self.store)

    def check_upload(self) -> None:
        """To be called for each file that is given; reading a picture changes nothing else."""
        if not read_only():
            self._check_hour("uploads", limits().uploads_per_hour, "upload")
            visitors.note(self.store, self.visitor.key, "uploads")

    def save_drawing(self, drawings: Handwriting, picture: np.ndarray, label: int) -> None:
        check_not_read_only()
        self._check_kept(drawings, 1)
        sample = drawings.add(picture, label)
        self._own(_thing(drawings, sample.file))

    def may_remove(self, drawings: Handwriting, file: str) -> bool:
        """Whether this is the visitor's own drawing."""
        owner = visitors.owner(self.store, _thing(drawings, file))
        return self.visitor.trusted or owner == self.visitor.key

    def remove_drawings(self, drawings: Handwriting, files: Sequence[str]) -> None:
        check_not_read_only()
        if not all(self.may_remove(drawings, file) for file in files):
            raise LabError("Somebody else saved this drawing, who can remove it.")
        for file in files:
            drawings.remove(file)
            visitors.disown(self.store, _thing(drawings, file))

    def import_drawings(self, drawings: Handwriting, content: bytes) -> int:
        """Adds the drawings of a zip; returns how many are new."""
        check_not_read_only()
        self.check_upload()
        before = {sample.file for sample in drawings.samples()}
        new = drawings.from_zip(content, room=self._room(drawings))
        for sample in drawings.samples() if new else []:
            if sample.file not in before:
                self._own(_thing(drawings, sample.file))
        return new

    @contextmanager
    def _launch(self, config: RunConfig) -> Iterator[None]:
        """One launch at a time in a store, so that limits hold for those who come at once."""
        check_not_read_only()
        try:
            holding = named_lock(self.store.root, "launches").acquire(timeout=PATIENCE)
        except Timeout:
            raise LabError(BUSY) from None
        with holding:
            run = self.store.find_folder(config)
            if run is None or not (run.finished or run.state in LIVE):
                self.check_launch(config)
                self._note_launch(config)
            yield

    def check_launch(self, config: RunConfig) -> None:
        """Raises LabError where this visitor may not train this config now."""
        check_not_read_only()
        run, allowed = self.store.find_folder(config), limits()
        if run and run.state in RESUMABLE and not self.may_control(run):
            raise LabError("Somebody else started this run, who can go on with it.")
        if allowed.epochs is not None and config.epochs > allowed.epochs:
            raise LabError(f"A run may have {counted(allowed.epochs, 'epoch')} at most here.")
        parameters = stats_of(config.model, config.dataset).get("parameters") or 0
        if allowed.parameters is not None and parameters > allowed.parameters:
            raise LabError(
                f"This network has {parameters:,} parameters; {allowed.parameters:,} are allowed."
            )
        if allowed.waiting is not None:
            live = sum(each.state in LIVE for each in self.store.list()[0])
            if live >= allowed.waiting:
                raise LabError(
                    f"{counted(live, 'run')} train or wait already, which is the most; try later."
                )
        check_disk(self.store.root, allowed)
        self._check_hour("launches", allowed.launches_per_hour, "start")

    def _check_hour(self, what: str, most: int | None, verb: str) -> None:
        if most is None:
            return
        if visitors.done_lately(self.store, self.visitor.key, what) >= most:
            raise LabError(f"You may {verb} {most:,} in an hour here; try again later.")

    def _note_launch(self, config: RunConfig) -> None:
        visitors.note(self.store, self.visitor.key, "launches")
        self._own(config.id)

    def _own(self, thing: str) -> None:
        if self.visitor.key != visitors.LOCAL:
            visitors.own(self.store, thing, self.visitor.key)

    def _check_control(self, run_id: str) -> None:
        check_not_read_only()
        if not self.may_control(self.store.get(run_id)):
            raise LabError("Somebody else started this run, who can pause and stop it.")

    def _check_trusted(self, otherwise: str) -> None:
        check_not_read_only()
        if not self.visitor.trusted:
            raise LabError(otherwise)

    def _room(self, drawings: Handwriting) -> int | None:
        """How many more drawings the visitor may keep; None for any number."""
        most = limits().drawings
        if most is None or self.visitor.trusted:
            return None
        own = (visitors.owner(self.store, _thing(drawings, s.file)) for s in drawings.samples())
        return max(0, most - sum(key == self.visitor.key for key in own))

    def _check_kept(self, drawings: Handwriting, more: int) -> None:
        room = self._room(drawings)
        if room is not None and more > room:
            raise LabError(f"You may keep {counted(limits().drawings or 0, 'drawing')} here.")


def check_not_read_only() -> None:
    if read_only():
        raise LabError(READ_ONLY)


def _thing(drawings: Handwriting, file: str) -> str:
    """Under which name a drawing's owner is kept."""
    return f"{drawings.dataset}-{file}"
