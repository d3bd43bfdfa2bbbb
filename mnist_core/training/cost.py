"""How long training takes on this machine, as it was measured once (see `measure`).

Kept with the store, shown before a run is started. Loads without torch.
"""

from __future__ import annotations

import hashlib
import os
import platform
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.config import ACTIVATIONS, RunConfig
from mnist_core.data.augment import MOVES
from mnist_core.data.idx import part_sizes
from mnist_core.files import is_number, read_checked, write_json
from mnist_core.locks import named_lock
from mnist_core.runs.store import RunStore
from mnist_core.training.threads import choose_threads

if TYPE_CHECKING:
    pass

GENERATION = "3"  # of the training loop: an older one took another time
MOST_MACHINES = 50  # that share a store; the figures of those measured longest ago go
COSTLY = ("elastic", "flip", "cutout", "ema")  # fields that add work to each step
MOST_KINDS = 200  # of configs on one machine: every network that somebody builds is one
SAVING = 0.1  # seconds to make an epoch durable
HANDOVER = 0.1  # seconds until a process on standby has its run


@dataclass(frozen=True)
class Cost:
    """What training costs on one machine, in seconds."""

    per_image: float  # of forward, backward and augmentation
    per_step: float  # independent of the batch size
    per_validation_image: float
    start_up: float  # of a new process, until its first step
    standby_start: float = HANDOVER  # of a process on standby

    def __post_init__(self) -> None:
        if not all(is_number(seconds) and seconds >= 0 for seconds in vars(self).values()):
            raise ValueError("a cost is not a number of seconds")

    def epoch(self, config: RunConfig) -> float:
        """Seconds for one epoch with its validation."""
        images = part_sizes(config.dataset)
        training = images.train * (self.per_image + self.per_step / config.batch_size)
        return training + images.validation * self.per_validation_image

    def run(self, config: RunConfig, *, standby: bool = False) -> float:
        """Seconds for a whole run in a new process, or in the one on standby.

        With what is written after each epoch, and the predictions at the end.
        """
        images = part_sizes(config.dataset)
        predictions = (images.validation + images.test) * self.per_validation_image
        start = self.standby_start if standby else self.start_up
        return start + config.epochs * (self.epoch(config) + SAVING) + predictions


def machine() -> str:
    """A name for this machine: what was measured on another one does not apply here."""
    facts = platform.node(), platform.machine(), platform.processor(), str(os.cpu_count())
    return hashlib.sha256("|".join((*facts, GENERATION)).encode()).hexdigest()[:12]


def kind(config: RunConfig) -> str:
    """Configs of one kind cost the same for each image and for each step."""
    more = [name for name in COSTLY if getattr(config, name)]
    moved = "moved" if any(getattr(config, name) for name in MOVES) else "still"
    threads = choose_threads(0, config)
    network = config.layers or f"{config.model} {config.activation}"
    return " ".join([network, str(config.input_size), moved, *more, str(threads)])


def _path(store: RunStore) -> Path:
    return store.root / ".speed.json"


def load(store: RunStore, config: RunConfig) -> Cost | None:
    """What was measured for configs of this kind on this machine, if anything."""

    def check(found: Any) -> Cost:
        return Cost(**found[machine()][kind(config)])

    return read_checked(_path(store), check, default=None)


def load_similar(store: RunStore, config: RunConfig) -> Cost | None:
    """As `load`; where nothing is known, what was measured with another activation."""
    found = (load(store, config.replace(activation=other)) for other in ACTIVATIONS)
    return load(store, config) or next(filter(None, found), None)


def save(store: RunStore, config: RunConfig, cost: Cost) -> None:
    """Raises LabError when the store cannot be written."""
    with named_lock(store.root, "speed"):
        nothing: dict[str, Any] = {}
        everywhere = read_checked(_path(store), lambda found: {**found}, default=nothing)
        found = everywhere.pop(machine(), None)
        here = found if isinstance(found, dict) else nothing
        here.pop(kind(config), None)  # the newest is last
        here = _newest(here, MOST_KINDS - 1) | {kind(config): asdict(cost)}
        write_json(_path(store), _newest(everywhere, MOST_MACHINES) | {machine(): here})


def _newest(found: dict[str, Any], most: int) -> dict[str, Any]:
    return dict([*found.items()][-most:])
