"""What a visitor may do: in a read-only lab, signed in or not, within limits, with others' runs."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from mnist_core.config import RunConfig
from mnist_core.data.drawing_files import Sample
from mnist_core.data.drawing_sets import DrawingSet, find_set
from mnist_core.data.handwriting import Handwriting, all_drawings
from mnist_core.errors import LabError, NotFound
from mnist_core.formatting import counted
from mnist_core.jobs import automatic, spawn, visitors
from mnist_core.limits import check_disk, limits, read_only
from mnist_core.models.stats import shipped_stats, stats_for
from mnist_core.runs import trash
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RESUMABLE
from mnist_core.runs.store import RunStore

READ_ONLY = "This lab is only for looking and drawing: nothing can be started, changed or deleted."

SIGN_IN = "Sign in to start, change or keep anything."

PER_HOUR = {"launches": "run", "uploads": "file"}


@dataclass(frozen=True)
class Visitor:
    """Who asks. A trusted one sits at the machine itself, or administers the lab.

    One who is not signed in, where that is asked for, may only look and draw.
    """

    key: str = visitors.LOCAL
    trusted: bool = True
    signed_in: bool = True


@dataclass(frozen=True)
class Permissions:
    """What this visitor may do in this store. A check raises LabError where it is refused."""

    store: RunStore
    visitor: Visitor = Visitor()

    def may_control(self, run: Run | None) -> bool:
        """Whether the visitor may pause, stop, annotate or delete the run."""
        return run is None or self.may_control_id(run.id)

    def may_control_id(self, run_id: str) -> bool:
        if self.visitor.trusted:
            return True
        return visitors.owner(self.store, run_id) == self.visitor.key

    def may_continue(self, run: Run | None) -> bool:
        """Whether the visitor may train the run on, as anybody may one that was left behind."""
        return self.may_control(run) or bool(run and automatic.is_left(self.store, run.id))

    def removable(self, drawings: Handwriting, samples: Sequence[Sample]) -> list[Sample]:
        """Those that the visitor may remove: one's own, and in a set that one began, all."""
        if self.visitor.trusted or self._began(drawings):
            return list(samples)
        key = self.visitor.key
        return [each for each in samples if owner_of(self.store, drawings, each) == key]

    def _began(self, drawings: Handwriting) -> bool:
        if drawings.set_key is None:
            return False
        try:
            return self.may_manage(find_set(self.store.root, drawings.set_key))
        except NotFound:  # it was deleted meanwhile
            return False

    def may_manage(self, one: DrawingSet) -> bool:
        """Whether the visitor began this set of drawings."""
        return self.visitor.trusted or one.owner == self.visitor.key

    def check_may_change(self) -> None:
        if read_only():
            raise LabError(READ_ONLY)
        if not self.visitor.signed_in:
            raise LabError(SIGN_IN)

    def check_launch(self, config: RunConfig) -> None:
        """Raises LabError where this visitor may not train this config now."""
        self.check_may_change()
        run, allowed = self.store.find_folder(config), limits()
        if run and run.state in RESUMABLE and not self.may_continue(run):
            raise LabError("Only the person who started this run can continue it.")
        if allowed.epochs is not None and config.epochs > allowed.epochs and not config.tuning:
            raise LabError(f"A run may have at most {counted(allowed.epochs, 'epoch')} here.")
        if allowed.parameters is not None and (
            (parameters := parameters_of(config)) > allowed.parameters
        ):
            raise LabError(
                f"This network has {parameters:,} parameters; at most {allowed.parameters:,} are "
                "allowed here."
            )
        if allowed.waiting is not None:
            live = sum(each.state in LIVE for each in self.store.list()[0])
            if live >= allowed.waiting:
                raise LabError(
                    f"The queue is full ({counted(live, 'run')} in progress); try again later."
                )
        trash.sweep(self.store)
        check_disk(self.store.root, allowed)
        self.check_hour("launches", allowed.launches_per_hour, "start")

    def check_trusted(self, otherwise: str) -> None:
        self.check_may_change()
        if not self.visitor.trusted:
            raise LabError(otherwise)

    def check_hour(self, what: str, most: int | None, verb: str) -> None:
        if most is None:
            return
        if visitors.done_lately(self.store, self.visitor.key, what) >= most:
            raise LabError(
                f"You may {verb} {counted(most, PER_HOUR[what])} per hour; try again later."
            )

    def set_owner(self, name: str) -> None:
        if self.visitor.key != visitors.LOCAL:
            visitors.set_owner(self.store, name, self.visitor.key)

    def room(self) -> int | None:
        """How many more drawings the visitor may keep, in all sets; None for any number."""
        most = limits().drawings
        if most is None or self.visitor.trusted:
            return None
        return max(0, most - sum(map(self._drawings_kept, all_drawings(self.store.root))))

    def _drawings_kept(self, drawings: Handwriting) -> int:
        try:
            samples = drawings.samples()
        except LabError:  # a damaged table, whose drawings nobody sees
            return 0
        return sum(owner_of(self.store, drawings, each) == self.visitor.key for each in samples)

    def check_kept(self, more: int) -> None:
        room = self.room()
        if room is not None and more > room:
            raise LabError(
                f"You may keep at most {counted(limits().drawings or 0, 'drawing')} here."
            )


def parameters_of(config: RunConfig) -> int:
    """How many parameters the config's network has.

    For a data set with another number of classes than MNIST it is about the figure for MNIST.
    """
    model = config.model
    for kept in (stats_for(config), shipped_stats().networks.get(model, {})):
        if "parameters" in kept:
            return int(kept["parameters"])
    return _measured_parameters(model)


@functools.cache
def _measured_parameters(model: str) -> int:
    """Of a network that was added. Takes seconds, in a process that loads torch."""
    measured = {row["name"]: int(row["parameters"]) for row in spawn.ask("models")}
    if model not in measured:
        raise LabError(f"It is not known how many parameters {model!a} has.")
    return measured[model]


def owner_of(store: RunStore, drawings: Handwriting, sample: Sample) -> str | None:
    """The key of the visitor who saved this drawing, or None."""
    return sample.owner or (
        # Older versions kept it in a file of its own.
        visitors.owner(store, f"{drawings.dataset}-{sample.file}")
        if drawings.set_key is None
        else None
    )
