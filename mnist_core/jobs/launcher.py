"""Starts training in a process of its own, and stops it. The run's folder is the only truth.

The launcher writes the state "queued", and that of a run whose process it has ended; every other
state is written by the process that trains (see worker).
"""

import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Any

import psutil
from filelock import Timeout

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.jobs import automatic, fine_tune, queue, scheduler, spawn, standby
from mnist_core.models import check_config
from mnist_core.models.stats import stats_for
from mnist_core.runs.extend import branch_off, extended
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary

START_GRACE = 3.0  # seconds that another process may take to show what it does with a run
MAX_PROCESSES = 8  # that may wait for one run
MOST_PARAMETERS = 100_000  # a network with fewer keeps snapshots: 4 MB at most
STOP_GRACE = 3.0  # seconds to stop by itself before it is ended from outside

Worker = psutil.Process | subprocess.Popen[bytes]
Spawn = Callable[[RunStore, Run], Worker]


def spawn_worker(store: RunStore, run: Run) -> Worker:
    """A process that trains the run once it has a slot: the one on standby, or a new one."""
    command = ["train", "--resume", run.id, "--queue"]
    return standby.take(store, run.id) or spawn.start(store, command, run.folder.log_file)


def start(
    store: RunStore,
    config: RunConfig,
    spawn_worker: Spawn = spawn_worker,
    *,
    automatic_for: str = "",
) -> Run:
    """Has the config's run trained in the background, from where it stands; returns it at once.

    It goes to the end of the queue: runs train first come, first served, as many at once as the
    store's setting says. A run that is finished or in progress is returned as it is: two that
    start the same config get one run. `automatic_for` is the visitor for whom it begins by
    itself; else a person asks for it, and it is nobody's any more (see `automatic`). Raises
    InputError for a config that no network takes, and LabError when the store cannot be written.
    """
    run = _start(store, config, spawn_worker, automatic_for)
    if not automatic_for:
        automatic.unmark(store, run.id)
    return run


def _start(store: RunStore, config: RunConfig, spawn_worker: Spawn, automatic_for: str) -> Run:
    check_config(config)
    deadline = time.monotonic() + START_GRACE
    while True:
        with suppress(Timeout), store.lock(config.id).acquire(timeout=0.1):
            run = store.find_folder(config)
            if run and (run.finished or run.state in LIVE):
                return run
            fine_tune.check_prepared(config, run)
            run = run or store.create(config, first_summary(config))
            run.folder.request(None)
            run.folder.clear_progress()
            if automatic_for:
                automatic.mark(store, run.id, automatic_for)
            return _begin(store, run, spawn_worker)
        # Another process has the lock: it trains the run, is about to begin, or is ending.
        run = store.find_folder(config)
        if run and run.state in LIVE:
            if run.folder.requested() != "pause":
                return run
            run.folder.request(None)  # the run may have heard it already: look again
        if time.monotonic() > deadline:
            raise LabError(f"Another process is preparing {config.id}; look again.")


def first_summary(config: RunConfig) -> Summary:
    """Of a new run, which keeps snapshots when its network is small."""
    parameters = stats_for(config).get("parameters", MOST_PARAMETERS)
    small = parameters < MOST_PARAMETERS
    return Summary(RunState.INTERRUPTED, created=time.time(), snapshots=small)


def _begin(store: RunStore, run: Run, spawn_worker: Spawn) -> Run:
    """Has a process begin, or the scheduler once all runs before it have begun.

    The process waits for the lock held here: it meets no run half prepared.
    """
    scheduler.revive(store)
    if queue.first(store, but=run.id):
        with scheduler.joining(store) as process:
            return queue.enter(store, run, process)
    worker = spawn_worker(store, run)
    with _ended_on_failure(store, run.id, worker):
        return queue.enter(store, run, Process.of(worker.pid))


def begin_waiting(store: RunStore, run_id: str) -> subprocess.Popen[bytes] | None:
    """Has a process begin for the first of the queue; it keeps its place until it has a slot.

    Returns the process if it is a child of this one. To be called by the scheduler.
    """
    with suppress(Timeout, LabError), store.lock(run_id).acquire(timeout=0.1):
        run = store.get(run_id)
        waiting = run.summary.process
        if run.state != RunState.QUEUED or waiting is None or not waiting.role:
            return None
        worker = spawn_worker(store, run)
        with _ended_on_failure(store, run_id, worker):
            process = Process.of(worker.pid)
            run.folder.write_summary(replace(run.summary, process=process))
        return worker if isinstance(worker, subprocess.Popen) else None
    return None


