"""A study: made or found in a storage, and what is known of it and of its trials."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    FloatDistribution,
    IntDistribution,
)
from optuna.storages import BaseStorage
from optuna.study import StudyDirection
from optuna.trial import FrozenTrial, TrialState

from mnist_core import __version__
from mnist_core.errors import InputError, LabError, NotFound
from mnist_core.sweeps.plan import Plan, check_name
from mnist_core.sweeps.space import Dimension, Range
from mnist_core.sweeps.storage import quiet, without_credentials

DONE = (TrialState.COMPLETE, TrialState.PRUNED)
UNLIMITED = 1_000_000  # trials of a study that only its time limits
SURPLUS = "surplus"  # on a trial that was begun when there were enough
# A trial goes on while it is among the best so many per cent of the completed ones, after as many
# epochs. These become better and better, so that the median soon ends three trials in four, good
# ones among them (see tests/tools/sweep_replay.py).
KEPT = 90.0
NO_SHUFFLE = 0  # the seed of the grid's order, which all workers must share

Trials = Sequence[FrozenTrial]


@dataclass
class Study:
    """A study of the lab in a storage. Everything but its name is read when it is asked for."""

    name: str
    storage: BaseStorage
    where: str  # the storage without credentials
    plan: Plan
    optuna_study: optuna.Study = field(repr=False)

    @functools.cached_property
    def directions(self) -> int:
        return len(self.optuna_study.directions)

    def attributes(self) -> Mapping[str, Any]:
        """What the study keeps beside its trials. Raises NotFound once somebody has deleted it."""
        with self._there():
            found: Mapping[str, Any] = self.optuna_study.user_attrs
        return found

    @contextmanager
    def _there(self) -> Iterator[None]:
        try:
            yield
        except KeyError:
            raise NotFound(f"name: {self.name} was deleted from {self.where}") from None

    def keep(self, name: str, value: Any) -> None:
        self.optuna_study.set_user_attr(name, value)

    def prepare(self) -> None:
        """Lets trials be sampled and pruned as planned. Raises LabError where a package is missing.

        Whoever only looks at a study needs none.
        """
        self.plan.check_packages()
        with quiet():
            self.optuna_study.sampler = sampler_of(self.plan)
            self.optuna_study.pruner = pruner_of(self.plan)

    @property
    def wanted(self) -> int:
        """How many trials it is to have."""
        return int(self.attributes().get("trials", UNLIMITED))

    @property
    def requested(self) -> str:
        """What somebody asked of all workers: "pause", or "" for going on."""
        return str(self.attributes().get("requested", ""))

    def trials(self) -> list[FrozenTrial]:
        """All trials but surplus ones, by number. Not to be changed."""
        with self._there():
            found = self.optuna_study.get_trials(deepcopy=False)
        return [trial for trial in found if SURPLUS not in trial.user_attrs]

    def is_complete(self) -> bool:
        finished = [trial for trial in self.trials() if trial.state.is_finished()]
        return len(finished) >= self.wanted

    def best_first(self) -> list[FrozenTrial]:
        """The completed trials, the highest validation accuracy first."""
        return _best_first(self.trials())

    def status(self) -> dict[str, Any]:
        """The one JSON object that `sweep` and `sweep-status` print."""
        trials, found = self.trials(), self.attributes()
        states, wanted = [trial.state for trial in trials], int(found.get("trials", UNLIMITED))
        return {
            "name": self.name,
            "storage": self.where,
            "trials": None if wanted == UNLIMITED else wanted,
            "trials_done": sum(state in DONE for state in states),
            "trials_pruned": states.count(TrialState.PRUNED),
            "trials_failed": states.count(TrialState.FAIL),
            "trials_running": states.count(TrialState.RUNNING),
            "trials_waiting": states.count(TrialState.WAITING),
            "best": self._best(trials),
            "winner": found.get("winner"),
        }

    def _best(self, trials: Trials) -> dict[str, Any] | None:
        best = next(iter(_best_first(trials)), None)
        if best is None:
            return None
        return {
            "id": self.plan.configs(best.params)[0].id,
            "values": self.plan.space.rounded(best.params),
            "validation_accuracy": best.values[0],
        }


def _best_first(trials: Trials) -> list[FrozenTrial]:
    done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
    return sorted(done, key=lambda trial: (-trial.values[0], trial.number))


def make_study(storage: BaseStorage, url: str, name: str, plan: Plan, trials: int | None) -> Study:
    """A new study, or the one of this name, which then gets this many trials.

    None leaves their number as it is. Raises InputError for a name that has another plan, and
    LabError where a package is missing.
    """
    plan.check_packages()
    directions = [StudyDirection.MAXIMIZE] + [StudyDirection.MINIMIZE] * bool(plan.minimise)
    with quiet():
        optuna.create_study(
            storage=storage, study_name=check_name(name), directions=directions, load_if_exists=True
        )
    made = _load(storage, url, name)
    if "plan" not in made.user_attrs:  # also where a kill came between the two steps
        made.set_user_attr("version", __version__)
        made.set_user_attr("plan", plan.to_json())
    study = find_study(storage, url, name)
    if study.plan.to_json() != plan.to_json():
        raise InputError(
            f"name: {name} was given, which is a study with another space, sampler, pruner or "
            "number of seeds; choose another name, or give the name only to go on with it"
        )
    if trials is not None or "trials" not in study.attributes():
        study.keep("trials", UNLIMITED if trials is None else trials)
    return study


def find_study(storage: BaseStorage, url: str, name: str | None) -> Study:
    """The study of this name; without one, the only study. Raises NotFound, or LabError."""
    where = without_credentials(url)
    names = study_names(storage)
    if name is None and len(names) == 1:
        name = names[0]
    if name is None or name not in names:
        there = "there are " + ", ".join(names[:20]) if names else "there are no studies"
        raise NotFound(f"name: {name or 'none'} was given; in {where} {there}")
    found = _load(storage, url, name)
    if "plan" not in found.user_attrs:
        raise LabError(f"{name} in {where} is no study of this lab.")
    plan = Plan.from_json(found.user_attrs["plan"])
    return Study(name, storage, where, plan, found)


def study_names(storage: BaseStorage) -> list[str]:
    return sorted(study.study_name for study in storage.get_all_studies())


def studies_in(storage: BaseStorage, url: str) -> list[Study]:
    """All studies of the storage that are this lab's, of this version or another."""
    found = []
    for name in study_names(storage):
        with suppress(LabError):
            found.append(find_study(storage, url, name))
    return found


