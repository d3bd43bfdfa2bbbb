"""Brings a study home: its runs' curves into one file, and the ten best with their weights."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from mnist_core.errors import LabError
from mnist_core.runs.bundle import read_bundle, write_bundle
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.keeping import MOST, Keeper
from mnist_core.sweeps.record import RecordedRun, from_record
from mnist_core.sweeps.study import Study


def collect(study: Study, store: RunStore, keeper: Keeper) -> dict[str, int]:
    """Writes what the study knows into the store; returns how many runs and weights are there.

    Only what is not there yet is fetched. Pruned trials stay in the study: their runs have no end.
    """
    best = study.best_first()
    runs: dict[str, Run] = {}
    for trial in sorted(best, key=lambda trial: trial.number):
        for run in _runs(trial, store.root):
            runs.setdefault(run.id, run)
    path = store.sweep_path(study.name)
    if set(runs) - set(read_bundle(path).runs):
        write_bundle(path, [*runs.values()], {})
    fetched = sum(_bring(store, keeper, trial) for trial in best[:MOST])
    keeper.forget_others()
    return {"runs": len(runs), "with_weights": fetched}


def _runs(trial: FrozenTrial, root: Path) -> list[RecordedRun]:
    found = [from_record(record, root) for record in trial.user_attrs.get("runs", ())]
    return [run for run in found if run.finished and trial.state == TrialState.COMPLETE]


def _bring(store: RunStore, keeper: Keeper, trial: FrozenTrial) -> bool:
    """Makes the folder of a trial's first run, with its weights; whether it is there now."""
    run = next(iter(_runs(trial, store.root)), None)
    if run is None:
        return False
    with store.lock(run.id):
        if store.find_folder(run.config):
            return True
        content = keeper.read(trial)
        summary = run.summary
        if content is None or not summary.best_epoch:
            return False
        if hashlib.sha256(content).hexdigest() != summary.weights_sha256:
            raise LabError(f"The weights of {run.id} are damaged on their way; collect again.")
        made = store.create(run.config, summary)
        with suppress(LabError):
            made.folder.write_weights(summary.best_epoch, content)
            made.folder.write_history(run.history, [])
        return made.has_weights
