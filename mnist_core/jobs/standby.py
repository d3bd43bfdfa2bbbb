"""A training process on standby, which takes the seconds of its start-up away: a pool of one.

It has imported torch, the optimisers and the trainer, and loaded a data set; then it waits for one
run, which it trains as any other process would. There is one at most for each store and machine.
It ends when it has waited for IDLE seconds, when the process that started it ends, and when the
lab's source files change. Nothing depends on it: when there is none, or it does not answer, an
ordinary process is started. See `handover` for how it gets its run.
"""

import math
import os
import time
from contextlib import suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import write_json
from mnist_core.jobs import spawn
from mnist_core.jobs.handover import (
    WITHDRAWN,
    Handover,
    Offer,
    environment,
    folder,
    handovers,
    host,
    sources,
)
from mnist_core.locks import named_lock
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore

IDLE = 300.0  # seconds
ANSWER = 1.0  # seconds that it may take to answer
PAUSE = 3.0  # seconds at least between the starts of two of them
LOOK = 0.005  # seconds between two looks for an answer


def prepare(store: RunStore, config: RunConfig) -> None:
    """Has a process on standby, ready for runs like this, unless there is one.

    Returns at once. Where the store cannot be written or no process be started, there is none.
    """
    with suppress(LabError, OSError, Timeout), _lock(store).acquire(timeout=0):
        here, offer = Process.of(os.getpid()), find(store)
        code, variables = sources(), environment(store)
        if offer:
            if (offer.sources, offer.environment) == (code, variables) or offer.starter != here:
                return
            _end(offer)  # our own, which has become useless
        _sweep(store)
        file = folder(store.root) / "config.json"
        if _age(file) < PAUSE:  # the last one ended at once, or has just been taken
            return
        write_json(file, config.to_dict(), flush=False)
        command = ["train", "--standby", f"{IDLE:g}", "--config", str(file)]
        process = spawn.start(store, command, store.root / ".standby.log")
        try:
            offer = Offer(Process.of(process.pid), here, code, variables)
            Handover(store.root, process.pid).write_offer(offer)
        except Exception:
            process.kill()
            raise


def take(store: RunStore, run_id: str) -> psutil.Process | None:
    """The process on standby, which trains the run from now on; None when there is none.

    The caller holds the run's lock, for which the process waits.
    """
    with suppress(LabError, OSError, Timeout), _lock(store).acquire(timeout=0.2):
        offer = find(store)
        process = offer.process.find() if offer else None
        if not offer or not process:
            return None
        if (offer.sources, offer.environment) != (sources(), environment(store)):
            return None
        handover = Handover(store.root, process.pid)
        agreed = _hand_over(handover, run_id, process)
        handover.clear()
        return process if agreed else None
    return None


def _hand_over(handover: Handover, run_id: str, process: psutil.Process) -> bool:
    """Whether the process has agreed to train the run."""
    handover.request(run_id)
    deadline = time.monotonic() + ANSWER
    while not handover.is_decided:
        if time.monotonic() > deadline or not process.is_running():
            return not handover.decide(WITHDRAWN)
        time.sleep(LOOK)
    return True


def find(store: RunStore) -> Offer | None:
    """What the process on standby offers, if there is one that has no run yet."""
    for handover in handovers(store.root):
        offer = handover.offer()
        if offer and offer.process.lives and not handover.is_decided:
            return offer
    return None


def is_ready(store: RunStore) -> bool:
    """Whether a process on standby would train a run without any start-up."""
    return _readiness(store) is True


def is_preparing(store: RunStore) -> bool:
    """Whether there is a process on standby that is not ready yet."""
    return _readiness(store) is False


def _readiness(store: RunStore) -> bool | None:
    offer = find(store)
    return Handover(store.root, offer.process.pid).is_ready if offer else None


def end(store: RunStore) -> None:
    """Ends the process on standby, if there is one."""
    with suppress(LabError, Timeout), _lock(store).acquire(timeout=ANSWER):
        if offer := find(store):
            _end(offer)
        _sweep(store)


def _end(offer: Offer) -> None:
    """It has no run, and gets none as long as the lock is held."""
    with suppress(psutil.Error):
        if process := offer.process.find():
            process.kill()
            process.wait(ANSWER)


def _sweep(store: RunStore) -> None:
    """Removes what others have left."""
    for handover in handovers(store.root):
        offer = handover.offer()
        if not (offer and offer.process.lives):
            handover.clear()


def _age(path: Path) -> float:
    """Seconds since the file was written, or until then where the clock was set back since.

    Infinite where there is none.
    """
    with suppress(OSError):
        return abs(time.time() - path.stat().st_mtime)
    return math.inf


def _lock(store: RunStore) -> FileLock:
    """For whoever starts, takes or ends the process on standby of this machine."""
    return named_lock(store.root, f"standby-{host()}")
