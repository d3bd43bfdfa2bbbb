"""Everything that a visitor of the pages can change, checked in one place.

A page hides or greys out what is not allowed; what counts is this module. It refuses in a
read-only lab, beyond the limits, and what somebody else has begun (see jobs.permissions).
"""

from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.data import drawing_sets
from mnist_core.data.drawing_sets import DrawingSet
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import TuningSet
from mnist_core.errors import LabError
from mnist_core.formatting import counted
from mnist_core.jobs import automatic, fine_tune, launcher, robustness_job, sweep_job, visitors
from mnist_core.jobs.follow import Follower, Moment
from mnist_core.jobs.permissions import Permissions
from mnist_core.limits import check_disk, limits
from mnist_core.locks import held, named_lock
from mnist_core.runs import trash
from mnist_core.runs.about import About, write_about
from mnist_core.runs.owners import forget_owner
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import AUTOMATIC

BUSY = "Others are starting runs at the moment; try again."
SEARCHES = (
    "Only an administrator can start, end and delete searches: they keep the whole machine busy."
)
PATIENCE = 10.0  # seconds that one launch waits for others


@dataclass(frozen=True)
class Actions(Permissions):
    """What this visitor does in this store. Every method raises LabError where it is refused."""

    def start(self, config: RunConfig) -> Run:
        """Trains a new run, or goes on with one."""
        return self._launch(config, lambda: launcher.start(self.store, config))

    def extend(self, run_id: str, epochs: Any) -> Run:
        """Trains a finished run on, to `epochs` in all."""
        longer = self.store.get(run_id).config.replace(epochs=epochs)
        return self._launch(longer, lambda: launcher.extend(self.store, run_id, epochs))

    def fine_tune(self, parent: Run, drawings: TuningSet, part: str) -> Run:
        """Has the parent's network learn these drawings, as a new run (see fine_tune.plan_next)."""
        self.check_may_change()
        config = fine_tune.plan_next(self.store, parent, drawings, part)

        def begin() -> Run:
            fine_tune.prepare(self.store, parent, config, drawings)
            return launcher.start(self.store, config)

        return self._launch(config, begin)

    def follow(self, follower: Follower, config: RunConfig) -> Moment:
        """Trains what is looked at by itself (see jobs.follow)."""
        self.check_may_change()
        return follower.look(
            self.store,
            config,
            launch=lambda begin: self._launch(config, begin),
            may_adopt=self.may_control,
        )

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

    def annotate(self, run_id: str, said: About) -> None:
        """Gives the run a label, a note and tags; archives it, or takes it out again."""
        self._check_control(run_id)
        write_about(self.store.get(run_id), said)

    def delete(self, run_id: str) -> None:
        """Deletes the run; `restore` brings it back for a while."""
        self._check_control(run_id)
        trash.delete(self.store, run_id)

    def restore(self, run_id: str) -> Run:
        self.check_may_change()
        self._check_owner(run_id)
        return trash.restore(self.store, run_id)

    def empty(self, run_id: str) -> None:
        """Deletes for good what this visitor has deleted."""
        self.check_may_change()
        self._check_owner(run_id)
        trash.empty(self.store, run_id)
        if not self.store.folder(run_id).path.exists():
            forget_owner(self.store.root, run_id)

    def set_at_once(self, number: int) -> None:
        """How many runs train at the same time."""
        self.check_trusted("Only an administrator can set how many runs train at the same time.")
        most = limits().training
        if most is not None and (number > most or number == AUTOMATIC):
            raise LabError(f"At most {counted(most, 'run')} may train at the same time here.")
        self.store.set_at_once(number)

    def compute_robustness(self, ids: Sequence[str]) -> None:
        self.check_may_change()
        with self._one_launch_at_a_time():
            check_disk(self.store.root, limits())
            self.check_hour("launches", limits().launches_per_hour, "start")
            robustness_job.start(self.store, ids)
            visitors.note(self.store, self.visitor.key, "launches")

    def stop_robustness(self) -> None:
        self.check_trusted("Only an administrator can stop this computation: everyone shares it.")
        robustness_job.stop(self.store)

    def search(self, name: str, arguments: Sequence[str], example: RunConfig) -> None:
        """Begins a sweep, or goes on with it; `example` is one of its configs."""
        self.check_trusted(SEARCHES)
        with self._one_launch_at_a_time():
            self.check_launch(example)
            sweep_job.start(self.store, name, arguments)
            visitors.note(self.store, self.visitor.key, "launches")

    def pause_search(self, name: str) -> None:
        self.check_trusted(SEARCHES)
        sweep_job.pause(self.store, name)

    def delete_search(self, name: str) -> None:
        """Deletes a study for good; its best runs stay (see sweeps.deleting)."""
        self.check_trusted(SEARCHES)
        sweep_job.delete(self.store, name)

    def check_upload(self) -> None:
        """To be called for each file that is given; reading a picture changes nothing else."""
        most = limits().uploads_per_hour
        if not visitors.note(self.store, self.visitor.key, "uploads", most):
            self.check_hour("uploads", most, "upload")

    def save_drawing(
        self, drawings: Handwriting, picture: np.ndarray, label: int, author: str = ""
    ) -> None:
        self.check_may_change()
        self.check_kept(1)
        drawings.add(picture, label, author, self._owner())

    def remove_drawings(self, drawings: Handwriting, files: Sequence[str]) -> None:
        self.check_may_change()
        samples = [sample for sample in drawings.samples() if sample.file in files]
        if len(self.removable(drawings, samples)) < len(samples):
            raise LabError(
                "Only the person who saved this drawing, who began its set, or an administrator "
                "can remove it."
            )
        for sample in samples:
            drawings.remove(sample.file)
            forget_owner(self.store.root, f"{drawings.dataset}-{sample.file}")

    def import_drawings(self, drawings: Handwriting, content: bytes) -> int:
        """Adds the drawings of a zip; returns how many are new."""
        self.check_may_change()
        self.check_upload()
        return len(drawings.from_zip(content, self.room(), self._owner()))

    def begin_set(self, name: str) -> DrawingSet:
        """A new set of drawings, for a class or group."""
        self.check_may_change()
        most = None if self.visitor.trusted else limits().sets
        return drawing_sets.begin_set(self.store.root, name, self._owner(), most)

    def change_set(self, one: DrawingSet, **changes: Any) -> None:
        """Another `name`, or whether it is `open`."""
        self._check_manages(one)
        drawing_sets.change_set(self.store.root, one.key, **changes)

    def delete_set(self, one: DrawingSet) -> None:
        """With all its drawings."""
        self._check_manages(one)
        drawing_sets.delete_set(self.store.root, one.key)

    def _check_manages(self, one: DrawingSet) -> None:
        self.check_may_change()
        if not self.may_manage(drawing_sets.find_set(self.store.root, one.key)):
            raise LabError("Only the person who began this set or an administrator can change it.")

    def _owner(self) -> str:
        """Whose the drawings are; nobody's in particular on one's own machine."""
        return "" if self.visitor.key == visitors.LOCAL else self.visitor.key

    def _launch(self, config: RunConfig, begin: Callable[[], Run]) -> Run:
        """Has the config's run begin if that is allowed, and keeps who began it.

        A run in progress goes on as whoever started it wants: beginning it would take a pause back.
        """
        self.check_may_change()
        with self._one_launch_at_a_time():
            run = self.store.find_folder(config)
            if run and run.state in LIVE and not self.may_control(run):
                return run
            if run and (run.finished or run.state in LIVE):
                return begin()
            self.check_launch(config)
            without_owner = run is None or self._has_no_owner(run)
            try:
                begun = begin()
            except Exception:
                if run is None and self.store.find_folder(config):
                    self.set_owner(config.id)  # of what is left, or nobody could begin it again
                raise
            visitors.note(self.store, self.visitor.key, "launches")
            if without_owner:
                self.set_owner(config.id)
            return begun

    def _has_no_owner(self, run: Run) -> bool:
        left = automatic.is_left(self.store, run.id)
        return left or visitors.owner(self.store, run.id) is None

    def _one_launch_at_a_time(self) -> AbstractContextManager[None]:
        """Limits hold for those who come at once, too."""
        return held(named_lock(self.store.root, "launches"), BUSY, PATIENCE)

    def _check_control(self, run_id: str) -> None:
        self.check_may_change()
        self._check_owner(self.store.get(run_id).id)

    def _check_owner(self, run_id: str) -> None:
        if not self.may_control_id(run_id):
            raise LabError(
                "Somebody else started this run. Only they or an administrator can change it."
            )
