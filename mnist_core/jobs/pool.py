"""Many runs in as many processes: trains what is missing, and can be stopped and called again."""

from __future__ import annotations

import functools
import os
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import AbstractContextManager
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError
from mnist_core.jobs.progress import OnProgress
from mnist_core.locks import held, named_lock
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset

MOST_PROCESSES = 61 if os.name == "nt" else 1024  # the most that a pool on Windows can wait for
LOSSES_PER_EPOCH = 16  # kept within each epoch

TrainOne = Callable[[RunStore, RunConfig], Run]  # at module level, as it is sent to a process


@dataclass(frozen=True)
class Made:
    """A run that has finished: the `done`-th of `total`; `seconds_left` at the present pace."""

    run: Run
    done: int
    total: int
    seconds_left: float


def train_all(
    store: RunStore,
    configs: Sequence[RunConfig],
    at_once: int,
    train_one: TrainOne,
    parents: Mapping[RunConfig, RunConfig] = MappingProxyType({}),
) -> Generator[Made, None, None]:
    """Has `train_one` called for each config, `at_once` at a time; yields as they are finished.

    When the caller stops asking, as at Ctrl-C, the runs in training are paused; so are `parents`,
    which `train_one` trains first. Raises LabError for a run that cannot be trained, or that
    somebody else paused or stopped.
    """
    at_once = min(at_once, MOST_PROCESSES)
    processes = ProcessPoolExecutor(at_once, get_context("spawn"), _begin_process)
    left, began = list(reversed(configs)), time.monotonic()
    waiting: dict[Future[str], RunConfig] = {}
    count = 0
    try:
        while left or waiting:
            while left and len(waiting) < at_once:  # no more than run: Ctrl-C leaves the rest
                job = train_one, str(store.root), left[-1].to_dict()
                waiting[processes.submit(_call, *job)] = left.pop()
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                del waiting[future]
                count += 1
                run = store.get(future.result())
                pace = (time.monotonic() - began) / count
                yield Made(run, count, len(configs), pace * (len(configs) - count))
    except BrokenProcessPool:
        raise LabError(
            "A training process was ended from outside; the same command goes on with its run."
        ) from None
    finally:
        _pause(store, waiting, parents)
        processes.shutdown(wait=True, cancel_futures=True)


def _pause(
    store: RunStore,
    waiting: Mapping[Future[str], RunConfig],
    parents: Mapping[RunConfig, RunConfig],
) -> None:
    """Asks until each has ended: a process that is just starting drops earlier requests."""
    while futures := wait(waiting, timeout=0.5).not_done:
        configs = [waiting[future] for future in futures]
        for config in (*configs, *(parents[child] for child in configs if child in parents)):
            run = store.find_folder(config)
            if run and not run.finished:
                run.folder.request("pause")


def alone(store: RunStore, what: str) -> AbstractContextManager[None]:
    """One process at a time makes `what` in this store. Raises LabError for a second one."""
    busy = f"Another process is making the {what} in {store.root}."
    return held(named_lock(store.root, f"making-{what}"), otherwise=busy)


def carry_out_here(
    store: RunStore,
    config: RunConfig,
    device: str,
    on_progress: OnProgress | None = None,
    *,
    snapshots: bool = False,
) -> Run:
    """Trains a run to its end in this process, with one thread; its data set stays loaded.

    Raises LabError when the run does not end: somebody paused or stopped it.
    """
    from mnist_core.jobs.worker import carry_out

    if found := store.find_folder(config):
        found.folder.request(None)
    dataset = loaded(config.dataset)
    steps = max(1, len(dataset.train) // config.batch_size // LOSSES_PER_EPOCH)
    execution = Execution(device=device, threads=1, echo_every=steps, snapshots=snapshots)
    run = carry_out(store, config, execution, on_progress=on_progress, dataset=dataset)
    if not run.finished:
        raise LabError(f"{run.id} is {run.state}: {run.summary.note or 'it was asked to stop'}")
    return run


@functools.cache
def loaded(name: str) -> Dataset:
    """The data set, read once in this process."""
    from mnist_core.data.datasets import load

    return load(name)


def _begin_process() -> None:
    """In each process: Ctrl-C is left to the parent, and when the parent ends, so does this one."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

    def end_with_parent() -> None:
        if parent := parent_process():
            parent.join()
        os._exit(1)  # at any point: a run survives a kill at every moment

    threading.Thread(target=end_with_parent, daemon=True).start()


def _call(train_one: TrainOne, root: str, fields: dict[str, Any]) -> str:
    return train_one(RunStore(Path(root)), RunConfig.from_dict(fields)).id
