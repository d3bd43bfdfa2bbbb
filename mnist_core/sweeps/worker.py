"""A worker: takes trials of a study, one after the other, until none are left."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from mnist_core import __version__, paths
from mnist_core.config import Execution
from mnist_core.data.idx import check_files, missing_files
from mnist_core.errors import LabError
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.claim import WORKER, Claim, Watch, mark
from mnist_core.sweeps.drafts import Drafts
from mnist_core.sweeps.keeping import Keeper, artifact_store
from mnist_core.sweeps.space import Options
from mnist_core.sweeps.study import SURPLUS, UNLIMITED, Study
from mnist_core.sweeps.trial import TrainOne, Trials, train_here

LOOK = 1.0  # seconds between two looks, while other workers train the last trials
DATA = "data:"  # before the name of a data set, in the study's attribute with its fingerprint
FAILURES = 3  # trials in a row after which a worker gives up: it is the machine's fault

OnTrial = Callable[[FrozenTrial], None]


@dataclass
class Worker:
    """One process's work at a study. `stopping` says when it is to end."""

    study: Study
    store: RunStore
    artifacts: str
    stopping: Callable[[], bool]
    on_trial: OnTrial | None = None
    minutes: float | None = None
    device: str = "auto"
    train_one: TrainOne = train_here
    began: float = field(default_factory=time.monotonic)

    def __post_init__(self) -> None:
        check_version(self.study)
        self.study.prepare()
        self.watch = Watch(self.study)
        self.drafts = Drafts(self.study)
        self.trials = Trials(
            self.study,
            self.store,
            workshop_of(self.store, self.study.name),
            Keeper(self.study, artifact_store(self.artifacts)),
            self.stopping,
            Execution(device=self.device, threads=1, echo_every=100_000),
            self.train_one,
        )

    def work(self) -> int:
        """Takes trials until none are left, or it is asked to end; returns how many it finished.

        Raises LabError when trial after trial fails, and NotFound once the study is deleted.
        """
        try:
            return self._work()
        except KeyError:  # of a trial that is gone
            self.study.attributes()  # raises NotFound where the whole study is
            raise

    def _work(self) -> int:
        finished, failures = 0, 0
        while not self.stopping():
            found = self.study.attributes()
            if found.get("requested") == "pause":
                break
            taken = self._next(found)
            if taken is None:
                if self._is_over():
                    break
                time.sleep(LOOK)
                continue
            trial, claim = taken
            try:
                state = self.trials.carry_out(trial, claim)
                failures = 0
            except (LabError, OSError) as error:
                state, failures = self._fail(trial, error), failures + 1
                if failures == FAILURES:
                    raise
            if state is not None:
                finished += 1
                if self.on_trial:
                    self.on_trial(self.study.storage.get_trial(trial._trial_id))
        return finished

    def _next(self, found: Mapping[str, Any]) -> tuple[optuna.Trial, Claim] | None:
        """A trial that was tried before, or a new one while there are fewer than wanted.

        `found` has the study's attributes.
        """
        wanted = int(found.get("trials", UNLIMITED))
        trials = self.study.trials()
        self._learn(trials, found)
        stale = self.watch.requeue_stale(trials)
        waiting = any(trial.state == TrialState.WAITING for trial in trials)
        if self._is_late() or not (stale or waiting or len(trials) < wanted):
            return None
        trial, claim = self._take(trials, again=bool(stale or waiting))
        if self._is_surplus(trial, wanted):
            trial.set_user_attr(SURPLUS, True)
            self.study.optuna_study.tell(trial, state=TrialState.FAIL)
            return None
        return trial, claim

    def _take(self, trials: Sequence[FrozenTrial], again: bool) -> tuple[optuna.Trial, Claim]:
        """A trial of the queue, where there is one to be tried again, or a new one.

        Which place of a grid is a trial's depends on its number, which no draft has.
        """
        token = uuid.uuid4().hex
        if not again and self.study.plan.sampler != "grid":
            trial = self.drafts.make(trials, {WORKER: mark(token)})
            return trial, Claim(self.study, trial._trial_id, token)
        trial = self.study.optuna_study.ask()
        claim = Claim(self.study, trial._trial_id, token)
        claim.take()
        claim.reported = set(trial._cached_frozen_trial.intermediate_values)
        return trial, claim

    def _is_surplus(self, trial: optuna.Trial, wanted: int) -> bool:
        """Whether others began as many as are wanted just before this one."""
        if trial.number < wanted:
            return False
        before = [other for other in self.study.trials() if other.number < trial.number]
        return len(before) >= wanted

    def _learn(self, trials: Sequence[FrozenTrial], found: Mapping[str, Any]) -> None:
        """The runs that other workers have finished are not trained again."""
        self.trials.fingerprints = fingerprints_in(found)
        done = [trial for trial in trials if trial.state == TrialState.COMPLETE]
        self.trials.keeper.seen = [trial.values[0] for trial in done]
        for trial in done:
            for record in trial.user_attrs.get("runs", ()):
                self.trials.known.setdefault(record["id"], record)

    def _fail(self, trial: optuna.Trial, error: Exception) -> TrialState | None:
        try:
            trial.set_user_attr("error", str(error))
            self.study.optuna_study.tell(trial, state=TrialState.FAIL)
        except (ValueError, RuntimeError):  # it is another worker's by now, and finished
            return None
        return TrialState.FAIL

    def _is_late(self) -> bool:
        return self.minutes is not None and time.monotonic() - self.began > 60 * self.minutes

    def _is_over(self) -> bool:
        """Whether no trial is left, nor can come back from a worker that dies."""
        return self._is_late() or not any(
            trial.state in (TrialState.RUNNING, TrialState.WAITING) for trial in self.study.trials()
        )


