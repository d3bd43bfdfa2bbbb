"""The table of a study's trials as Optuna knows them now."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any

from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState

from mnist_core.sweeps import table
from mnist_core.sweeps.study import UNLIMITED, Study
from mnist_core.sweeps.table import StudyTable, TrialRow

STATES = {
    TrialState.COMPLETE: table.DONE,
    TrialState.PRUNED: table.PRUNED,
    TrialState.FAIL: table.FAILED,
    TrialState.RUNNING: table.RUNNING,
    TrialState.WAITING: table.WAITING,
}
ENOUGH = 50  # completed trials, below which their best tenth is too few to say what matters


def table_of(study: Study) -> StudyTable:
    wanted = None if study.wanted == UNLIMITED else study.wanted
    rows = [row_of(trial, study) for trial in study.trials()]
    winner = study.attributes().get("winner")
    return StudyTable(study.name, study.plan, rows, wanted, importance(study), winner)


def row_of(trial: FrozenTrial, study: Study) -> TrialRow:
    reported = list(trial.intermediate_values.values())
    values = trial.values or []
    best = values[0] if values else max(reported, default=None)
    runs = trial.user_attrs.get("runs", ())
    epochs = sum(len(run["history"]) for run in runs) or len(reported)
    second = values[1] if len(values) > 1 else None
    space = study.plan.space
    # in the order of the space, whoever sampled it
    ordered = space.rounded({n: trial.params[n] for n, _ in space.ordered() if n in trial.params})
    state = STATES[trial.state]
    return TrialRow(trial.number, state, ordered, _finite(best), epochs, _seconds(runs), second)


def _seconds(runs: Any) -> float | None:
    """Of training, without what storage and sampling took."""
    found = [run["summary"].get("seconds") for run in runs]
    return round(sum(found), 3) if found and None not in found else None


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def importance(study: Study) -> Mapping[str, float]:
    """How much each field decides whether a trial is among the best tenth; shares of 1.

    PED-ANOVA: S. Watanabe, A. Bansal, F. Hutter, IJCAI 2023, arXiv:2304.10255. A field that only
    some settings use counts where they use it. Empty while there are too few trials.
    """
    done = study.best_first()
    if len(done) < ENOUGH:
        return {}
    used = {name for trial in done for name in trial.params}
    names = [name for name, _ in study.plan.space.ordered() if name in used]
    with warnings.catch_warnings(action="ignore"):  # that lower were better: the sign says so
        try:
            found = get_param_importances(
                study.optuna_study,
                evaluator=PedAnovaImportanceEvaluator(),
                params=names,
                target=lambda trial: -trial.values[0],
            )
        except (ValueError, RuntimeError):  # all trials are equally good, for instance
            return {}
    return {name: round(float(share), 4) for name, share in found.items()}
