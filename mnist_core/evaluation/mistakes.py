"""Which images a network gets wrong, and which all networks do. Loads without torch."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core.errors import LabError
from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.statistics import Interval, wilson
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


@dataclass(frozen=True)
class ClassAccuracy:
    """One class: how many of its images were right, and how far off the share may be."""

    label: int
    right: int
    count: int
    interval: Interval

    @property
    def accuracy(self) -> float:
        return self.right / self.count


def right_of(given: Readings) -> np.ndarray:
    """(N,) booleans: which images it read right."""
    return given.predicted == given.labels


def in_cell(given: Readings, label: int, predicted: int) -> np.ndarray:
    """The images of this true class that were taken for that one, the most confident first."""
    found = np.flatnonzero((given.labels == label) & (given.predicted == predicted))
    return found[np.argsort(-given.confidence[found], kind="stable")]


def by_class(given: Readings) -> list[ClassAccuracy]:
    """Accuracy of each class that has images, with Wilson's 95 % interval."""
    counts = np.bincount(given.labels)
    right = np.bincount(given.labels[right_of(given)], minlength=len(counts))
    return [
        ClassAccuracy(label, int(right[label]), int(counts[label]), wilson(r, n))
        for label, (r, n) in enumerate(zip(right.tolist(), counts.tolist(), strict=True))
        if n
    ]


@dataclass(frozen=True)
class Agreement:
    """Indices of the test images that all, some or none of the networks get right.

    `some` begins with those that most networks miss, `none` with those where their wrong
    answers are the most confident on average.
    """

    all: np.ndarray
    some: np.ndarray
    none: np.ndarray


def agreement(networks: Sequence[Readings]) -> Agreement:
    """Of networks that were asked about the same images; one at least."""
    right = np.stack([right_of(each) for each in networks])
    confidence = np.stack([each.confidence for each in networks]).mean(axis=0)
    count = right.sum(axis=0)
    none, some = (np.flatnonzero(m) for m in (count == 0, (count > 0) & (count < len(right))))
    return Agreement(
        all=np.flatnonzero(count == len(right)),
        some=some[np.lexsort((-confidence[some], count[some]))],
        none=none[np.argsort(-confidence[none], kind="stable")],
    )


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
