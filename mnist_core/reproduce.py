"""Makes what ships, and goes on where it stopped."""

from __future__ import annotations

import os
import shutil
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path

from filelock import Timeout

from mnist_core.bundle import BundledRun, bundled, read_bundle, write_bundle
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError
from mnist_core.grid import grid_configs
from mnist_core.run import Run
from mnist_core.runs import RunStore

TRAINING_IMAGES = 50_000
ECHOES_PER_EPOCH = 16  # losses kept within each epoch
WORKSHOP = ".making-grid"  # below the store: the grid's runs while they are trained


@dataclass(frozen=True)
class Made:
    """How far it is, after a run: `done` of `total`, `seconds_left` at the present pace."""

    run: Run
    done: int
    total: int
    seconds_left: float


def make_grid(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda made: None,
    configs: Sequence[RunConfig] | None = None,
) -> list[BundledRun]:
    """Trains the grid's missing runs, `at_once` at a time with one thread each, into the bundle.

    Ctrl-C pauses the runs in training; the next call goes on with them, and with the others.
    Raises LabError when another process makes the grid, or a run cannot be trained.
    """
    configs = grid_configs() if configs is None else configs
    with _alone(store):
        kept = {run.id: run for run in read_bundle(store.bundle)[0]}
        missing = [config for config in configs if config.id not in kept]
        workshop = RunStore(store.root / WORKSHOP)
        began = time.monotonic()
        for count, run_id in enumerate(_train_all(workshop, missing, at_once), start=1):
            run = workshop.get(run_id)
            kept[run_id] = bundled(run)
            write_bundle(store.bundle, _in_order(kept, configs))
            shutil.rmtree(run.path)
            left = (time.monotonic() - began) / count * (len(missing) - count)
            on_made(Made(kept[run_id], len(configs) - len(missing) + count, len(configs), left))
        shutil.rmtree(workshop.root, ignore_errors=True)
        return [kept[config.id] for config in configs]


def _in_order(kept: dict[str, BundledRun], configs: Sequence[RunConfig]) -> list[BundledRun]:
    """The grid's runs in the grid's order, then whatever else the bundle held."""
    first = [kept[config.id] for config in configs if config.id in kept]
    return first + [run for run in kept.values() if run not in first]


@contextmanager
def _alone(store: RunStore) -> Iterator[None]:
    lock = store.named_lock("making-grid")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LabError(f"Another process is making the grid in {store.root}.") from None
    try:
        yield
    finally:
        lock.release()


def _train_all(workshop: RunStore, configs: Sequence[RunConfig], at_once: int) -> Iterator[str]:
    """Yields the ids of the runs as they are finished."""
    if not configs:
        return
    processes = ProcessPoolExecutor(at_once, get_context("spawn"), _begin_process)
    waiting: set[Future] = {
        processes.submit(_train_one, str(workshop.root), config.to_dict()) for config in configs
    }
    try:
        while waiting:
            done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in done:
                yield future.result()
    finally:
        processes.shutdown(wait=False, cancel_futures=True)
        for run in workshop.list()[0]:
            if not run.finished:
                workshop.request(run.id, "pause")
        processes.shutdown(wait=True)


def _begin_process() -> None:
    """In each process: Ctrl-C is for the one that gives out the work, and so is its end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        parent_process().join()
        os._exit(1)  # whatever it was at: a run can be killed at any moment

    threading.Thread(target=end_with_parent, daemon=True).start()


def _train_one(root: str, fields: dict) -> str:
    from mnist_core.datasets import load
    from mnist_core.worker import carry_out

    config = RunConfig.from_dict(fields)
    if config.dataset not in _loaded:
        _loaded[config.dataset] = load(config.dataset)
    workshop = RunStore(Path(root))
    if workshop.find_folder(config):
        workshop.request(config.id, None)
    steps = max(1, TRAINING_IMAGES // config.batch_size // ECHOES_PER_EPOCH)
    execution = Execution(device="cpu", threads=1, echo_every=steps)
    run = carry_out(workshop, config, execution, dataset=_loaded[config.dataset])
    if not run.finished:
        raise LabError(f"{run.id} is {run.state}: {run.summary.note or 'it was asked to stop'}")
    return run.id


_loaded: dict = {}  # in a process that trains: data set -> its images
