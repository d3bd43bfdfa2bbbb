"""How a network fares on test images made harder: computed once, kept with the run.

Reading and starting load without torch; `compute` runs the network. One process of a store works
at it at a time; what it is at stands in `.robustness.json` of the store.
"""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from filelock import Timeout

from mnist_core import detached
from mnist_core.corruptions import CORRUPTIONS, corrupt
from mnist_core.datasets import data_root
from mnist_core.errors import LabError, NotFound
from mnist_core.files import read_json, write_json
from mnist_core.run import Run
from mnist_core.runs import RunStore
from mnist_core.summary import Process, is_number

FORMAT = "mnist-lab robustness 1"
STEPS = 1 + sum(len(each.levels) - 1 for each in CORRUPTIONS.values())


@dataclass(frozen=True)
class Robustness:
    """`curves` maps a corruption to pairs of level and images read right, of `images`."""

    images: int
    curves: dict[str, list[tuple[float, int]]]


def kept(run: Run) -> Robustness | None:
    """What was computed for these weights, if anything. Raises LabError for a damaged file."""
    path = run.path / "robustness.json"
    try:
        found = read_json(path)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, RecursionError) as error:
        raise LabError(_damaged(path, error)) from error
    try:
        if found["format"] != FORMAT or found["weights_sha256"] != run.summary.weights_sha256:
            return None  # of other weights
        images, curves = found["images"], found["curves"]
        pairs = {kind: [(x, right) for x, right in curves[kind]] for kind in CORRUPTIONS}
        if not (is_number(images) and images > 0):
            raise ValueError("images is no count")
        for x, right in (pair for curve in pairs.values() for pair in curve):
            if not (is_number(x) and is_number(right) and 0 <= right <= images):
                raise ValueError("a figure is out of range")
        return Robustness(int(images), pairs)
    except (KeyError, TypeError, ValueError) as error:
        raise LabError(_damaged(path, error)) from error


def _damaged(path: Path, error: Exception) -> str:
    return f"{path} is damaged ({error}); delete it and compute it again."


def compute(run: Run, on_step: Callable[[int], None] = lambda done: None) -> Robustness:
    """Reads every test image at every level; `on_step` hears how many of STEPS are
    done. Raises LabError without weights, or without the data set."""
    import torch

    from mnist_core.datasets import resize
    from mnist_core.evaluation import load_model, logits_of

    model, config = load_model(run), run.config
    images, labels = _test_set(config.dataset, data_root())

    def right(corrupted: np.ndarray) -> int:
        pixels = resize(torch.from_numpy(corrupted), config.input_size, config.fit)
        return int((logits_of(model, pixels, config).numpy().argmax(axis=1) == labels).sum())

    whole, done = right(images), 1
    on_step(done)
    curves: dict[str, list[tuple[float, int]]] = {}
    for kind, each in CORRUPTIONS.items():
        curves[kind] = []
        for level in each.levels:
            same = level == each.neutral
            found = whole if same else right(_corrupted(config.dataset, data_root(), kind, level))
            curves[kind].append((level, found))
            done += not same
            on_step(done)
    return Robustness(len(labels), curves)


@functools.lru_cache(maxsize=1)
def _test_set(dataset: str, root: Path) -> tuple[np.ndarray, np.ndarray]:
    from mnist_core.datasets import load

    test = load(dataset, root, download=False).test
    return test.images.numpy(), test.labels.numpy()


@functools.lru_cache(maxsize=STEPS)  # of one data set: 300 MB
def _corrupted(dataset: str, root: Path, kind: str, level: float) -> np.ndarray:
    """Making these images takes longer than a small network takes to read them."""
    return corrupt(_test_set(dataset, root)[0], kind, level)


def compute_all(store: RunStore, ids: Iterable[str], on_step: Callable[..., None]) -> list[Run]:
    """Computes and keeps what is missing; `on_step(run, done)` hears of every step.

    Raises LabError when another process of this store is at it.
    """
    runs = [store.get(run_id) for run_id in ids]
    lock = store.named_lock("robustness")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        raise LabError("Another process computes robustness in this store; wait for it.") from None
    try:
        for place, run in enumerate(runs):
            if kept(run) is None:
                _compute_one(store, run, place, len(runs), on_step)
    finally:
        _job_path(store).unlink(missing_ok=True)
        lock.release()
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
    """What the process at work is at: a run's id, and steps done of all."""

    process: Process
    run: str
    done: int
    total: int


def job(store: RunStore) -> Job | None:
    """The process at work, if one lives."""
    try:
        found: dict[str, Any] = read_json(_job_path(store))
        at = Job(Process(**found["process"]), found["run"], int(found["done"]), int(found["total"]))
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    return at if at.process.find() and at.total > 0 else None


def start(store: RunStore, ids: Iterable[str]) -> None:
    """Has it computed in a process of its own, apart from this one's life. Raises LabError."""
    ids = list(ids)
    if not ids:
        raise NotFound("None of these runs has weights to compute robustness with.")
    if job(store):
        return
    process = detached.start(store, ["robustness", *ids], log_path(store))
    first = {"process": asdict(Process.of(process.pid)), "run": ids[0], "done": 0}
    write_json(_job_path(store), first | {"total": len(ids) * STEPS}, flush=False)


def stop(store: RunStore) -> None:
    """Ends the process at work; what it finished is kept."""
    at = job(store)
    process = at and at.process.find()
    if process:
        process.terminate()


def why_it_failed(store: RunStore) -> str:
    """The last line of the last process, if it ended with an error."""
    try:
        lines = log_path(store).read_text(encoding="utf-8").strip().splitlines()
    except (OSError, ValueError):
        return ""
    marker = "mnist_core robustness: "
    return lines[-1].split(marker, 1)[1] if lines and marker in lines[-1] else ""
