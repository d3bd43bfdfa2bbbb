"""Carries out a run in this process: waits for its place, trains, saves, tests once at the end."""

from __future__ import annotations

import os
import time
from contextlib import AbstractContextManager, suppress
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

from filelock import FileLock, Timeout

from mnist_core import paths
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError, in_one_line, is_about_memory
from mnist_core.files import sweep
from mnist_core.jobs import fine_tune, queue, scheduler
from mnist_core.jobs.heartbeat import beating
from mnist_core.jobs.mailbox import Mailbox, Request, StopRequested
from mnist_core.jobs.progress import OnProgress, Reporter
from mnist_core.jobs.saving import (
    describe,
    keep_test_results,
    save_epoch,
    save_partial_epoch,
)
from mnist_core.runs.process import Process
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training.results import Diverged, Step
from mnist_core.training.resume import Record, go_on_from

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset
    from mnist_core.training.trainer import Trainer


def carry_out(
    store: RunStore,
    config: RunConfig,
    execution: Execution,
    *,
    on_progress: OnProgress | None = None,
    signalled: Request = lambda: None,
    at_once: queue.AtOnce | None = None,
    dataset: Dataset | None = None,
    test: bool = True,
) -> Run:
    """Trains the config's run to its end, from where it stands; returns it.

    Without `test` the test set is not read: the run has no test figures and keeps no logits, until
    it is asked for with `test`. `signalled` says what a signal asked for. `dataset` is the
    config's, for a process that has loaded it already.

    Waits while another process trains it. With `at_once`, it also waits in the queue: until fewer
    runs than that are in training, of those that were started so, and none that came before it
    waits. Raises LabError for what a person can put right; the run is then "interrupted", its
    note says why, and nothing of it is lost.
    """
    with _acquire(store.lock(config.id), signalled):
        run = store.find_folder(config)
        if run and run.finished:
            return _test_later(store, run, dataset) if test and lacks_test(run) else run
        fine_tune.check_prepared(config, run)
        if run is None:  # what is not there, data, device or engine, must leave no empty run
            _check_execution(config, execution)  # before anything is downloaded
            dataset = dataset or _data_at_hand(config)
            run = store.create(config, Summary(RunState.INTERRUPTED, created=time.time()))
        sweep(run.path)
        reporter = Reporter(config, Mailbox(run.folder, signalled), on_progress)
        try:
            with beating(run.folder):
                return _Attempt(store, run, execution, reporter, dataset, test).carry_out(at_once)
        except Exception as error:
            reason = _sentence(error, config)
            _leave_interrupted(store, run, reason)
            if isinstance(error, (LabError, OSError)):  # the command line has words for both
                raise
            raise LabError(reason) from error


def lacks_test(run: Run) -> bool:
    """Whether it was trained without being tested, as a sweep does, and can be tested now."""
    untested = run.state == RunState.DONE and run.summary.test_accuracy is None
    return untested and run.has_weights and not run.config.tuning


def _test_later(store: RunStore, run: Run, dataset: Dataset | None) -> Run:
    """Tests a run that was trained without; its lock is held."""
    from mnist_core.data import datasets
    from mnist_core.training.trainer import Trainer

    dataset = dataset or datasets.load(run.config.dataset)
    if dataset.fingerprint != run.summary.data_fingerprint:
        raise LabError(f"{run.id} was trained on other data files than those in MNIST_DATA now.")
    trainer = Trainer(run.config, dataset, _as_recorded(run.summary, Execution()))
    keep_test_results(store, run, trainer, dataset, run.summary)
    return store.get(run.id)


def _acquire(lock: FileLock, signalled: Request) -> AbstractContextManager[object]:
    """The lock, for a `with`; while another process holds it, Ctrl-C ends the waiting."""
    while not signalled():
        with suppress(Timeout):
            return lock.acquire(timeout=queue.PERIOD)
    raise KeyboardInterrupt


def _leave(store: RunStore, run: Run, state: RunState, note: str = "") -> Run:
    """Writes the state in which this process leaves the run."""
    summary = store.get(run.id).summary
    run.folder.clear_progress()  # makes room, on a disk that is full, for the summary
    run.folder.write_summary(replace(summary, state=state, note=note, process=None))
    run.folder.request(None)
    return store.get(run.id)


def _leave_interrupted(store: RunStore, run: Run, reason: str) -> None:
    """Says in the summary why training ended.

    Where even that cannot be written, the process that the summary names is soon gone, which says
    at least that the run is interrupted.
    """
    with suppress(LabError, OSError):
        _leave(store, run, RunState.INTERRUPTED, reason)


def _sentence(error: Exception, config: RunConfig) -> str:
    """Why training ended, whatever was raised: by the machine, its driver or torch."""
    if isinstance(error, LabError):
        return str(error)
    if is_about_memory(error):
        return (
            f"There is not enough memory to train with batches of {config.batch_size}; a smaller "
            "batch size is the first thing to try."
        )
    return f"Training ended with {in_one_line(error)}."


