"""A run's network, ready to read images: the one way from images to logits and probabilities.

Networks are shared between visitors: nothing here writes to one or leaves anything on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.data.transforms import resize
from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.predict import load_model, logits_of
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    from torch import nn

AT_ONCE = 200  # images that are read while a mistake is looked for


@dataclass(frozen=True)
class Network:
    """A run and its network, in evaluation mode."""

    run: Run
    model: nn.Module

    def logits(self, images: np.ndarray) -> np.ndarray:
        """(N, 28, 28) uint8 images -> (N, classes) float32 logits."""
        import torch

        config = self.run.config
        pixels = resize(torch.tensor(images), config.input_size, config.fit)
        return logits_of(self.model, pixels, config).numpy(force=True)

    def probabilities(self, images: np.ndarray) -> np.ndarray:
        """(N, 28, 28) uint8 images -> (N, classes) probabilities in double precision."""
        return softmax(self.logits(images))


def next_mistake(
    network: Network, images: np.ndarray, labels: np.ndarray, after: int
) -> int | None:
    """The next of (N, 28, 28) images after this number that the network gets wrong.

    After the last one it goes on with the first; None where all others are read right.
    """
    one_thread()
    order = np.roll(np.arange(len(labels)), -after - 1)[:-1]
    for start in range(0, len(order), AT_ONCE):
        places = order[start : start + AT_ONCE]
        wrong = network.logits(images[places]).argmax(axis=1) != labels[places]
        if wrong.any():
            return int(places[wrong.argmax()])
    return None


def one_thread() -> None:
    """This process computes on one core a thread: twenty visitors are twenty threads.

    More than one each would spin while they wait for each other; see the README's measurements.
    """
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def load_network(run: Run) -> Network:
    """The run's network, whose weights require no gradient. Raises LabError."""
    one_thread()
    return Network(run, load_model(run).requires_grad_(False))
