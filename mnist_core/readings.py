"""What a run's network read in each test image, from its stored logits. Loads without torch."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mnist_core.errors import LabError
from mnist_core.evaluation import softmax
from mnist_core.run import Run
from mnist_core.runs import RunStore


@dataclass(frozen=True)
class Readings:
    """Of N test images: true classes, predicted classes, and the probability of the prediction."""

    labels: np.ndarray
    predicted: np.ndarray
    confidence: np.ndarray

    @property
    def wrong(self) -> np.ndarray:
        """The places of the misread images in the test set, the most confident mistake first."""
        places = np.flatnonzero(self.predicted != self.labels)
        return places[np.argsort(-self.confidence[places], kind="stable")]

    @property
    def right(self) -> np.ndarray:
        """The places of the well read images, the least confident first."""
        places = np.flatnonzero(self.predicted == self.labels)
        return places[np.argsort(self.confidence[places], kind="stable")]


def readings(store: RunStore, run: Run) -> Readings:
    """Raises NotFound for a run without logits, LabError for a damaged file."""
    logits = run.logits()["test"]
    labels = store.labels(run)["test"]
    if len(labels) != len(logits):
        raise LabError(f"{run.id} has {len(logits)} logits, but there are {len(labels)} labels.")
    return Readings(labels, logits.argmax(axis=1), softmax(logits).max(axis=1))
