"""Carries out a run in this process: trains, saves after every epoch, tests once at the end."""

from __future__ import annotations

import io
import os
import platform
import time
from dataclasses import asdict, replace
from typing import Any

from filelock import Timeout

from mnist_core import __version__
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import LabError
from mnist_core.runs import ECHOES, HISTORY, Run, RunStore
from mnist_core.summary import PER_EPOCH, Process, Summary
from mnist_core.watcher import Asked, OnProgress, Request, Watcher, holding


def carry_out(
    store: RunStore,
    config: RunConfig,
    execution: Execution,
    *,
    on_progress: OnProgress | None = None,
    asked: Request = lambda: None,
    places: int = 0,
    dataset: Any = None,
) -> Run:
    """Trains the config's run to its end, from where it stands; returns it.

    `dataset` is the config's, for a process that has loaded it already.

    Waits while another process trains it. With `places`, waits also until fewer than that
    many processes train that were started so. Raises LabError for what a person can put right;
    the run is then "interrupted", its note says why, and nothing of it is lost.
    """
    with holding(store.lock(config.id), asked):
        run = store.find_folder(config)
        if run and run.finished:
            return run
        if run is None:  # what is not there, data or device, must leave no empty run
            dataset = dataset or _data_at_hand(config)
            if execution.device != "auto":
                _check_device(execution)
            run = store.create(config, Summary("interrupted", created=time.time()))
        watcher = Watcher(store, config, on_progress, asked)
        try:
            return _attempt(store, run, execution, watcher, dataset, places)
        except LabError as error:
            _leave(store, run.id, "interrupted", str(error))
            raise


def _leave(store: RunStore, run_id: str, state: str, note: str = "") -> Run:
    """Writes the state in which this process leaves the run."""
    summary = store.get(run_id).summary
    store.write_summary(run_id, replace(summary, state=state, note=note, process=None))
    store.request(run_id, None)
    store.clear_progress(run_id)
    return store.get(run_id)


def _attempt(
    store: RunStore,
    run: Run,
    execution: Execution,
    watcher: Watcher,
    dataset: Any,
    places: int,
) -> Run:
    from mnist_core.training import Diverged

    try:
        place = _wait_for_place(store, run, watcher, places)
        try:
            return _train(store, run, execution, watcher, dataset)
        finally:
            if place:
                place.release()
    except Diverged as error:
        return _leave(store, run.id, "diverged", str(error))
    except Asked as asked:
        return _leave(store, run.id, "paused" if str(asked) == "pause" else "stopped")


def _wait_for_place(store: RunStore, run: Run, watcher: Watcher, places: int) -> Any:
    _sign(store, run, "queued" if places else "running")
    while places:
        for number in range(places):
            place = store.named_lock(f"place-{number}")
            try:
                place.acquire(timeout=0)
            except Timeout:
                continue
            _sign(store, run, "running")
            return place
        watcher.phase("waiting")
        time.sleep(Watcher.PERIOD)
    return None


def _sign(store: RunStore, run: Run, state: str) -> None:
    process = Process.of(os.getpid())
    store.write_summary(run.id, replace(run.summary, state=state, process=process, note=""))


def _data_at_hand(config: RunConfig) -> Any:
    """Makes sure that the data set is there and whole: quickly, or by loading what was missing."""
    from mnist_core import datasets

    if datasets.missing_files(config.dataset, datasets.data_root()):
        return _load(config, None)
    datasets.check_files(config.dataset, datasets.data_root())
    return None


def _check_device(execution: Execution) -> None:
    from mnist_core.training import choose_device

    choose_device(execution.device)


def _load(config: RunConfig, watcher: Watcher | None) -> Any:
    from mnist_core import datasets

    def downloading(size: int) -> None:
        if watcher:
            watcher.tell({"phase": "downloading", "bytes": size})

    return datasets.load(config.dataset, on_download=downloading)


