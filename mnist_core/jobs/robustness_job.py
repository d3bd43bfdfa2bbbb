"""Robustness, computed in a process of its own; only one at a time in a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.robustness import FORMAT, ROBUSTNESS, STEPS, compute, stored
from mnist_core.files import SMALL_FILE_LIMIT, read_checked, read_file, remove, write_json
from mnist_core.jobs import spawn
from mnist_core.locks import held, named_lock
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def compute_all(store: RunStore, ids: Iterable[str], on_step: Callable[..., None]) -> list[Run]:
    """Computes and keeps what is missing; `on_step(run, done)` is called at every step.

    Raises LabError when another process of this store is computing.
    """
    runs = [store.get(run_id) for run_id in ids]
    process = Process.of(os.getpid())
    busy = "Another process computes robustness in this store; wait for it."
    with held(named_lock(store.root, "robustness"), otherwise=busy):
        try:
            for place, run in enumerate(runs):
                if stored(run) is None:
                    job = Job(process, run.id, place * STEPS, len(runs) * STEPS)
                    with _unless_deleted(run):
                        _compute_one(store, run, job, on_step)
        finally:
            remove(_job_path(store))
    return runs


@contextmanager
def _unless_deleted(run: Run) -> Iterator[None]:
    """A run that is deleted meanwhile needs no result, and does not hold up the others."""
    had_folder = run.path.exists()
    try:
        yield
    except LabError:
        if run.path.exists() or not had_folder:
            raise


def _compute_one(store: RunStore, run: Run, job: Job, on_step: Callable[..., None]) -> None:
    def tell(done: int) -> None:
        _report(store, replace(job, done=job.done + done))
        on_step(run, done)

    tell(0)
    found = compute(run, tell)
    facts = {"format": FORMAT, "weights_sha256": run.summary.weights_sha256}
    run.folder.write_added(ROBUSTNESS, facts | asdict(found))


def _job_path(store: RunStore) -> Path:
    return store.root / ".robustness.json"


def log_path(store: RunStore) -> Path:
    """What the process said last: why it failed, if it did."""
    return store.root / ".robustness.log"


@dataclass(frozen=True)
class Job:
    """What the process computes now: a run's id, and the steps done of `total` for all runs."""

    process: Process
    run: str
    done: int
    total: int


def _report(store: RunStore, job: Job) -> None:
    write_json(_job_path(store), asdict(job), flush=False)


def _parse(found: Any) -> Job:
    process = Process.from_dict(found["process"])
    return Job(process, found["run"], int(found["done"]), int(found["total"]))


def job(store: RunStore) -> Job | None:
    """The process that computes robustness now, if there is one."""
    at = read_checked(_job_path(store), _parse, default=None)
    return at if at and at.process.lives and at.total > 0 else None


def start(store: RunStore, ids: Sequence[str]) -> None:
    """Computes in a process that outlives this one. Raises LabError when it cannot be started."""
    if not ids:
        raise NotFound("None of these runs has weights to compute robustness with.")
    if job(store):
        return
    process = spawn.start(store, ["robustness", *ids], log_path(store))
    _report(store, Job(Process.of(process.pid), ids[0], 0, len(ids) * STEPS))


def stop(store: RunStore) -> None:
    """Ends the process; what it finished is kept."""
    at = job(store)
    if at and (process := at.process.find()):
        process.terminate()


def why_it_failed(store: RunStore) -> str:
    """The last line of the last process, if it ended with an error."""
    with suppress(OSError, ValueError):
        said = read_file(log_path(store), SMALL_FILE_LIMIT).decode()
        last = said.strip().rpartition("\n")[2]
        return last.partition("mnist_core robustness: ")[2]
    return ""
