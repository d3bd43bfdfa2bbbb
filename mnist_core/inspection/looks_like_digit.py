"""How much an image looks like a digit to a network: by this, digits that touch are parted."""

import numpy as np

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.imaging.touching import Score
from mnist_core.inspection.novelty import NAME, Detector, hidden_values


def digit_score(network: Network, detector: Detector) -> Score:
    """How much images look like a digit to the network (see imaging.touching).

    What it returns raises LabError where the detector was made for another network.
    """

    classes = dataset_spec(network.run.config.dataset).num_classes

    def score(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        hidden = hidden_values(network, images)
        if hidden.shape[1] != len(detector.mean):
            raise LabError(f"{network.run.path / NAME} belongs to another network.")
        logits = hidden[:, -classes:].astype(np.float64)
        apart = logits - logits.max(axis=1, keepdims=True)
        sure: np.ndarray = -np.log(np.exp(apart).sum(axis=1))
        novel = detector.scores(hidden)
        return sure - np.logaddexp(0, novel), -novel

    return score