def _train(store: RunStore, run: Run, execution: Execution, watcher: Watcher, dataset: Any) -> Run:
    from mnist_core.training import Trainer, train

    watcher.phase("loading")
    dataset = dataset or _load(run.config, watcher)
    trainer = Trainer(run.config, dataset, _as_recorded(run.summary, execution))
    summary = _describe(run.summary, trainer, dataset)
    history, echoes, summary = _continue(store, run, trainer, summary)
    store.write_summary(run.id, summary)
    for result in train(trainer, watcher.on_step):
        history.append(asdict(result))
        echoes += [dict(zip(ECHOES, e, strict=True)) for e in trainer.echoes]
        summary = _save_epoch(store, run, trainer, history, echoes, summary)
        if watcher.on_progress:
            watcher.on_progress({"phase": "epoch", **history[-1], "epochs": run.config.epochs})
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

    from mnist_core.profiling import figures

    return replace(
        summary,
        state="running",
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


def _continue(
    store: RunStore, run: Run, trainer: Any, summary: Summary
) -> tuple[list[dict], list[dict], Summary]:
    """Loads the resume state, if there is one: history, echoes and summary go on from it."""
    import torch

    content = store.resume_state(run.id)
    if content is None:
        return [], [], summary
    try:
        # weights_only: a pickle that would run code raises instead
        state = torch.load(io.BytesIO(content), map_location="cpu", weights_only=True)
        trainer.load_state(state["trainer"])
        saved = Summary.from_dict(state["summary"])
        history, echoes = list(state["history"]), list(state["echoes"])
        if [row["epoch"] for row in history] != list(range(1, trainer.epoch + 1)):
            raise ValueError("the history is of other epochs")
        if any(set(row) != set(HISTORY) for row in history) or not saved.best_epoch:
            raise ValueError("the history lacks figures")
        if any(set(row) != set(ECHOES) for row in echoes):
            raise ValueError("the echoes lack figures")
    except Exception as error:  # whatever a damaged or hostile file makes of torch's reader
        raise LabError(
            f"The resume state of {run.id} is damaged ({type(error).__name__}); delete "
            f"{store.path(run.id) / 'resume.pt'} to train from the start."
        ) from error
    if saved.data_fingerprint != summary.data_fingerprint:
        raise LabError(
            f"{run.id} was trained on other data files than those in MNIST_DATA now; "
            "point MNIST_DATA at the same files."
        )
    return history, echoes, replace(summary, **{name: getattr(saved, name) for name in PER_EPOCH})


def _save_epoch(
    store: RunStore,
    run: Run,
    trainer: Any,
    history: list[dict],
    echoes: list[dict],
    summary: Summary,
) -> Summary:
    """Makes this epoch durable. The order matters: at any moment a reader, or a process that
    resumes, finds every file that the summary or the resume state on disk speaks of."""
    import torch

    from mnist_core.training import weights_to_bytes

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
        summary = replace(summary, **store.write_weights(run.id, best.epoch, content))
    store.write_history(run.id, history, echoes)
    buffer = io.BytesIO()
    state = {"trainer": trainer.state(), "summary": summary.to_dict()}
    torch.save({**state, "history": history, "echoes": echoes}, buffer)
    store.write_resume_state(run.id, buffer.getvalue())
    store.write_summary(run.id, summary)
    store.drop_old_weights(run.id, keep=summary.weights)
    return summary


def _finish(store: RunStore, run: Run, trainer: Any, dataset: Any, summary: Summary) -> Run:
    """Reads the test set, once, with the weights of the best validation epoch."""
    from mnist_core.datasets import resize
    from mnist_core.evaluation import load_model, logits_of, metrics, to_half

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
    store.write_logits(run.id, {part: to_half(values) for part, values in logits.items()})
    figures = {"test_loss": test.loss, "test_accuracy": test.accuracy, "test_top5": test.top5}
    store.write_summary(run.id, replace(summary, **figures))
    return _leave(store, run.id, "done")
