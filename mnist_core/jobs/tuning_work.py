"""What the process of a fine-tuned run does: it measures what fine-tuning brings, by leaving
drawings out, and then fine-tunes on all of them.

A run that is halted begins anew when it goes on: it takes seconds.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_core.config import Execution, RunConfig
from mnist_core.data.tuning_set import TuningSet
from mnist_core.jobs.fine_tune import kept_drawings
from mnist_core.jobs.progress import PERIOD, Reporter
from mnist_core.runs.run import PARTS, Run
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.runs.tuned import Change, Report, write_report
from mnist_core.tuning import unseen

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset
    from mnist_core.training.fine_tuning import FineTuner, Images

OF_PARENT = ("parameters", "macs", "receptive_field")

Row = dict[str, float]


def carry_out(
    store: RunStore,
    run: Run,
    execution: Execution,
    reporter: Reporter,
    dataset: Dataset | None = None,
) -> None:
    """Does all the work of a run whose lock is held. `dataset` is the run's, if it is loaded.

    Raises LabError where the drawings, the parent or the data set have gone, and what
    `Mailbox.check` raises.
    """
    from mnist_core.data.datasets import load
    from mnist_core.training.fine_tuning import FineTuner

    tuning, drawings = run.config.tuned, kept_drawings(store, run)
    parent = store.get(run.config.parent.id)
    if tuning and tuning.mixed:
        dataset = dataset or load(run.config.dataset, download=False)
    else:
        dataset = None
    mixed, held = _parts(dataset, run.config) if dataset else (None, None)
    tuner = FineTuner(parent, run.config, execution, mixed)
    if tuner.engine_note:
        reporter.tell({"phase": "note", "note": tuner.engine_note})
    _Work(store, run, parent, tuner, drawings, dataset, held, reporter).measure_and_teach()


def _parts(dataset: Dataset, config: RunConfig) -> tuple[Images, Images]:
    """Of the images that training had held out: those to mix in, and those to validate on."""
    held_out = dataset.validation
    pixels = held_out.pixels(config.input_size, config.fit)
    cut = len(held_out) - unseen(len(held_out))
    return (pixels[:cut], held_out.labels[:cut]), (pixels[cut:], held_out.labels[cut:])


@dataclass
class _Work:
    """One process's work. `unseen`: images to validate on, None where the data set is not here."""

    store: RunStore
    run: Run
    parent: Run
    tuner: FineTuner
    drawings: TuningSet
    dataset: Dataset | None
    unseen: Images | None
    reporter: Reporter
    began: float = field(default_factory=time.perf_counter)
    clock: float = field(default_factory=time.process_time)  # when it began

    def measure_and_teach(self) -> None:
        """Does the work, and keeps all that came of it."""
        import torch

        from mnist_core.training.fine_tuning import folds, left_out_answers

        labels = self.drawings.labels
        images = self.tuner.pixels(self.drawings.images), torch.tensor(labels)
        before, test_before = self.tuner.read(images[0]).argmax(axis=1), self._test_logits()
        parts = folds(labels, self.drawings.hashes, self.run.config.seed)
        progress = _Progress(self.reporter, self.tuner, parts)
        after = left_out_answers(self.tuner, images, parts, progress.on_step)
        history = self._learn_all(images, progress)
        self.reporter.phase("testing")
        test_after = self._test_logits()
        test = self._change(test_before, test_after)
        was, now = (tuple(map(int, each)) for each in (before, after))
        seconds = round(time.perf_counter() - self.began, 3)
        self._keep(history, test_after, Report(was, now, int(parts.max()) + 1, test, seconds))

    def _test_logits(self) -> np.ndarray | None:
        """Of the data set's test images; None where that is not here."""
        if self.dataset is None:
            return None
        config = self.run.config
        return self.tuner.read(self.dataset.test.pixels(config.input_size, config.fit))

    def _change(self, before: np.ndarray | None, after: np.ndarray | None) -> Change | None:
        """Of logits for the test images; None without them."""
        if self.dataset is None or before is None or after is None:
            return None
        labels = self.dataset.test.labels.numpy()
        return Change.of(labels, before.argmax(axis=1), after.argmax(axis=1))

    def _learn_all(self, images: Images, progress: _Progress) -> list[Row]:
        """Learns all drawings; the rows of the history, none without images to validate on."""
        from mnist_core.evaluation.metrics import metrics

        rows, tuning, start = [], self.tuner.tuning, time.perf_counter()
        for epoch, learning in enumerate(self.tuner.epochs(images, progress.on_step), start=1):
            if self.unseen is None:
                continue
            trained = time.perf_counter() - start
            found = metrics(self.tuner.read(self.unseen[0]), self.unseen[1].numpy())
            row: Row = {"epoch": epoch}
            for name, each in (("train", learning), ("validation", found)):
                row |= {f"{name}_{k}": getattr(each, k) for k in ("loss", "accuracy", "top5")}
            row["lr"] = tuning.lr * (1 - (epoch - 1) / tuning.epochs)
            row["seconds"] = time.perf_counter() - start
            rows.append(row | {"images_per_second": learning.count / trained})
            start = time.perf_counter()
        return rows

    def _keep(self, history: list[Row], test: np.ndarray | None, report: Report) -> None:
        """Writes all that came of it; last the threshold of novelty, which belongs to the weights
        that the summary names. `test`: logits for the test images, None without the data set."""
        from mnist_core.jobs.saving import versions

        folder, tuner, epochs = self.run.folder, self.tuner, self.run.config.own_epochs
        weights = folder.write_weights(epochs, tuner.weights())
        folder.write_history(history, [])
        write_report(folder, report)
        facts: dict[str, Any] = {
            **weights,
            **{name: getattr(self.parent.summary, name) for name in OF_PARENT},
            **{name: getattr(tuner.execution, name) for name in ("device", "threads", "engine")},
            **(self._figures(history[-1], test) if test is not None else {}),
        }
        summary: Summary = replace(
            self.run.summary,
            parent=self.parent.id,
            epochs_done=epochs,
            best_epoch=epochs,
            seconds=report.seconds,
            cpu_seconds=time.process_time() - self.clock,
            engine_note=tuner.engine_note,
            versions=versions(),
            **facts,
        )
        folder.write_summary(summary)
        folder.drop_old_weights(keep=summary.weights)
        self._keep_novelty(replace(self.run, summary=summary))

    def _keep_novelty(self, run: Run) -> None:
        """The parent's measure of novelty, if it has one, fits after its threshold is set anew."""
        from mnist_core.evaluation.network import Network
        from mnist_core.inspection import novelty
        from mnist_core.inspection.novelty_fit import adapted

        of_parent = novelty.stored(self.parent)
        if of_parent and self.dataset:
            held_out = self.dataset.validation.images.numpy()
            images = held_out[-unseen(len(held_out)) :]
            found = adapted(of_parent, Network(run, self.tuner.model), images)
            run.folder.write_beside(novelty.NAME, found.to_bytes(run))

    def _figures(self, last: Row, test: np.ndarray) -> dict[str, Any]:
        """Of validation, of the test, and of the data; keeps the logits that they are from: of the
        validation images those that were not mixed in."""
        from mnist_core.evaluation.metrics import metrics, to_half

        assert self.dataset and self.unseen
        labels = {name: getattr(self.dataset, name).labels.numpy() for name in PARTS}
        self.store.write_labels(self.run.config.dataset, self.dataset.fingerprint, labels)
        logits = {"validation": self.tuner.read(self.unseen[0]), "test": test}
        self.run.folder.write_logits({part: to_half(each) for part, each in logits.items()})
        found = metrics(test, labels["test"])
        return {
            **{name: last[name] for name in last if name.startswith("validation_")},
            **{f"test_{name}": getattr(found, name) for name in ("loss", "accuracy", "top5")},
            "data_fingerprint": self.dataset.fingerprint,
            "data_note": self.dataset.note,
        }


