"""Many networks read the same images: who says what, how sure, how fast, and what they agree on.

Networks are shared between visitors: nothing here writes to one or leaves anything on it. Every
thread computes on one core, so that visitors do not wait for each other's threads.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.datasets import SPECS, normalise, resize, to_input
from mnist_core.evaluation import load_model, softmax
from mnist_core.runs import Run

if TYPE_CHECKING:
    import torch
    from torch import nn


@dataclass(frozen=True)
class Network:
    """A run and its network, ready to read."""

    run: Run
    model: nn.Module


@dataclass(frozen=True, eq=False)
class Vote:
    """One network's answer to one image: (10,) logits and probabilities, and how long it took."""

    run: Run
    logits: np.ndarray
    milliseconds: float

    @property
    def probabilities(self) -> np.ndarray:
        return softmax(self.logits[None])[0]

    @property
    def label(self) -> int:
        return int(self.logits.argmax())

    @property
    def confidence(self) -> float:
        return float(self.probabilities[self.label])


@dataclass(frozen=True, eq=False)
class Verdict:
    """What all say together: the class with the highest mean probability, and how many chose it."""

    probabilities: np.ndarray
    agreeing: int
    count: int

    @property
    def label(self) -> int:
        return int(self.probabilities.argmax())


def rank(run: Run) -> tuple[bool, float, str]:
    """Finished runs first, and of these the more accurate on validation images."""
    return run.state != "done", -(run.summary.validation_accuracy or 0.0), run.id


def best_of_each(runs: Iterable[Run], dataset: str) -> list[Run]:
    """Of every network trained on this data set the best run that has weights, the best first."""
    best: dict[str, Run] = {}
    for run in sorted(runs, key=rank):
        if run.config.dataset == dataset and run.has_weights:
            best.setdefault(run.config.model, run)
    return list(best.values())


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


def vote(networks: Sequence[Network], image: np.ndarray) -> list[Vote]:
    """What each network says to one (28, 28) uint8 image. What they share is prepared once."""
    import torch

    one_thread()
    prepared: dict[tuple, torch.Tensor] = {}
    votes = []
    with torch.inference_mode():
        pixels = torch.tensor(image)[None]
        for network in networks:
            config = network.run.config
            form = (config.input_size, config.fit, config.scaling)
            if form not in prepared:
                prepared[form] = to_input(pixels, config)
            began = time.perf_counter()
            logits = network.model(prepared[form])[0].numpy(force=True)
            votes.append(Vote(network.run, logits, 1000 * (time.perf_counter() - began)))
    return votes


def together(votes: Sequence[Vote]) -> Verdict:
    """The ensemble's answer: the mean of the probabilities, every network counting the same."""
    mean = np.mean([vote.probabilities for vote in votes], axis=0)
    agreeing = sum(vote.label == mean.argmax() for vote in votes)
    return Verdict(mean, agreeing, len(votes))


def read_all(network: Network, images: np.ndarray, batch: int = 64) -> np.ndarray:
    """(N, 28, 28) uint8 images -> (N, 10) probabilities by one network."""
    import torch

    one_thread()
    config, parts = network.run.config, []
    with torch.inference_mode():
        for some in torch.tensor(np.ascontiguousarray(images)).split(batch):
            sized = resize(some, config.input_size, config.fit)
            values = normalise(sized, SPECS[config.dataset], config.scaling)
            parts.append(network.model(values))
        return softmax(torch.cat(parts).numpy(force=True))