def workshop_of(store: RunStore, name: str) -> RunStore:
    """A store inside the store, for the runs of a study's trials until the study has them."""
    return RunStore(store.root / ".sweeps" / name)


def artifacts_of(study: Study, given: str | None, store: RunStore) -> str:
    """Where weights are kept: as given, as the study says, or a folder in the run store."""
    where = given or study.attributes().get("artifacts")
    if where is None or (given and "://" not in given):
        where = str(Path(given or store.root / ".sweeps" / "weights").absolute())
    if "artifacts" not in study.attributes():
        study.keep("artifacts", where)
    return str(where)


def check_version(study: Study) -> None:
    """Raises LabError unless this lab is the version that the study was begun with."""
    version = study.attributes().get("version")
    if version != __version__:
        raise LabError(
            f"{study.name} was begun with version {version} of the lab, and this is {__version__}; "
            "use the same version everywhere."
        )


def check_data(study: Study) -> None:
    """Raises LabError unless the data files here are those that the study was begun with.

    The first to look, where no trial was finished yet, writes down which they are. Data that is
    not there yet is downloaded by the first trial.
    """
    varied = study.plan.space.dimensions.get("dataset")
    names = varied.options if isinstance(varied, Options) else [study.plan.space.example().dataset]
    for name in names:
        fingerprint = _fingerprint(name)
        known = fingerprints_in(study.attributes()).get(name)
        if known is None and fingerprint:
            study.keep(DATA + name, fingerprint)
        elif fingerprint not in (None, known):
            raise LabError(
                f"{name} in MNIST_DATA differs from the files that {study.name} was begun with; "
                "point MNIST_DATA at the same files."
            )


def fingerprints_in(found: Mapping[str, Any]) -> dict[str, str]:
    """Those of the study's data, by data set; `found` has the study's attributes."""
    return {k.removeprefix(DATA): str(v) for k, v in found.items() if k.startswith(DATA)}


def _fingerprint(name: str) -> str | None:
    """As data.datasets.load makes it; None for a data set that is not there."""
    from mnist_core.data.idx import fingerprint

    if missing_files(name, paths.data_root()):
        return None
    return fingerprint(check_files(name, paths.data_root()))
