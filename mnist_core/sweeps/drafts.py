"""A trial is sampled before it exists, so that one call makes it with all its values.

Optuna makes a trial and then writes each of its values by itself: with eight fields that is nine
transactions of a database, and as many more reads by the sampler. Here the sampler works on a draft
in memory, with the trials that the worker has just read.
"""

from __future__ import annotations

import copy
from collections.abc import Container, Mapping, Sequence
from datetime import datetime
from typing import Any

import optuna
from optuna.distributions import BaseDistribution
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

from mnist_core.sweeps.storage import quiet
from mnist_core.sweeps.study import Study, sample
from mnist_core.sweeps.wrapped import WrappedStorage

DRAFT = -1  # the draft's id, which no trial has


class Drafts:
    """Makes new trials of a study, each in one call."""

    def __init__(self, study: Study) -> None:
        self.study = study
        self.storage = _DraftStorage(study.storage)
        with quiet():
            self.sampling = optuna.load_study(
                study_name=study.name,
                storage=self.storage,
                sampler=study.optuna_study.sampler,
                pruner=study.optuna_study.pruner,
            )

    def make(self, trials: Sequence[FrozenTrial], user_attrs: Mapping[str, Any]) -> optuna.Trial:
        """A new trial with its values and these attributes; `trials` are all others."""
        self.storage.trials = trials
        sample(self.sampling.ask(), self.study.plan)
        draft = self.storage.draft
        draft.user_attrs = {**user_attrs}
        study = self.study.optuna_study
        return optuna.Trial(study, self.study.storage.create_new_trial(study._study_id, draft))


class _DraftStorage(WrappedStorage):
    """A study as a sampler sees it: what it writes goes into the draft."""

    def __init__(self, inner: BaseStorage) -> None:
        super().__init__(inner)
        self.trials: Sequence[FrozenTrial] = ()

    def create_new_trial(self, *_: Any) -> int:
        self.draft = FrozenTrial(
            number=1 + max((trial.number for trial in self.trials), default=-1),
            trial_id=DRAFT,
            state=TrialState.RUNNING,
            value=None,
            datetime_start=datetime.now(),
            datetime_complete=None,
            params={},
            distributions={},
            user_attrs={},
            system_attrs={},
            intermediate_values={},
        )
        return DRAFT

    def set_trial_param(
        self, _: int, param_name: str, value: float, distribution: BaseDistribution
    ) -> None:
        self.draft.distributions[param_name] = distribution
        self.draft.params[param_name] = distribution.to_external_repr(value)

    def set_trial_system_attr(self, _: int, key: str, value: Any) -> None:
        self.draft.system_attrs[key] = value

    def get_trial(self, trial_id: int) -> FrozenTrial:
        return copy.deepcopy(self.draft) if trial_id == DRAFT else super().get_trial(trial_id)

    def get_all_trials(
        self,
        _: int,
        deepcopy: bool = True,
        states: Container[TrialState] | None = None,
    ) -> list[FrozenTrial]:
        found = [trial for trial in self.trials if states is None or trial.state in states]
        return copy.deepcopy(found) if deepcopy else found