def _load(storage: BaseStorage, url: str, name: str) -> optuna.Study:
    try:
        return optuna.load_study(study_name=name, storage=storage)
    except KeyError:
        raise NotFound(f"name: there is no {name} in {without_credentials(url)}") from None


class _Grid(optuna.samplers.GridSampler):
    """A grid whose end the study's number of trials decides, as for every other sampler.

    Optuna's would stop its own loop, which is not used here, and raise where there is none.
    """

    def after_trial(self, *_: Any) -> None:
        pass


def sampler_of(plan: Plan) -> optuna.samplers.BaseSampler:
    samplers = optuna.samplers
    if plan.sampler == "grid":
        return _Grid(plan.grid(), seed=NO_SHUFFLE)
    if plan.sampler == "cmaes":
        return samplers.CmaEsSampler(warn_independent_sampling=False)
    if plan.sampler == "gp":
        return samplers.GPSampler()
    return samplers.RandomSampler() if plan.sampler == "random" else samplers.TPESampler()


def pruner_of(plan: Plan) -> optuna.pruners.BasePruner:
    pruners = optuna.pruners
    if plan.pruner == "wilcoxon":
        return pruners.WilcoxonPruner()
    epochs = plan.space.example().epochs * plan.seeds
    if plan.pruner == "hyperband":
        return pruners.HyperbandPruner(min_resource=1, max_resource=max(epochs, 2))
    if plan.pruner == "none":
        return pruners.NopPruner()
    kept = 50.0 if plan.pruner == "median" else KEPT
    return pruners.PercentilePruner(kept, n_warmup_steps=1)


def distribution(dimension: Dimension) -> BaseDistribution:
    if isinstance(dimension, Range):
        if dimension.whole:
            low, high, step = int(dimension.low), int(dimension.high), int(dimension.step or 1)
            return IntDistribution(low, high, log=dimension.log, step=step)
        return FloatDistribution(
            dimension.low, dimension.high, log=dimension.log, step=dimension.step
        )
    return CategoricalDistribution(dimension.options)


def sample(trial: optuna.Trial, plan: Plan) -> dict[str, Any]:
    """The values of a trial; those of a trial that is tried again are what they were."""
    values: dict[str, Any] = {}
    for name, dimension in plan.space.ordered():
        if plan.sampler == "grid" or plan.space.matters(name, values):
            values[name] = trial._suggest(name, distribution(dimension))
    return values
