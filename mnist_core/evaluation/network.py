"""Many networks read the same images: who says what, how sure, how fast, and what they agree on.

Networks are shared between visitors: nothing here writes to one or leaves anything on it. Every
thread computes on one core, so that visitors do not wait for each other's threads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.data.transforms import normalise, resize
from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.predict import load_model
from mnist_core.runs.store import Run

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Network:
    """A run and its network, ready to read."""

    run: Run
    model: nn.Module


def one_thread() -> None:
    """This process computes on one core a thread: twenty visitors are twenty threads.

    More than one each would spin while they wait for each other; see the README's measurements.
    """
    import torch

    if torch.get_num_threads() != 1:
        torch.set_num_threads(1)


def load_network(run: Run) -> Network:
    """The run's network, whose weights ask for no gradient. Raises LabError."""
    one_thread()
    return Network(run, load_model(run).requires_grad_(False))


def read_all(network: Network, images: np.ndarray, batch: int = 64) -> np.ndarray:
    """(N, 28, 28) uint8 images -> (N, classes) probabilities by one network."""
    import torch

    one_thread()
    config, parts = network.run.config, []
    with torch.inference_mode():
        for some in torch.tensor(np.ascontiguousarray(images)).split(batch):
            sized = resize(some, config.input_size, config.fit)
            values = normalise(sized, dataset_spec(config.dataset), config.scaling)
            parts.append(network.model(values))
        return softmax(torch.cat(parts).numpy(force=True))
