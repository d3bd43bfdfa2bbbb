"""Fine-tuned runs: how one is planned and begun. What its process does is in `tuning_work`.

A run lists the drawings that it learns from, and does not copy them.
"""

from __future__ import annotations

import time
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.data.tuning_set import TuningSet, check_enough, read_tuning_set
from mnist_core.errors import InputError, LabError
from mnist_core.locks import held
from mnist_core.paths import data_root
from mnist_core.rules import Number, Whole, check_value
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.runs.tuned import learned, write_learned
from mnist_core.tuning import MOST_EPOCHS, PARTS, RATES, Tuning

MIXED = 7  # images of the data set for each drawing, in a step
LEARNING_RATES = {"last": 0.002, "all": 0.001}
CAREFUL = 0.0005  # where no images can be mixed in
SMALLER = 10  # so many times smaller is the next rate, after one with which the run diverged
DRAWINGS_SEEN = 1200  # all epochs together, within these bounds:
FEWEST_EPOCHS, USUAL_EPOCHS = 3, 30
BUSY = "Another process is preparing this run; try again."
PATIENCE = 10.0  # seconds


def plan(
    store: RunStore,
    parent: Run,
    drawings: TuningSet,
    part: str | None = None,
    epochs: Any = None,
    lr: Any = None,
) -> RunConfig:
    """The config of the run that `parent` becomes by learning these drawings.

    `part` is one of PARTS, by default "all" where the data set is at hand. Raises InputError for a
    parent that cannot be fine-tuned, for too few drawings, and for values out of range.
    """
    if parent.config.tuning:
        raise InputError(
            f"run: {parent.id} was fine-tuned itself; give the run that it comes from, "
            f"{parent.config.parent.id}, which then learns all drawings at once"
        )
    if parent.state != RunState.DONE or not parent.has_weights:
        raise InputError(
            f"run: {parent.id} is {parent.state} and has "
            f"{'its' if parent.has_weights else 'no'} weights; only a run that is done and has its "
            "weights can be fine-tuned"
        )
    guarded = not missing_files(parent.config.dataset, data_root())
    part = part or ("all" if guarded else "last")
    if part not in PARTS:
        raise InputError(f"part: {part!r} was given; allowed is {' or '.join(PARTS)}")
    if part == "all" and not guarded:
        dataset = parent.config.dataset
        raise InputError(
            f"part: 'all' was given; without {dataset}'s images on this machine only the last "
            "layer can learn, or the network would forget too much; see: python -m mnist_core "
            f"datasets --download {dataset}"
        )
    check_enough(store.root, drawings, guarded=guarded)
    usual = round(DRAWINGS_SEEN / len(drawings))
    usual = min(max(usual, FEWEST_EPOCHS), USUAL_EPOCHS)
    rate = LEARNING_RATES[part] if guarded else CAREFUL
    tuning = Tuning(
        part,
        len(drawings),
        drawings.fingerprint,
        usual if epochs is None else check_value("epochs", epochs, Whole(1, MOST_EPOCHS)),
        rate if lr is None else check_value("lr", lr, Number(*RATES)),
        MIXED if guarded else 0,
    )
    return parent.config.replace(tuning=str(tuning))


def plan_next(
    store: RunStore, parent: Run, drawings: TuningSet, part: str | None = None
) -> RunConfig:
    """Like `plan`, with a smaller learning rate as long as the run has diverged with the larger.

    Raises as `plan` does.
    """
    config = plan(store, parent, drawings, part)
    while (tuned := config.tuned) and tuned.lr > RATES[0] and _has_diverged(store, config):
        config = plan(store, parent, drawings, part, lr=max(tuned.lr / SMALLER, RATES[0]))
    return config


def _has_diverged(store: RunStore, config: RunConfig) -> bool:
    run = store.find_folder(config)
    return run is not None and run.state == RunState.DIVERGED


def prepare(store: RunStore, parent: Run, config: RunConfig, drawings: TuningSet) -> None:
    """Makes the run, so that a process can train it, unless it is finished or in progress.

    Raises LabError when it cannot be written.
    """
    if _has_begun(store, config):
        return
    with held(store.lock(config.id), BUSY, PATIENCE):
        if _has_begun(store, config):
            return
        summary = Summary(RunState.INTERRUPTED, created=time.time(), parent=parent.id)
        run = store.find_folder(config) or store.create(config, summary)
        write_learned(run.folder, drawings)


def _has_begun(store: RunStore, config: RunConfig) -> bool:
    run = store.find_folder(config)
    return run is not None and (run.finished or run.state in LIVE)


def check_prepared(config: RunConfig, run: Run | None) -> None:
    """Raises LabError for a fine-tuned run that nobody has prepared."""
    if run is None and config.tuning:
        raise LabError(
            f"{config.id} is {config.tuned.in_words() if config.tuned else ''} that this store "
            "does not know; make it with: python -m mnist_core fine-tune "
            f"{config.parent.id} --digits SET"
        )


def kept_drawings(store: RunStore, run: Run) -> TuningSet:
    """The drawings that the run is to learn from, as they are now. Raises LabError for others."""
    known, tuned = learned(run), run.config.tuned
    if known is None or tuned is None:
        raise LabError(f"{run.id} does not say which drawings it learns from; delete it.")
    found = read_tuning_set(store.root, run.config.dataset, known.source).only(known.files)
    if found.fingerprint != tuned.fingerprint:
        raise LabError(
            f"The drawings that {run.id} was to learn from have changed since or were removed; "
            "delete it, and start again with those that are there."
        )
    return found
