"""Carries out a run in this process: trains, saves after every epoch, tests once at the end."""

from __future__ import annotations

import io
import os
import platform
import time
from contextlib import suppress
from dataclasses import asdict, replace
from typing import Any

from mnist_core import __version__, paths
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError
from mnist_core.files import sweep
from mnist_core.jobs import queue
from mnist_core.jobs.progress import Asked, OnProgress, Request, Watcher, holding
from mnist_core.runs.folder import STEP_LOSSES
from mnist_core.runs.process import Process
from mnist_core.runs.states import RunState
from mnist_core.runs.store import Run, RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training.resume import go_on_from


def carry_out(
    store: RunStore,
    config: RunConfig,
    execution: Execution,
    *,
    on_progress: OnProgress | None = None,
    asked: Request = lambda: None,
    at_once: queue.AtOnce | None = None,
    dataset: Any = None,
) -> Run:
    """Trains the config's run to its end, from where it stands; returns it.

    `dataset` is the config's, for a process that has loaded it already.

    Waits while another process trains it. With `at_once`, waits its turn: until fewer runs
    than that train which were started so, and none waits that came before. Raises LabError for
    what a person can put right; the run is then "interrupted", its note says why, and nothing
    of it is lost.
    """
    with holding(store.lock(config.id), asked):
        run = store.find_folder(config)
        if run and run.finished:
            return run
        if run is None:  # what is not there, data or device, must leave no empty run
            dataset = dataset or _data_at_hand(config)
            if execution.device != "auto":
                _check_device(execution)
            run = store.create(config, Summary(RunState.INTERRUPTED, created=time.time()))
        sweep(run.path)
        watcher = Watcher(store, config, on_progress, asked)
        try:
            with watcher.beating():
                return _attempt(store, run, execution, watcher, dataset, at_once)
        except Exception as error:
            _leave_interrupted(store, run, error)
            raise


def _leave(store: RunStore, run_id: str, state: RunState, note: str = "") -> Run:
    """Writes the state in which this process leaves the run."""
    summary = store.get(run_id).summary
    store.folder(run_id).clear_progress()  # makes room, on a disk that is full, for the summary
    store.folder(run_id).write_summary(replace(summary, state=state, note=note, process=None))
    store.folder(run_id).request(None)
    return store.get(run_id)


def _leave_interrupted(store: RunStore, run: Run, error: Exception) -> None:
    """Says in the summary why training ended. Where even that cannot be written, the process
    that the summary names is soon gone, which says at least that the run is interrupted."""
    queue.leave(store, run.id)
    note = str(error)
    if not isinstance(error, LabError):  # of the machine or of torch: memory, driver, a fault
        note = f"Training ended with {type(error).__name__}: {note.strip().partition(chr(10))[0]}"
    with suppress(LabError, OSError):
        _leave(store, run.id, RunState.INTERRUPTED, note)


def _attempt(
    store: RunStore,
    run: Run,
    execution: Execution,
    watcher: Watcher,
    dataset: Any,
    at_once: queue.AtOnce | None,
) -> Run:
    turn, diverged = None, ()
    try:
        if at_once:
            turn, execution = _wait_for_turn(store, run, watcher, execution, at_once)
        _sign(store, run, RunState.RUNNING)
        watcher.phase("loading")
        diverged = _load_code()
        return _train(store, run, execution, watcher, dataset)
    except Asked as asked:
        return _leave(store, run.id, RunState.PAUSED if str(asked) == "pause" else RunState.STOPPED)
    except LabError as error:
        if not isinstance(error, diverged):
            raise
        return _leave(store, run.id, RunState.DIVERGED, str(error))
    finally:
        queue.leave(store, run.id)
        if turn:
            turn.end()


def _load_code() -> type[LabError]:
    """All that training needs, to its end: what is edited from now on is for the next run."""
    from mnist_core.evaluation import predict  # noqa: F401
    from mnist_core.inspection import profiling  # noqa: F401
    from mnist_core.training.trainer import Diverged

    return Diverged


