"""What a training process keeps of its run: facts, every epoch, and the test at the end."""

from __future__ import annotations

import platform
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from mnist_core import __version__
from mnist_core.runs.folder import STEP_LOSSES
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training.resume import Record, resume_bytes

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset
    from mnist_core.training.results import EpochResult
    from mnist_core.training.snapshots import SnapshotRecorder
    from mnist_core.training.trainer import Trainer


def describe(summary: Summary, trainer: Trainer, dataset: Dataset) -> Summary:
    """The summary with what is known before the first step."""
    from mnist_core.inspection.profiling import figures

    costs: dict[str, Any] = figures(trainer.model, trainer.config.input_size)
    return replace(
        summary,
        **costs,
        device=trainer.execution.device,
        threads=trainer.execution.threads,
        engine=trainer.execution.engine,
        engine_note=trainer.engine_note,
        snapshots=trainer.execution.snapshots,
        data_fingerprint=dataset.fingerprint,
        data_note=dataset.note,
        versions=versions(),
    )


def versions() -> dict[str, str]:
    """Those of the lab and of what it computes with."""
    import torch

    return {
        "mnist_core": __version__,
        "python": platform.python_version(),
        "torch": str(torch.__version__),
        "platform": platform.platform(),
    }


def save_epoch(
    run: Run,
    trainer: Trainer,
    record: Record,
    result: EpochResult,
    snapshots: SnapshotRecorder | None = None,
) -> None:
    """Adds an epoch to the record and makes it durable.

    The order matters: at any moment a reader, or a process that resumes, finds every file that
    the summary or the resume state on disk speaks of.
    """
    best, folder = trainer.best or result, run.folder
    record.history.append(asdict(result))
    record.step_losses += _loss_rows(trainer)
    record.summary = replace(
        record.summary,
        epochs_done=result.epoch,
        step=None,
        steps=None,
        seconds=record.summary.seconds + result.seconds,
        cpu_seconds=record.cpu_seconds(),
        best_epoch=best.epoch,
        validation_loss=best.validation_loss,
        validation_accuracy=best.validation_accuracy,
        validation_top5=best.validation_top5,
    )
    if best.epoch == result.epoch:
        written = folder.write_weights(best.epoch, trainer.weights())
        record.summary = replace(record.summary, **written)
    folder.write_history(record.history, record.step_losses)
    if snapshots:
        folder.write_snapshots(snapshots.to_bytes())
    folder.write_resume_state(resume_bytes(trainer, record))
    folder.write_summary(record.summary)
    folder.drop_old_weights(keep=record.summary.weights)


def save_partial_epoch(
    run: Run, trainer: Trainer, record: Record, snapshots: SnapshotRecorder | None = None
) -> None:
    """Makes the steps of an unfinished epoch durable, in the same order as a finished one."""
    assert trainer.partial
    step, folder = trainer.partial.step, run.folder
    spent = record.cpu_seconds()
    record.summary = replace(record.summary, step=step, steps=trainer.steps, cpu_seconds=spent)
    folder.write_history(record.history, [*record.step_losses, *_loss_rows(trainer)])
    if snapshots:
        folder.write_snapshots(snapshots.to_bytes())
    folder.write_resume_state(resume_bytes(trainer, record))
    folder.write_summary(record.summary)


def _loss_rows(trainer: Trainer) -> list[dict[str, float]]:
    """The step losses of the epoch that the trainer has just finished, or left."""
    return [dict(zip(STEP_LOSSES, row, strict=True)) for row in trainer.step_losses]


def keep_test_results(
    store: RunStore, run: Run, trainer: Trainer, dataset: Dataset, summary: Summary
) -> None:
    """Reads the test set, once, with the weights of the best validation epoch.

    The trainer's network takes on these weights: logits come from the engine that trained it.
    """
    from mnist_core.data.transforms import resize
    from mnist_core.evaluation.metrics import metrics, to_half
    from mnist_core.evaluation.predict import load_model

    config, device = run.config, trainer.execution.device
    trainer.model.load_state_dict(load_model(store.get(run.id)).state_dict())
    logits, labels = {}, {}
    for part, split in (("validation", dataset.validation), ("test", dataset.test)):
        pixels = resize(split.images, config.input_size, config.fit).to(device)
        logits[part] = trainer.engine.logits(pixels).numpy(force=True)
        labels[part] = split.labels.numpy(force=True)
    test = metrics(logits["test"], labels["test"])
    store.write_labels(config.dataset, dataset.fingerprint, labels)
    run.folder.write_logits({part: to_half(values) for part, values in logits.items()})
    summary = replace(
        summary, test_loss=test.loss, test_accuracy=test.accuracy, test_top5=test.top5
    )
    run.folder.write_summary(summary)
    run.folder.drop_old_weights(keep=summary.weights)  # of an epoch that a kill cut short
