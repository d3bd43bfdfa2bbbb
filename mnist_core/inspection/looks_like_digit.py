"""How much an image looks like a digit to a network: by this, digits that touch are parted."""

from collections.abc import Callable

import numpy as np

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.inspection.novelty import NAME, Detector, hidden_values


def digit_score(network: Network, detector: Detector) -> Callable[[np.ndarray], np.ndarray]:
    """(N, 28, 28) uint8 images -> (N,): log-probability that each is known, and is its class.

    What it returns raises LabError where the detector was made for another network.
    """

    classes = dataset_spec(network.run.config.dataset).num_classes

    def score(images: np.ndarray) -> np.ndarray:
        hidden = hidden_values(network, images)
        if hidden.shape[1] != len(detector.mean):
            raise LabError(f"{network.run.path / NAME} belongs to another network.")
        logits = hidden[:, -classes:].astype(np.float64)
        apart = logits - logits.max(axis=1, keepdims=True)
        sure: np.ndarray = -np.log(np.exp(apart).sum(axis=1))
        return sure - np.logaddexp(0, detector.scores(hidden))

    return score
