"""How long training takes on this machine: measured once, kept with the store, shown beforehand.

`load` works without torch; `measure` trains a few steps on random pixels.
"""

from __future__ import annotations

import hashlib
import os
import platform
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.config import ACTIVATIONS, Execution, RunConfig
from mnist_core.data.idx import missing_files, part_sizes
from mnist_core.dataset_specs import IMAGE_SHAPE, dataset_spec
from mnist_core.files import is_number, read_checked, write_json
from mnist_core.locks import named_lock
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore
from mnist_core.training.results import Step
from mnist_core.training.threads import choose_threads

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset
    from mnist_core.training.trainer import Trainer

SMALL, LARGE = 32, 512  # batch sizes; the difference tells the cost of a step apart
MEASURE_SECONDS = 0.6  # for each of them
GENERATION = "3"  # of the training loop: an older one took another time
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
    moved = "moved" if config.rotation or config.shift else "still"
    threads = choose_threads(0, config)
    return f"{config.model} {config.activation} {config.input_size} {moved} {threads}"


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
        known = read_checked(_path(store), lambda found: {**found[machine()]}, default=nothing)
        write_json(_path(store), {machine(): known | {kind(config): asdict(cost)}})


def measure(config: RunConfig, began: float) -> Cost:
    """Trains some steps with a small and with a large batch, on random pixels.

    `began` is the time (time.time) at which this process did. What a compiler needs once for a
    network is left out.
    """
    from mnist_core.training.engines import check_engine
    from mnist_core.training.trainer import Trainer

    dataset = _random_images(config)
    execution = Execution(threads=choose_threads(0, config))
    compiling = _seconds(lambda: check_engine(config, execution))
    _read(config)

    def trainer(batch_size: int) -> Trainer:
        return Trainer(config.replace(batch_size=batch_size), dataset, execution)

    small = trainer(SMALL)
    start_up = time.time() - began - compiling
    step = _seconds_a_step(small)
    standby_start = HANDOVER + _seconds(lambda: trainer(LARGE))
    large = trainer(LARGE)
    per_image = max(0.0, (_seconds_a_step(large) - step) / (LARGE - SMALL))
    pixels = large.validation[0][: 4 * LARGE]
    validation = _seconds(lambda: large.engine.logits(pixels).cpu())  # waits for a GPU
    per_step = max(0.0, step - SMALL * per_image)
    return Cost(per_image, per_step, validation / len(pixels), start_up, standby_start)


def _random_images(config: RunConfig) -> Dataset:
    """As many as the steps need that are timed."""
    import torch

    from mnist_core.data.datasets import Dataset, Split

    draw = torch.Generator().manual_seed(0)
    spec, shape = dataset_spec(config.dataset), (20 * LARGE, *IMAGE_SHAPE[1:])
    images = torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, spec.num_classes, (len(images),), generator=draw)
    split = Split(images, labels)
    return Dataset(spec, split, split, split, "")


def _read(config: RunConfig) -> None:
    """Does with the data set, if it is here, what a run does before its first step."""
    from mnist_core.data.datasets import load

    if not missing_files(config.dataset, data_root()):
        dataset = load(config.dataset, download=False)
        for split in (dataset.train, dataset.validation):
            split.pixels(config.input_size, config.fit)


def _seconds(call: Callable[[], object]) -> float:
    begun = time.perf_counter()
    call()
    return time.perf_counter() - begun


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
