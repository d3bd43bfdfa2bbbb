"""Starts training in a process of its own, and stops it. The run's folder is the only truth."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import psutil
from filelock import Timeout

from mnist_core.config import RunConfig
from mnist_core.datasets import data_root
from mnist_core.errors import LabError
from mnist_core.files import cannot_write
from mnist_core.models import check_config
from mnist_core.runs import Run, RunStore
from mnist_core.summary import LIVE, Process, Summary

PROJECT = Path(__file__).parents[1]
AT_ONCE = 1  # runs that train at the same time; the others wait their turn
START_GRACE = 3.0  # seconds that another process may take to show what it does with a run
MAX_PROCESSES = 8  # that may wait for one run
STOP_GRACE = 3.0  # seconds to stop by itself before it is ended from outside


def start(store: RunStore, config: RunConfig, *, at_once: int = AT_ONCE) -> Run:
    """Has the config's run trained in the background, from where it stands; returns it at once.

    A run that is finished or in progress is returned as it is: two that start the same config
    get one run. Raises InputError for a config that no network takes, and LabError when the
    store cannot be written.
    """
    check_config(config)
    lock = store.lock(config.id)
    deadline = time.monotonic() + START_GRACE
    while not lock.is_locked:
        try:
            lock.acquire(timeout=0.1)
        except Timeout:  # its process is at work, about to begin, or just dying
            run = store.find_folder(config)
            if run and run.state in LIVE:
                return run
            if time.monotonic() > deadline:
                raise LabError(f"Another process is preparing {config.id}; look again.") from None
    try:
        run = store.find_folder(config)
        if run and (run.finished or run.state in LIVE):
            return run
        run = run or store.create(config, Summary("interrupted", created=time.time()))
        store.request(run.id, None)
        # The new process waits for the lock held here, so it never meets a run half prepared.
        process = Process.of(_spawn(store, run.id, at_once))
        queued = replace(run.summary, state="queued", process=process, note="")
        store.write_summary(run.id, queued)
        return store.get(run.id)
    finally:
        lock.release()


def _spawn(store: RunStore, run_id: str, at_once: int) -> int:
    """Starts the process, apart from this one's terminal and life; returns its pid."""
    command = [sys.executable, "-m", "mnist_core", "train", "--resume", run_id]
    environment = {
        **os.environ,
        "MNIST_CHECKPOINTS": str(store.root.resolve()),
        "MNIST_DATA": str(data_root().resolve()),
        "OMP_WAIT_POLICY": "PASSIVE",
        "PYTHONUNBUFFERED": "1",
    }
    apart: dict = {"start_new_session": True}
    if os.name == "nt":
        apart = {"creationflags": subprocess.CREATE_NEW_PROCESS_GROUP | subprocess.DETACHED_PROCESS}
    log = log_path(store, run_id)
    try:
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*command, "--at-once", str(at_once)],
                cwd=PROJECT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                **apart,
            )
    except OSError as error:
        raise LabError(cannot_write(log, error)) from error
    return process.pid


def log_path(store: RunStore, run_id: str) -> Path:
    """What the training process said: its progress and, if it failed, why."""
    return store.path(run_id) / "worker.log"


def pause(store: RunStore, run_id: str) -> None:
    """Asks the run to pause after the present step; the unfinished epoch is trained again."""
    store.request(store.get(run_id).id, "pause")


def stop(store: RunStore, run_id: str, grace: float = STOP_GRACE) -> Run:
    """Stops the run and makes sure that its process is gone. What it has saved stays.

    Other processes that waited for the run are stopped in turn. Raises LabError when there is
    no end of them.
    """
    for _ in range(MAX_PROCESSES):
        run = store.get(run_id)
        process = run.summary.process and run.summary.process.find()
        if run.finished or (run.state not in LIVE and not process):
            return run
        store.request(run_id, "stop")
        if process:  # one that is still starting has nothing to save, and listens to nothing yet
            training = store.progress(run_id).get("phase") == "training"
            _end(process, grace if training else 0.1)
        if _mark_stopped(store, run_id):
            return store.get(run_id)
    raise LabError(f"{run_id} goes on: other processes keep taking it up; stop those first.")


def _mark_stopped(store: RunStore, run_id: str) -> bool:
    """False when another process has the run by now."""
    lock = store.lock(run_id)
    try:
        lock.acquire(timeout=1.0)
    except Timeout:
        return False
    try:
        run = store.get(run_id)
        if not run.finished and run.summary.state != "stopped":
            store.write_summary(run_id, replace(run.summary, state="stopped", process=None))
        store.request(run_id, None)
        store.clear_progress(run_id)
        return True
    finally:
        lock.release()


def _end(process: psutil.Process, grace: float) -> None:
    """Waits for the process to end by itself, then asks, then ends it."""
    for insist in (lambda: None, process.terminate, process.kill):
        try:
            insist()
            process.wait(timeout=grace)
            return
        except psutil.NoSuchProcess:
            return
        except psutil.TimeoutExpired:
            continue