def _wait_for_turn(
    store: RunStore, run: Run, watcher: Watcher, execution: Execution, at_once: queue.AtOnce
) -> tuple[queue.Turn, Execution]:
    """A turn to train and, unless threads are asked for or recorded, its share of them."""

    def look(ahead: int) -> None:
        watcher.phase("waiting", ahead=ahead)
        if not ahead:  # the next may be ready; a long line of others must not fill the memory
            _load_code()

    _sign(store, run, RunState.QUEUED)
    turn = queue.wait(store, run.id, at_once, look)
    if not execution.threads and not run.summary.threads:
        from mnist_core.training.setup import choose_threads

        share = max(1, (os.cpu_count() or 1) // turn.sharing)
        execution = execution.replace(threads=min(choose_threads(0, run.config), share))
    return turn, execution


def _sign(store: RunStore, run: Run, state: RunState) -> None:
    process = Process.of(os.getpid())
    run.folder.write_summary(replace(run.summary, state=state, process=process, note=""))


def _data_at_hand(config: RunConfig) -> Any:
    """Makes sure that the data set is there and whole: quickly, or by loading what was missing."""
    from mnist_core.data.idx import check_files, missing_files

    if missing_files(config.dataset, paths.data_root()):
        return _load(config, None)
    check_files(config.dataset, paths.data_root())
    return None


def _check_device(execution: Execution) -> None:
    from mnist_core.training.setup import choose_device

    choose_device(execution.device)


def _load(config: RunConfig, watcher: Watcher | None) -> Any:
    from mnist_core.data import datasets

    def downloading(size: int) -> None:
        if watcher:
            watcher.tell({"phase": "downloading", "bytes": size})

    return datasets.load(config.dataset, on_download=downloading)


def _train(store: RunStore, run: Run, execution: Execution, watcher: Watcher, dataset: Any) -> Run:
    from mnist_core.training.trainer import Trainer, train

    dataset = dataset or _load(run.config, watcher)
    trainer = Trainer(run.config, dataset, _as_recorded(run.summary, execution))
    summary = _describe(run.summary, trainer, dataset)
    history, step_losses, summary = go_on_from(store, run, trainer, summary)
    run.folder.write_summary(summary)
    for result in train(trainer, watcher.on_step):
        history.append(asdict(result))
        step_losses += [dict(zip(STEP_LOSSES, e, strict=True)) for e in trainer.step_losses]
        summary = _save_epoch(store, run, trainer, history, step_losses, summary)
        watcher.say({"phase": "epoch", **history[-1], "epochs": run.config.epochs})
        watcher.check()  # here nothing of an epoch would be lost
    watcher.phase("testing")
    return _finish(store, run, trainer, dataset, summary)


def _as_recorded(summary: Summary, execution: Execution) -> Execution:
    """A run goes on with the device and threads it began with, unless others are asked for."""
    if execution.device == "auto" and summary.device:
        execution = execution.replace(device=summary.device)
    if execution.threads == 0 and summary.threads:
        execution = execution.replace(threads=summary.threads)
    return execution


def _describe(summary: Summary, trainer: Any, dataset: Any) -> Summary:
    """The summary with what is known before the first step."""
    import torch

    from mnist_core.inspection.profiling import figures

    return replace(
        summary,
        state=RunState.RUNNING,
        note="",
        process=Process.of(os.getpid()),
        **figures(trainer.model, trainer.config.input_size),
        device=trainer.execution.device,
        threads=trainer.execution.threads,
        data_fingerprint=dataset.fingerprint,
        data_note=dataset.note,
        versions={
            "mnist_core": __version__,
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "platform": platform.platform(),
        },
    )


def _save_epoch(
    store: RunStore,
    run: Run,
    trainer: Any,
    history: list[dict],
    step_losses: list[dict],
    summary: Summary,
) -> Summary:
    """Makes this epoch durable. The order matters: at any moment a reader, or a process that
    resumes, finds every file that the summary or the resume state on disk speaks of."""
    import torch

    from mnist_core.training.trainer import weights_to_bytes

    best = trainer.best
    summary = replace(
        summary,
        epochs_done=trainer.epoch,
        seconds=summary.seconds + history[-1]["seconds"],
        best_epoch=best.epoch,
        validation_loss=best.validation_loss,
        validation_accuracy=best.validation_accuracy,
        validation_top5=best.validation_top5,
    )
    if best.epoch == trainer.epoch:
        content = weights_to_bytes(trainer.model)
        summary = replace(summary, **run.folder.write_weights(best.epoch, content))
    run.folder.write_history(history, step_losses)
    buffer = io.BytesIO()
    state = {"trainer": trainer.state(), "summary": summary.to_dict()}
    torch.save({**state, "history": history, "echoes": step_losses}, buffer)
    run.folder.write_resume_state(buffer.getvalue())
    run.folder.write_summary(summary)
    run.folder.drop_old_weights(keep=summary.weights)
    return summary


def _finish(store: RunStore, run: Run, trainer: Any, dataset: Any, summary: Summary) -> Run:
    """Reads the test set, once, with the weights of the best validation epoch."""
    from mnist_core.data.transforms import resize
    from mnist_core.evaluation.metrics import metrics, to_half
    from mnist_core.evaluation.predict import load_model, logits_of

    config, device = run.config, trainer.execution.device
    model = load_model(store.get(run.id)).to(device)
    logits, labels = {}, {}
    for part in ("validation", "test"):
        split = getattr(dataset, part)
        pixels = resize(split.images, config.input_size, config.fit).to(device)
        logits[part] = logits_of(model, pixels, config).numpy(force=True)
        labels[part] = split.labels.numpy(force=True)
    test = metrics(logits["test"], labels["test"])
    store.write_labels(config.dataset, dataset.fingerprint, labels)
    run.folder.write_logits({part: to_half(values) for part, values in logits.items()})
    figures = {"test_loss": test.loss, "test_accuracy": test.accuracy, "test_top5": test.top5}
    run.folder.write_summary(replace(summary, **figures))
    run.folder.drop_old_weights(keep=summary.weights)  # of an epoch that a kill cut short
    return _leave(store, run.id, RunState.DONE)
