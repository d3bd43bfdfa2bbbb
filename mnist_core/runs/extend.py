"""Training a finished run on: a new run that starts where its parent ended."""

import time
from dataclasses import replace
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.files import read_bytes
from mnist_core.runs.run import Run
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import PER_EPOCH, Summary

EXTENDABLE = ("constant", "step", "plateau")  # their shape does not depend on the run's length
RECORDED = ("device", "threads", "engine", "snapshots")  # how a run is carried out


def extended(run: Run, epochs: Any) -> RunConfig:
    """The config of `run` with more epochs in all. Raises InputError when it cannot go on."""
    if run.config.tuning:
        raise InputError(f"extend: {run.id} was fine-tuned; fine-tune again, with more epochs")
    config = run.config.replace(epochs=epochs)
    if config.schedule not in EXTENDABLE:
        raise InputError(
            f"extend: the {config.schedule} schedule of {run.id} depends on its length, so it "
            f"cannot go on; train a new run with --epochs {config.epochs} instead"
        )
    if run.state != RunState.DONE:
        raise InputError(
            f"extend: {run.id} is {run.state}; only a run that is done can go on further"
        )
    if config.epochs <= run.config.epochs:
        raise InputError(
            f"epochs: {config.epochs} was given, the number of epochs in all; {run.id} has "
            f"{run.config.epochs}, so give {run.config.epochs + 1} or more"
        )
    return config


def branch_off(store: RunStore, parent: Run, config: RunConfig) -> None:
    """Makes the run of `config` start where `parent` ended, unless it has begun already.

    Raises InputError when the parent kept no state to go on from.
    """
    if _has_begun(store, parent, config):
        return  # in training perhaps, with its lock held
    content = parent.folder.resume_state()
    if content is None:
        raise InputError(f"extend: {parent.id} has no resume state; train a new run instead")
    with store.lock(config.id):
        if _has_begun(store, parent, config):
            return
        own = {name: getattr(parent.summary, name) for name in RECORDED}
        summary = Summary(RunState.INTERRUPTED, created=time.time(), parent=parent.id, **own)
        folder = store.create(config, summary).folder
        folder.write_weights(parent.summary.best_epoch or 0, parent.weights())
        folder.write_history(parent.history, parent.step_losses)
        if parent.summary.snapshots and (kept := read_bytes(parent.path / SNAPSHOTS)):
            folder.write_snapshots(kept)
        folder.write_resume_state(content)
        figures = {name: getattr(parent.summary, name) for name in PER_EPOCH}
        folder.write_summary(replace(summary, **figures))


def _has_begun(store: RunStore, parent: Run, config: RunConfig) -> bool:
    """False, too, for a branch that was cut short before it had the state to go on from."""
    run = store.find_folder(config)
    if run is None:
        return False
    independent = run.summary.parent != parent.id
    return independent or run.finished or run.state in LIVE or run.folder.resume_state() is not None
