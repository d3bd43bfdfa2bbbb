"""The training images that a network takes to be most like an image.

They are the nearest by the values of its last hidden layer, of as many images as a network reads in
about a second. Loads without torch.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.idx import training_images
from mnist_core.evaluation.network import Network, one_thread
from mnist_core.inspection.novelty import layer_values
from mnist_core.models.stats import stats_for

MACS = 2e9  # multiply-accumulates for all of them
FEWEST, MOST = 500, 5000  # images
SEED = 0


@dataclass(frozen=True, eq=False)
class Candidates:
    """Training images, (N, 28, 28) uint8, their (N,) labels, and (N, D) values of a network's last
    hidden layer."""

    images: np.ndarray
    labels: np.ndarray
    values: np.ndarray

    def nearest(self, network: Network, image: np.ndarray, count: int) -> np.ndarray:
        """(count,) numbers of those that are most like a (28, 28) uint8 image, the nearest first.

        Near is a small Euclidean distance.
        """
        away = self.values - last_hidden(network, image[None])
        distances = np.einsum("nd,nd->n", away, away)
        return np.argsort(distances, kind="stable")[:count]


def candidates(network: Network, root: Path) -> Candidates:
    """Training images drawn at random, among which the nearest are looked for.

    Raises LabError where the data set's files are not there.
    """
    one_thread()
    config = network.run.config
    count = int(np.clip(MACS / stats_for(config).get("macs", MACS / FEWEST), FEWEST, MOST))
    images, labels = training_images(config.dataset, root, count, SEED)
    return Candidates(images, labels, last_hidden(network, images))


def last_hidden(network: Network, images: np.ndarray) -> np.ndarray:
    """(N, 28, 28) uint8 images -> (N, D) float32: what goes into the last layer with weights."""
    return layer_values(network, images)[-2]