@contextmanager
def _ended_on_failure(store: RunStore, run_id: str, worker: Worker) -> Iterator[None]:
    """On a full disk, for instance, nothing may train that no summary shows."""
    try:
        yield
    except Exception:
        worker.kill()
        worker.wait()
        queue.leave(store, run_id)
        raise


def extend(store: RunStore, run_id: str, epochs: Any) -> Run:
    """Has a run that is done trained on, to `epochs` in all: a new run, which is returned.

    Raises InputError for a run that cannot go on, or a number that is no more than it has.
    """
    parent = store.get(run_id)
    config = extended(parent, epochs)
    branch_off(store, parent, config)
    return start(store, config)


def pause(store: RunStore, run_id: str) -> Run:
    """Has the run pause after the present step, which `start` goes on from, bit for bit.

    One that waits or loads pauses at once: it has nothing to save.
    """
    run = store.get(run_id)
    if run.state not in LIVE:
        return run
    if _listens(run):
        run.folder.request("pause")
        return run
    return stop(store, run.id, state=RunState.PAUSED)


def take_over(store: RunStore, run_id: str, spawn_worker: Spawn = spawn_worker) -> Run:
    """Ends a process that shows no sign of life (see Run.unresponsive); starts the run again."""
    return start(store, stop(store, run_id).config, spawn_worker)


def _listens(run: Run) -> bool:
    """Whether its process trains, and so looks between two steps for what is asked of it."""
    training = run.folder.progress().get("phase") == "training"
    return run.state == RunState.RUNNING and training and not run.unresponsive


def stop(
    store: RunStore, run_id: str, grace: float = STOP_GRACE, state: RunState = RunState.STOPPED
) -> Run:
    """Stops the run and makes sure that its process is gone. What it has saved stays.

    Other processes that waited for the run are stopped after it. Raises LabError when new ones
    keep coming, or when it trains on another machine, which may take a while to hear of it.
    """
    for _ in range(MAX_PROCESSES):
        run = store.get(run_id)
        identity = run.summary.process
        process = identity.find() if identity and not identity.role else None
        if run.finished or (run.state not in LIVE and not process):
            return run
        run.folder.request("pause" if state == RunState.PAUSED else "stop")
        if process:
            _end(process, grace if _listens(run) else 0.1)
        elif identity and not identity.here:
            return _ask_other_host(store, run, identity.host, grace)
        if _mark(store, run_id, state, identity):
            return store.get(run_id)
    raise LabError(f"{run_id} goes on: other processes keep taking it up; stop those first.")


def _ask_other_host(store: RunStore, run: Run, host: str, grace: float) -> Run:
    """Waits for a process of another host to do what it is asked."""
    deadline = time.monotonic() + grace
    while (now := store.get(run.id)).state in LIVE:
        if time.monotonic() > deadline:
            raise LabError(f"{run.id} trains on {host}, which was asked to end it; look again.")
        time.sleep(0.1)
    return now


def _mark(store: RunStore, run_id: str, state: RunState, identity: Process | None) -> bool:
    """Writes the state of a run that was halted, which the process of this identity had.

    False when another process has it by now.
    """
    with suppress(Timeout), store.lock(run_id).acquire(timeout=1.0):
        run = store.get(run_id)
        if run.state in LIVE and run.summary.process != identity:
            return False
        if not run.finished and run.summary.state != state:
            run.folder.write_summary(replace(run.summary, state=state, process=None))
        run.folder.request(None)
        run.folder.clear_progress()
        queue.leave(store, run_id)
        return True
    return False


def _end(process: psutil.Process, grace: float) -> None:
    """Waits for the process to end by itself, then asks, then ends it, and its children."""
    steps: list[tuple[Callable[[], object], float]] = [
        (lambda: None, grace),
        (process.terminate, grace),
        (process.kill, STOP_GRACE),
    ]
    children: list[psutil.Process] = []
    with suppress(psutil.Error):
        children = process.children(recursive=True)
        if process.status() == psutil.STATUS_STOPPED:  # by SIGSTOP, for instance: it cannot react
            del steps[:2]
    for insist, patience in steps:
        with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
            insist()
            process.wait(timeout=patience)
            break
    for orphan in children:
        with suppress(psutil.NoSuchProcess):
            orphan.kill()
