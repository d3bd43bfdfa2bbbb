"""Training a finished run on: a new run that starts where its parent ended."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.runs import Run, RunStore
from mnist_core.summary import PER_EPOCH, Summary

EXTENDABLE = ("constant", "step", "plateau")  # their shape does not depend on the run's length


def extended(run: Run, epochs: Any) -> RunConfig:
    """The config of `run` with more epochs in all. Raises InputError when it cannot go on."""
    config = run.config.replace(epochs=epochs)
    if config.schedule not in EXTENDABLE:
        raise InputError(
            f"extend: the {config.schedule} schedule of {run.id} depends on its length, so it "
            f"cannot go on; train a new run with --epochs {config.epochs} instead"
        )
    if run.state != "done":
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
    """Makes the run of `config` start where `parent` ended, unless it is there already."""
    content = store.resume_state(parent.id)
    if content is None:
        raise InputError(f"extend: {parent.id} has no resume state; train a new run instead")
    with store.lock(config.id):
        if store.find_folder(config) is not None:
            return
        summary = Summary("interrupted", created=time.time(), parent=parent.id)
        store.create(config, summary)
        store.write_weights(config.id, parent.summary.best_epoch or 0, parent.weights())
        store.write_history(config.id, parent.history, parent.echoes)
        store.write_resume_state(config.id, content)
        names = (*PER_EPOCH, "device", "threads")
        figures = {name: getattr(parent.summary, name) for name in names}
        store.write_summary(config.id, replace(summary, **figures))
