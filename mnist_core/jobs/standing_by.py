"""What a process on standby does: it gets ready for training, and waits for a run."""

from __future__ import annotations

import os
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mnist_core import paths
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError
from mnist_core.files import open_new, signature
from mnist_core.jobs.handover import AGREED, Handover, sources
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset

PERIOD = 0.02  # seconds between two looks for a run
CHECK = 1.0  # seconds between two looks at whether it is still of use
IMAGES = 64  # for the step that is tried out


@dataclass(frozen=True)
class Handed:
    """The run to train, and its data set if that is loaded and still what is on disk."""

    run_id: str
    dataset: Dataset | None


def stand_by(store: RunStore, config: RunConfig, idle: float) -> Handed | None:
    """Gets ready for runs like `config`'s and waits for one; None when none comes.

    `idle` is how long it waits, in seconds. From the moment at which a run is there, the run's
    log has what this process says.
    """
    watch = _Watch(store, time.monotonic() + idle)
    watch.thread.start()
    seen, dataset = _signatures(config.dataset), _get_ready(config, watch)
    watch.thread.join()
    if watch.run_id is None:
        return None
    _log_into(store, watch.run_id)
    run = store.get(watch.run_id)
    same = dataset and run.config.dataset == config.dataset and _signatures(config.dataset) == seen
    return Handed(run.id, dataset if same else None)


@dataclass
class _Watch:
    """Looks for a run from the first moment on, also while the main thread imports."""

    store: RunStore
    deadline: float  # of time.monotonic
    run_id: str | None = None
    thread: threading.Thread = field(init=False)

    def __post_init__(self) -> None:
        self.began = time.monotonic()
        self.handover = Handover(self.store.root, os.getpid())
        self.thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        next_check = self.began
        while (now := time.monotonic()) < self.deadline:
            if run_id := self.handover.requested():
                if self.handover.decide(AGREED):
                    self.run_id = run_id
                return
            if now >= next_check:
                if not self._of_use(now - self.began):
                    break
                next_check = now + CHECK
            time.sleep(PERIOD)
        self.handover.clear()

    def _of_use(self, age: float) -> bool:
        """Whether somebody may come: the offer is there, and true."""
        offer = self.handover.offer()
        if offer is None:  # it is written when the process has been started
            return age < 5 * CHECK
        return offer.starter.lives and offer.sources == sources()


def _get_ready(config: RunConfig, watch: _Watch) -> Dataset | None:
    """Imports everything, loads the data set and tries a step, until there is a run to train."""
    from mnist_core.data import datasets, idx
    from mnist_core.jobs.worker import import_all

    import_all()
    if not watch.thread.is_alive() or idx.missing_files(config.dataset, paths.data_root()):
        return None
    try:
        dataset = datasets.load(config.dataset, download=False)
        for split in (dataset.train, dataset.validation):
            split.pixels(config.input_size, config.fit)
        if watch.thread.is_alive():
            _try_out(config, dataset)
            watch.handover.mark_ready()
        return dataset
    except Exception as error:  # a run will meet it again, and say so
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
        return None


def _try_out(config: RunConfig, dataset: Dataset) -> None:
    """Two steps and a validation: what is loaded, compiled or set up at first use then is.

    A run draws nothing from what is left behind: it seeds torch's generator for each epoch.
    """
    from mnist_core.data.datasets import Dataset, Split
    from mnist_core.training.trainer import Trainer

    few = Split(dataset.train.images[:IMAGES], dataset.train.labels[:IMAGES])
    small = config.replace(batch_size=IMAGES // 2)
    Trainer(small, Dataset(dataset.spec, few, few, few, ""), Execution()).run_epoch()


def _signatures(name: str) -> list[tuple[int, int, int]]:
    """Of a data set's files: they change when a file is replaced."""
    from mnist_core.data.idx import paths_of

    with suppress(OSError):
        return [signature(path) for path in paths_of(name, paths.data_root())]
    return []


def _log_into(store: RunStore, run_id: str) -> None:
    """What this process says from now on goes to the run's log, if that can be written."""
    path = store.folder(run_id).log_file
    sys.stdout.flush()
    sys.stderr.flush()
    with suppress(LabError, OSError), open_new(path) as file:
        for stream in (1, 2):
            os.dup2(file.fileno(), stream)
