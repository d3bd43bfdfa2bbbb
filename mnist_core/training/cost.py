"""How long training takes on this machine: measured once, kept with the store, shown beforehand.

`load` works without torch; `measure` trains a few steps on random pixels.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.config import Execution, RunConfig
from mnist_core.data.idx import part_sizes
from mnist_core.dataset_specs import IMAGE_SHAPE, dataset_spec
from mnist_core.files import is_number, read_checked, write_json
from mnist_core.locks import named_lock
from mnist_core.runs.store import RunStore
from mnist_core.training.results import Step

if TYPE_CHECKING:
    from mnist_core.training.trainer import Trainer

SMALL, LARGE = 32, 512  # batch sizes; the difference tells the cost of a step apart
MEASURE_SECONDS = 0.6  # for each of them
GENERATION = "2"  # of the training loop: an older one took another time


@dataclass(frozen=True)
class Cost:
    """What training costs on one machine, in seconds."""

    per_image: float  # of forward, backward and augmentation
    per_step: float  # independent of the batch size
    per_validation_image: float
    start_up: float  # of the process, until its first step

    def __post_init__(self) -> None:
        if not all(is_number(seconds) and seconds >= 0 for seconds in vars(self).values()):
            raise ValueError("a cost is not a number of seconds")

    def epoch(self, config: RunConfig) -> float:
        """Seconds for one epoch with its validation."""
        images = part_sizes(config.dataset)
        training = images.train * (self.per_image + self.per_step / config.batch_size)
        return training + images.validation * self.per_validation_image

    def run(self, config: RunConfig) -> float:
        """Seconds for a whole run, with the predictions at its end."""
        images = part_sizes(config.dataset)
        predictions = (images.validation + images.test) * self.per_validation_image
        return self.start_up + config.epochs * self.epoch(config) + predictions


def machine() -> str:
    """A name for this machine: what was measured on another one does not apply here."""
    facts = platform.node(), platform.machine(), platform.processor(), str(os.cpu_count())
    return hashlib.sha256("|".join((*facts, GENERATION)).encode()).hexdigest()[:12]


def kind(config: RunConfig) -> str:
    """Configs of one kind cost the same for each image and for each step."""
    moved = "moved" if config.rotation or config.shift else "still"
    return f"{config.model} {config.activation} {config.input_size} {moved}"


def _path(store: RunStore) -> Path:
    return store.root / ".speed.json"


def load(store: RunStore, config: RunConfig) -> Cost | None:
    """What was measured for configs of this kind on this machine, if anything."""

    def check(found: Any) -> Cost:
        return Cost(**found[machine()][kind(config)])

    return read_checked(_path(store), check, default=None)


def save(store: RunStore, config: RunConfig, cost: Cost) -> None:
    """Raises LabError when the store cannot be written."""
    with named_lock(store.root, "speed"):
        nothing: dict[str, Any] = {}
        known = read_checked(_path(store), lambda found: {**found[machine()]}, default=nothing)
        write_json(_path(store), {machine(): known | {kind(config): asdict(cost)}})


def measure(config: RunConfig, began: float) -> Cost:
    """Trains some steps with a small and with a large batch, on random pixels."""
    import torch

    from mnist_core.data.datasets import Dataset, Split
    from mnist_core.training.setup import choose_threads
    from mnist_core.training.trainer import Trainer

    draw = torch.Generator().manual_seed(0)
    spec, shape = dataset_spec(config.dataset), (20 * LARGE, *IMAGE_SHAPE[1:])
    images = torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, spec.num_classes, (len(images),), generator=draw)
    split = Split(images, labels)
    dataset = Dataset(spec, split, split, split, "")
    seconds = {}
    for size in (SMALL, LARGE):
        execution = Execution(threads=choose_threads(0))  # the same for both sizes
        trainer = Trainer(config.replace(batch_size=size), dataset, execution)
        start_up = time.time() - began
        seconds[size] = _seconds_a_step(trainer)
    per_image = max(0.0, (seconds[LARGE] - seconds[SMALL]) / (LARGE - SMALL))
    begun = time.perf_counter()
    trainer.engine.logits(trainer.validation[0][: 4 * LARGE]).cpu()  # waits for a GPU
    validation = (time.perf_counter() - begun) / (4 * LARGE)
    step = max(0.0, seconds[SMALL] - SMALL * per_image)
    return Cost(per_image, step, validation, start_up)


class _Enough(Exception):
    """Enough steps were timed."""


def _seconds_a_step(trainer: Trainer) -> float:
    """The mean over some steps; the first two, which set things up, do not count."""
    times: list[float] = []

    def note(_: Step) -> None:
        times.append(time.perf_counter())
        if len(times) > 3 and times[-1] - times[1] > MEASURE_SECONDS:
            raise _Enough

    with suppress(_Enough):
        trainer.run_epoch(note)
    return (times[-1] - times[1]) / (len(times) - 2)