class _Progress:
    """Tells how far the work is: which of all fine-tunings this is, in place of the epoch, and its
    step."""

    def __init__(self, reporter: Reporter, tuner: FineTuner, parts: np.ndarray) -> None:
        self.reporter, self.images = reporter, tuner.images_of_step
        sizes = [int((parts != part).sum()) for part in range(parts.max() + 1)]
        self.steps = [tuner.steps(size) for size in (*sizes, len(parts))]
        self.ends = np.cumsum(self.steps)
        self.done, self.next_report, self.began = 0, 0.0, time.monotonic()

    def on_step(self) -> None:
        """To be called after each step. Raises what Mailbox.check does."""
        self.done += 1
        now = time.monotonic()
        if now < self.next_report:
            return
        self.next_report = now + PERIOD
        self.reporter.report(self._now(max(now - self.began, 1e-3)))
        self.reporter.mailbox.check()

    def _now(self, spent: float) -> dict[str, Any]:
        number = int(np.searchsorted(self.ends, self.done))
        steps = self.steps[number]
        left = int(self.ends[-1]) - self.done
        return {
            "phase": "training",
            "epoch": number + 1,
            "epochs": len(self.steps),
            "step": self.done - int(self.ends[number]) + steps,
            "steps": steps,
            "images_per_second": round(self.done * self.images / spent, 1),
            "seconds_left": round(left * spent / self.done, 1),
            "losses": [],
        }
