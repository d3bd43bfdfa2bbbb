"""Brings a study home: its table and its runs' curves, and the ten best with their weights."""

from __future__ import annotations

import hashlib
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from optuna.trial import FrozenTrial, TrialState

from mnist_core.errors import LabError
from mnist_core.runs.bundle import read_bundle, write_bundle
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.keeping import MOST, Keeper
from mnist_core.sweeps.record import RecordedRun, from_record
from mnist_core.sweeps.snapshot import table_of
from mnist_core.sweeps.study import Study
from mnist_core.sweeps.table import write_table

TABLE, CURVES = 1.0, 15.0  # seconds at least between two snapshots of a study in progress
SHARE = 0.05  # of the time, at most, for snapshots


def collect(study: Study, store: RunStore, keeper: Keeper) -> dict[str, int]:
    """Writes what the study knows into the store; returns how many runs and weights are there.

    Only what is not there yet is fetched.
    """
    runs = collect_curves(study, store)
    fetched = sum(_bring(store, keeper, trial) for trial in study.best_first()[:MOST])
    keeper.forget_others()
    return {"runs": runs, "with_weights": fetched}


def collect_curves(study: Study, store: RunStore) -> int:
    """Writes the table of trials and the completed runs' curves; returns how many runs they are.

    The runs of pruned trials are in the table only: they have no end.
    """
    write_table(store, table_of(study))
    runs: dict[str, Run] = {}
    for trial in sorted(study.best_first(), key=lambda trial: trial.number):
        for run in _runs(trial, store.root):
            runs.setdefault(run.id, run)
    path = store.sweep_path(study.name)
    if set(runs) - set(read_bundle(path).runs):
        write_bundle(path, [*runs.values()], {})
    return len(runs)


@dataclass
class Snapshots:
    """Writes the table now and then, and the curves less often: it is never much of the work."""

    study: Study
    store: RunStore
    table_at: float = 0.0
    curves_at: float = field(default_factory=lambda: time.monotonic() + CURVES)

    def write_if_due(self) -> None:
        began = time.monotonic()
        if began >= self.curves_at:
            collect_curves(self.study, self.store)
            self.curves_at = _next(began, CURVES)
        elif began >= self.table_at:
            write_table(self.store, table_of(self.study))
            self.table_at = _next(began, TABLE)


def _next(began: float, period: float) -> float:
    return began + max(period, (time.monotonic() - began) / SHARE)


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
