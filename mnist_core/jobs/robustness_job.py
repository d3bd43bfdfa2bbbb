"""Robustness, computed in a process of its own; only one at a time in a store."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from mnist_core.errors import NotFound
from mnist_core.evaluation.robustness import FORMAT, STEPS, compute, stored
from mnist_core.files import read_json, write_json
from mnist_core.jobs import spawn
from mnist_core.locks import held
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def compute_all(store: RunStore, ids: Iterable[str], on_step: Callable[..., None]) -> list[Run]:
    """Computes and keeps what is missing; `on_step(run, done)` is called at every step.

    Raises LabError when another process of this store is computing.
    """
    runs = [store.get(run_id) for run_id in ids]
    busy = "Another process computes robustness in this store; wait for it."
    with held(store.named_lock("robustness"), otherwise=busy):
        try:
            for place, run in enumerate(runs):
                if stored(run) is None:
                    _compute_one(store, run, place, len(runs), on_step)
        finally:
            _job_path(store).unlink(missing_ok=True)
    return runs


def _compute_one(
    store: RunStore, run: Run, place: int, count: int, on_step: Callable[..., None]
) -> None:
    process = asdict(Process.of(os.getpid()))

    def tell(done: int) -> None:
        job = {"process": process, "run": run.id, "done": place * STEPS + done}
        write_json(_job_path(store), job | {"total": count * STEPS}, flush=False)
        on_step(run, done)

    tell(0)
    found = compute(run, tell)
    facts = {"format": FORMAT, "weights_sha256": run.summary.weights_sha256}
    write_json(run.path / "robustness.json", facts | asdict(found))


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


def job(store: RunStore) -> Job | None:
    """The process that computes robustness now, if there is one."""
    try:
        found: dict[str, Any] = read_json(_job_path(store))
        at = Job(Process(**found["process"]), found["run"], int(found["done"]), int(found["total"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return at if at.process.find() and at.total > 0 else None


def start(store: RunStore, ids: Iterable[str]) -> None:
    """Computes in a process that outlives this one. Raises LabError when it cannot be started."""
    ids = list(ids)
    if not ids:
        raise NotFound("None of these runs has weights to compute robustness with.")
    if job(store):
        return
    process = spawn.start(store, ["robustness", *ids], log_path(store))
    first = {"process": asdict(Process.of(process.pid)), "run": ids[0], "done": 0}
    write_json(_job_path(store), first | {"total": len(ids) * STEPS}, flush=False)


def stop(store: RunStore) -> None:
    """Ends the process; what it finished is kept."""
    at = job(store)
    if at and (process := at.process.find()):
        process.terminate()


def why_it_failed(store: RunStore) -> str:
    """The last line of the last process, if it ended with an error."""
    try:
        lines = log_path(store).read_text(encoding="utf-8").strip().splitlines()
    except (OSError, ValueError):
        return ""
    marker = "mnist_core robustness: "
    return lines[-1].split(marker, 1)[1] if lines and marker in lines[-1] else ""
