"""Test images to try a network on: by their place, and those that it got wrong. Without torch."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.images import test_set
from mnist_core.errors import InputError
from mnist_core.evaluation.predictions import predictions
from mnist_core.runs.store import Run, RunStore


@dataclass(frozen=True, eq=False)
class TestImage:
    """One image of a data set's test set: (28, 28) uint8, its class, its place counted from 0."""

    __test__ = False  # pytest: not a test
    image: np.ndarray
    label: int
    index: int
    count: int


def test_image(dataset: str, root: Path, index: int) -> TestImage:
    """The test image at this place. Raises InputError for a place that is not there, LabError."""
    images, labels = test_set(dataset, root)
    if not 0 <= index < len(images):
        raise InputError(
            f"test image: {index} was given; {dataset} has 0 to {len(images) - 1} here"
        )
    return TestImage(np.array(images[index]), int(labels[index]), index, len(images))


test_image.__test__ = False  # pytest: not a test


def wrong_places(store: RunStore, run: Run) -> np.ndarray:
    """Where in the test set this run's network is wrong, by the logits that the run keeps.

    Raises NotFound or LabError when it keeps none.
    """
    return np.sort(predictions(store, run).wrong)