@dataclass
class _Attempt:
    """One process's work at a run, whose lock it holds."""

    store: RunStore
    run: Run
    execution: Execution
    reporter: Reporter
    dataset: Dataset | None
    test: bool = True

    def carry_out(self, at_once: queue.AtOnce | None) -> Run:
        slot = None
        try:
            if at_once:
                slot = self._wait_for_slot(at_once)
            process = Process.of(os.getpid())
            running = replace(self.run.summary, state=RunState.RUNNING, process=process, note="")
            self.run = replace(self.run, summary=running)
            self.run.folder.write_summary(running)
            self.reporter.phase("loading")
            import_all()
            if self.run.config.tuning:
                self._fine_tune()
            else:
                self._train()
            return _leave(self.store, self.run, RunState.DONE)
        except StopRequested as request:
            return _leave(self.store, self.run, request.state)
        except Diverged as error:
            return _leave(self.store, self.run, RunState.DIVERGED, str(error))
        finally:
            queue.leave(self.store, self.run.id)
            if slot:
                slot.release()
            scheduler.revive(self.store)

    def _wait_for_slot(self, at_once: queue.AtOnce) -> queue.Slot:
        """Waits in the queue, which the launcher has joined for this process, if it began it.

        The run then gets its share of the threads, unless they are asked for or recorded.
        """

        def look(ahead: int) -> None:
            self.reporter.phase("waiting", ahead=ahead)
            if not ahead:  # the next run gets ready; those behind it must not fill the memory
                import_all()

        if not queue.has_entered(self.run):
            self.run = queue.enter(self.store, self.run, Process.of(os.getpid()))
        slot = queue.wait_for_slot(self.store, self.run.id, at_once, look)
        if not self.execution.threads and not self.run.summary.threads:
            from mnist_core.training.threads import choose_threads

            share = max(1, (os.cpu_count() or 1) // slot.sharing)
            threads = min(choose_threads(0, self.run.config), share)
            self.execution = self.execution.replace(threads=threads)
        return slot

    def _fine_tune(self) -> None:
        from mnist_core.jobs.tuning_work import carry_out

        carry_out(self.store, self.run, self.execution, self.reporter, self.dataset)

    def _train(self) -> None:
        from mnist_core.data import datasets
        from mnist_core.training.trainer import Trainer

        run, reporter = self.run, self.reporter

        def downloading(size: int) -> None:
            reporter.report({"phase": "downloading", "bytes": size})

        dataset = self.dataset or datasets.load(run.config.dataset, on_download=downloading)
        trainer = Trainer(run.config, dataset, _as_recorded(run.summary, self.execution))
        if trainer.engine_note:
            reporter.tell({"phase": "note", "note": trainer.engine_note})
        record = go_on_from(run, trainer, describe(run.summary, trainer, dataset))
        run.folder.write_summary(record.summary)
        self._train_epochs(trainer, record)
        if self.test:
            reporter.phase("testing")
            keep_test_results(self.store, run, trainer, dataset, record.summary)

    def _train_epochs(self, trainer: Trainer, record: Record) -> None:
        """Trains to the last epoch. What is asked in between waits until its step is saved."""
        from mnist_core.training.snapshots import SnapshotRecorder
        from mnist_core.training.trainer import train

        run, reporter = self.run, self.reporter
        snapshots = SnapshotRecorder(run, trainer) if trainer.execution.snapshots else None
        if trainer.partial:
            reporter.go_on(trainer.epoch + 1, trainer.partial.losses)

        def on_step(step: Step) -> None:
            if snapshots and snapshots.on_step(step):
                run.folder.write_snapshots(snapshots.to_bytes())
            reporter.on_step(step)

        try:
            for result in train(trainer, on_step):
                save_epoch(run, trainer, record, result, snapshots)
                reporter.tell({"phase": "epoch", **asdict(result), "epochs": run.config.epochs})
                reporter.mailbox.check()  # here only an epoch's end has to be saved
        except StopRequested:
            if trainer.partial:
                save_partial_epoch(run, trainer, record, snapshots)
            raise


def import_all() -> None:
    """Imports what training needs to its very end, before it begins.

    A run may train for hours; a source file that is edited meanwhile must not reach it half way.
    """
    from mnist_core.evaluation import predict  # noqa: F401
    from mnist_core.inspection import profiling  # noqa: F401
    from mnist_core.training import fine_tuning, trainer  # noqa: F401


def _data_at_hand(config: RunConfig) -> Dataset | None:
    """Makes sure that the data set is there and whole: quickly, or by loading what was missing."""
    from mnist_core.data import datasets
    from mnist_core.data.idx import check_files, missing_files

    if missing_files(config.dataset, paths.data_root()):
        return datasets.load(config.dataset)
    check_files(config.dataset, paths.data_root())
    return None


def _check_execution(config: RunConfig, execution: Execution) -> None:
    """Raises InputError for a device or an engine that is asked for and cannot be used."""
    if execution.device != "auto":
        from mnist_core.training.setup import choose_device

        choose_device(execution.device)
    if execution.engine == "native":
        from mnist_core.training.engines import check_engine

        check_engine(config, execution)


def _as_recorded(summary: Summary, execution: Execution) -> Execution:
    """A run goes on with the device, threads and engine it began with, unless others are asked for.

    One that began natively goes on with torch where the native engine cannot be used any more.
    """
    if execution.device == "auto" and summary.device:
        execution = execution.replace(device=summary.device)
    if execution.threads == 0 and summary.threads:
        execution = execution.replace(threads=summary.threads)
    if execution.engine == "auto" and summary.device and summary.engine != "native":
        execution = execution.replace(engine="torch")
    if summary.snapshots:
        execution = execution.replace(snapshots=True)
    return execution
