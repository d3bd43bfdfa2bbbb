"""One trial: its runs are trained, each epoch is reported, and the study gets its curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

import optuna
from optuna.exceptions import TrialPruned, UpdateFinishedTrialError
from optuna.trial import TrialState

from mnist_core.config import Execution, RunConfig
from mnist_core.errors import InputError, LabError
from mnist_core.jobs.pool import loaded
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.claim import Claim
from mnist_core.sweeps.keeping import Keeper
from mnist_core.sweeps.record import from_record, to_record
from mnist_core.sweeps.study import Study, sample

TrainOne = Callable[..., Run]  # as `train_here`, which is replaced in simulations


def train_here(store: RunStore, config: RunConfig, execution: Execution, **calls: Any) -> Run:
    """Trains a run in this process, without a look at the test set; see jobs.worker.carry_out."""
    data = loaded(config.dataset)
    return carry_out(store, config, execution, dataset=data, test=False, **calls)


class Interrupted(Exception):
    """The trial goes back to the queue: this worker is to end, or the study is paused."""


class Lost(Exception):
    """The trial is another worker's by now."""


@dataclass
class Trials:
    """Carries out trials of one study with one worker's stores."""

    study: Study
    store: RunStore  # where finished runs are looked up
    workshop: RunStore  # where the trials' runs are until the study has their curves
    keeper: Keeper
    stopping: Callable[[], bool]
    execution: Execution = field(default_factory=lambda: Execution(threads=1, echo_every=100_000))
    train_one: TrainOne = train_here
    known: dict[str, Mapping[str, Any]] = field(default_factory=dict)  # the study's runs by id
    fingerprints: dict[str, str] = field(default_factory=dict)  # the study's data, by data set

    def carry_out(self, trial: optuna.Trial, claim: Claim) -> TrialState | None:
        """The state in which the trial ends; None when it went back to the queue, or was lost."""
        try:
            with claim.beating():
                return self._end(trial, *self._attempt(trial, claim))
        except Interrupted:
            claim.give_back()
        except (Lost, UpdateFinishedTrialError):
            pass
        return None

    def _attempt(
        self, trial: optuna.Trial, claim: Claim
    ) -> tuple[TrialState, list[float] | None, list[Run]]:
        runs: list[Run] = []
        try:
            configs = self.study.plan.configs(sample(trial, self.study.plan))
        except InputError as error:  # a combination that cannot be, such as min_lr above lr
            trial.set_user_attr("error", str(error))
            return TrialState.FAIL, None, runs
        try:
            for number, config in enumerate(configs):
                runs.append(self._run(trial, claim, number, config))
                if runs[-1].state == RunState.DIVERGED:
                    return TrialState.PRUNED, None, runs
        except TrialPruned:
            return TrialState.PRUNED, None, runs
        accuracy = fmean(run.summary.validation_accuracy or 0.0 for run in runs)
        second = self.study.plan.minimise
        values = [float(getattr(runs[0].summary, second) or 0)] if second else []
        return TrialState.COMPLETE, [accuracy, *values], runs

    def _run(self, trial: optuna.Trial, claim: Claim, number: int, config: RunConfig) -> Run:
        """The run of one seed: as it is known, or trained now."""
        reporter = _Reporter(trial, claim, self, number, config.epochs)
        run = self._known(config)
        if run is None:
            run = self.workshop.find_folder(config)
            reporter.report_all(run)
            run = self._train(config, reporter)
        else:
            reporter.report_all(run)
        self._check_data(run)
        reporter.end_of_run(run)
        return run

    def _known(self, config: RunConfig) -> Run | None:
        """A finished run of this config: in the store, in the workshop, or in the study."""
        for store in (self.store, self.workshop):
            run = store.find(config)
            if run and run.finished:
                return run
        record = self.known.get(config.id)
        run = from_record(record, self.workshop.root) if record else None
        return run if run and run.finished else None

    def _train(self, config: RunConfig, reporter: _Reporter) -> Run:
        if found := self.workshop.find_folder(config):
            found.folder.request(None)
        run = self.train_one(
            self.workshop,
            config,
            self.execution,
            on_progress=reporter.on_progress,
            signalled=reporter.requested,
        )
        if run.finished:
            return run
        if reporter.claim.lost:
            raise Lost
        if reporter.pruned:
            raise TrialPruned
        raise Interrupted

    def _check_data(self, run: Run) -> None:
        """All runs of a study are trained on the same data files."""
        known = self.fingerprints.get(run.config.dataset)
        if known not in (None, run.summary.data_fingerprint):
            raise LabError(
                f"{run.config.dataset} in MNIST_DATA differs from the files that {self.study.name} "
                "was begun with; point MNIST_DATA at the same files."
            )

    def _end(
        self, trial: optuna.Trial, state: TrialState, values: list[float] | None, runs: list[Run]
    ) -> TrialState:
        records = [to_record(run) for run in runs]
        trial.set_user_attr("runs", records)
        if state == TrialState.COMPLETE and values:
            self.keeper.keep(trial, values[0], runs)
        try:
            self.study.optuna_study.tell(trial, values, state=state)
        except ValueError as error:  # of a trial that another worker has finished
            raise Lost from error
        self.known |= {record["id"]: record for record in records}
        self.keeper.tidy(self.workshop, runs)
        return state


@dataclass
class _Reporter:
    """Tells the study of each epoch of a run, and asks whether the trial is worth going on."""

    trial: optuna.Trial
    claim: Claim
    trials: Trials
    number: int  # of the run within its trial
    epochs: int
    pruned: bool = False

    @property
    def _by_epoch(self) -> bool:
        plan = self.trials.study.plan
        return plan.pruner != "wilcoxon" and not plan.minimise

    def report_all(self, run: Run | None) -> None:
        """The epochs of a run that is there already, as of a trial that is tried again."""
        for row in run.history if run else []:
            self._report(int(row["epoch"]), row["validation_accuracy"])

    def on_progress(self, progress: Mapping[str, Any]) -> None:
        if progress["phase"] == "epoch":
            self.claim.look_if_due()
            if not self.claim.lost:
                self._report(progress["epoch"], progress["validation_accuracy"])
                last = progress["epoch"] == self.epochs
                self.pruned = self._by_epoch and not last and self.trial.should_prune()

    def _report(self, epoch: int, accuracy: float) -> None:
        if self._by_epoch:
            self.claim.report(self.trial, accuracy, self.number * self.epochs + epoch)

    def end_of_run(self, run: Run) -> None:
        """With Wilcoxon's test seeds are compared, each by its best epoch."""
        plan = self.trials.study.plan
        if plan.pruner == "wilcoxon" and run.state == RunState.DONE:
            self.trial.report(run.summary.validation_accuracy or 0.0, self.number)
            if self.number + 1 < plan.seeds and self.trial.should_prune():
                raise TrialPruned

    def requested(self) -> str | None:
        """What the training process is asked for (see jobs.mailbox)."""
        if self.pruned:
            return "stop"
        return "pause" if self.claim.lost or self.claim.paused or self.trials.stopping() else None
