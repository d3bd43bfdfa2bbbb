"""What a run predicts for the test images, from the logits that it keeps, and where it is wrong.

Loads without torch.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.metrics import softmax
from mnist_core.runs.bundle import BundledRun
from mnist_core.runs.run import Mistakes, Run
from mnist_core.runs.store import RunStore
from mnist_core.tuning import unseen


@dataclass(frozen=True)
class Predictions:
    """Of N test images: true classes, predicted classes, and the probability of the prediction."""

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def correct(self) -> np.ndarray:
        """(N,) booleans: for which images the prediction is right."""
        return self.predicted == self.labels

    @property
    def wrong(self) -> np.ndarray:
        """Indices of the images that are predicted wrongly, the most confident mistake first."""
        return self._ordered(~self.correct, -self.confidence)

    @property
    def right(self) -> np.ndarray:
        """Indices of the images that are predicted correctly, the least confident first."""
        return self._ordered(self.correct, self.confidence)

    def in_cell(self, label: int, predicted: int) -> np.ndarray:
        """Indices of one cell of the confusion matrix, the most confident prediction first."""
        cell = (self.labels == label) & (self.predicted == predicted)
        return self._ordered(cell, -self.confidence)

    @staticmethod
    def _ordered(chosen: np.ndarray, keys: np.ndarray) -> np.ndarray:
        """Indices of the chosen images, those with the lowest key first."""
        indices = np.flatnonzero(chosen)
        return indices[np.argsort(keys[indices], kind="stable")]


def logits_and_labels(store: RunStore, run: Run, part: str) -> tuple[np.ndarray, np.ndarray]:
    """(N, classes) logits that the run keeps of "validation" or "test", and the (N,) true labels.

    Of validation, a fine-tuned run keeps only the images that it has not learned from.

    Raises NotFound for a run without logits, LabError for a damaged file.
    """
    logits, labels = run.logits()[part], store.labels(run)[part]
    if run.config.tuning and part == "validation":
        labels = labels[-unseen(len(labels)) :]
    if len(labels) != len(logits):
        raise LabError(f"{run.id} has {len(logits)} logits, but there are {len(labels)} labels.")
    return logits, labels


def predictions(store: RunStore, run: Run) -> Predictions:
    """Of the test images. Raises as `logits_and_labels` does."""
    logits, labels = logits_and_labels(store, run, "test")
    return Predictions(labels, logits.argmax(axis=1), softmax(logits).max(axis=1))


def mistakes(store: RunStore, run: Run) -> Mistakes | None:
    """The test images that the run gets wrong; None where it keeps neither them nor its logits.

    Raises LabError for a damaged file.
    """
    if isinstance(run, BundledRun):
        return run.mistakes()
    try:
        found = predictions(store, run)
    except NotFound:
        return None
    index = np.flatnonzero(~found.correct)
    return Mistakes(
        index.astype(np.int32),
        found.predicted[index].astype(np.uint8),
        found.confidence[index].astype(np.float32),
    )


def confusions(store: RunStore, runs: Iterable[Run], classes: int) -> np.ndarray:
    """(classes, classes): how often these runs together take one class for another in the test set.

    The true class gives the row. Runs that do not tell their mistakes are left out.
    """
    counts = np.zeros((classes, classes), np.int64)
    for run in runs:
        try:
            found, labels = mistakes(store, run), store.labels(run)["test"]
        except (LabError, OSError):
            continue
        if found is not None:
            np.add.at(counts, (labels[found.index], found.answer), 1)
    return counts


@dataclass(frozen=True)
class Agreement:
    """Indices of the test images that all, some or none of the networks predict correctly.

    `some` begins with those that most networks get wrong, `none` with those where the wrong
    predictions are the most confident on average.
    """

    all: np.ndarray
    some: np.ndarray
    none: np.ndarray


def agreement(networks: Sequence[Predictions]) -> Agreement:
    """Of one network or more, all of them asked about the same images."""
    right = np.stack([each.correct for each in networks])
    confidence = np.stack([each.confidence for each in networks]).mean(axis=0)
    count = right.sum(axis=0)
    none, some = (np.flatnonzero(m) for m in (count == 0, (count > 0) & (count < len(right))))
    return Agreement(
        all=np.flatnonzero(count == len(right)),
        some=some[np.lexsort((-confidence[some], count[some]))],
        none=none[np.argsort(-confidence[none], kind="stable")],
    )
