"""Measures what training costs, by some steps on random pixels."""

import time
from collections.abc import Callable
from contextlib import suppress

import torch

from mnist_core.config import Execution, RunConfig
from mnist_core.data.datasets import Dataset, Split, load
from mnist_core.data.idx import missing_files
from mnist_core.dataset_specs import IMAGE_SHAPE, dataset_spec
from mnist_core.paths import data_root
from mnist_core.training.cost import HANDOVER, Cost
from mnist_core.training.engines import check_engine
from mnist_core.training.results import Step
from mnist_core.training.threads import choose_threads
from mnist_core.training.trainer import Trainer

SMALL, LARGE = 32, 512  # batch sizes; the difference tells the cost of a step apart
SECONDS = 0.6  # for each of them
IDLE = 0.15  # the share of their time for which threads may wait for each other


def measure(config: RunConfig) -> Cost:
    """Trains some steps with a small and with a large batch.

    To be called in a process that has done nothing else: its start-up is part of the cost. What
    other processes take meanwhile is left out as far as it can be told, and so is what a compiler
    needs once for a network.
    """
    dataset = _random_images(config)
    execution = Execution(threads=choose_threads(0, config))
    check_engine(config, execution)  # has the network compiled
    _read(config)

    def trainer(batch_size: int) -> Trainer:
        return Trainer(config.replace(batch_size=batch_size), dataset, execution)

    small = trainer(SMALL)
    start_up = time.process_time()
    step = _seconds_a_step(small)
    standby_start = HANDOVER + _Watch(1).seconds(lambda: trainer(LARGE))
    large = trainer(LARGE)
    per_image = max(0.0, (_seconds_a_step(large) - step) / (LARGE - SMALL))
    pixels, watch = large.validation[0][: 4 * LARGE], _Watch(execution.threads)
    validation = watch.seconds(lambda: large.engine.logits(pixels).cpu())  # waits for a GPU
    per_step = max(0.0, step - SMALL * per_image)
    return Cost(per_image, per_step, validation / len(pixels), start_up, standby_start)


def _random_images(config: RunConfig) -> Dataset:
    """As many as the steps need that are timed."""
    draw = torch.Generator().manual_seed(0)
    spec, shape = dataset_spec(config.dataset), (20 * LARGE, *IMAGE_SHAPE[1:])
    images = torch.randint(0, 256, shape, generator=draw, dtype=torch.uint8)
    labels = torch.randint(0, spec.num_classes, (len(images),), generator=draw)
    split = Split(images, labels)
    return Dataset(spec, split, split, split, "")


def _read(config: RunConfig) -> None:
    """Does with the data set, if it is here, what a run does before its first step."""
    if not missing_files(config.dataset, data_root()):
        dataset = load(config.dataset, download=False)
        for split in (dataset.train, dataset.validation):
            split.pixels(config.input_size, config.fit)


class _Watch:
    """Seconds of work on `threads` threads, as they would be if nothing else used the cores.

    On a busy machine the CPU time tells more than the clock on the wall; where a GPU works, the
    process waits for it.
    """

    def __init__(self, threads: int) -> None:
        self.threads = threads
        self.start()

    def start(self) -> None:
        self.wall, self.cpu = time.perf_counter(), time.process_time()

    def read(self) -> float:
        wall, cpu = time.perf_counter() - self.wall, time.process_time() - self.cpu
        if torch.cuda.is_available():
            return wall
        return min(wall, cpu / self.threads / (1 - IDLE))

    def seconds(self, work: Callable[[], object]) -> float:
        self.start()
        work()
        return self.read()


class _Enough(Exception):
    """Enough steps were timed."""


def _seconds_a_step(trainer: Trainer) -> float:
    """The mean over some steps; the first two, which set things up, do not count."""
    watch, steps, spent = _Watch(trainer.execution.threads), 0, 0.0

    def note(_: Step) -> None:
        nonlocal steps, spent
        steps += 1
        if steps == 2:
            watch.start()
        spent = watch.read()
        if steps > 3 and spent > SECONDS:
            raise _Enough

    with suppress(_Enough):
        trainer.run_epoch(note)
    return spent / (steps - 2)
