"""Many networks classify the same image: each one's answer, confidence and time, and the mean."""

import time
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.network import Network, one_thread
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState


@dataclass(frozen=True, eq=False)
class Vote:
    """One network's answer to one image: (classes,) logits, probabilities, and the time it took."""

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
class Consensus:
    """The ensemble's answer: mean probabilities, and how many of `count` networks chose its class.

    `away` of them turned the image away: unlike anything they learned. The others' answers count;
    where all did, the mean says what is nearest.
    """

    probabilities: np.ndarray
    agreeing: int
    count: int
    away: int = 0

    @property
    def label(self) -> int:
        return int(self.probabilities.argmax())

    @property
    def is_away(self) -> bool:
        """Whether at least half of the networks turned the image away."""
        return 2 * self.away >= self.count


def rank(run: Run) -> tuple[bool, bool, float, str]:
    """Sort key: finished runs first, then by validation accuracy, the highest first.

    Fine-tuned runs come last: they are for one handwriting, and were validated on fewer images.
    """
    finished_first = run.state != RunState.DONE
    accuracy = run.summary.validation_accuracy or 0.0
    return bool(run.config.tuning), finished_first, -accuracy, run.id


def best_of_each(runs: Iterable[Run], dataset: str) -> list[Run]:
    """The best run with weights of each network trained on this data set, the best first.

    One that was fine-tuned on somebody's drawings is for these; it stands for no network.
    """
    best: dict[str, Run] = {}
    for run in sorted(runs, key=rank):
        if run.config.dataset == dataset and run.has_weights and not run.config.tuning:
            best.setdefault(network_of(run.config), run)
    return list(best.values())


def vote(networks: Iterable[Network], image: np.ndarray) -> list[Vote]:
    """Each network's answer to one (28, 28) uint8 image, and the time it takes."""
    one_thread()
    votes = []
    for network in networks:
        began = time.perf_counter()
        logits = network.logits(image[None])[0]
        votes.append(Vote(network.run, logits, 1000 * (time.perf_counter() - began)))
    return votes


def labels_of_each(networks: Sequence[Network], images: np.ndarray) -> np.ndarray:
    """(networks, N) labels: each network's answers to (N, 28, 28) uint8 images."""
    one_thread()
    return np.stack([network.logits(images).argmax(axis=1) for network in networks])


def hardest_first(right: np.ndarray) -> np.ndarray:
    """Indices of the images that some network got wrong, those that most got wrong first.

    `right`: (networks, N) booleans.
    """
    missed = np.flatnonzero(~right.all(axis=0))
    return missed[np.argsort(right[:, missed].sum(axis=0), kind="stable")]


def consensus(votes: Sequence[Vote], away: Collection[str] = ()) -> Consensus:
    """The mean of the networks' probabilities, unweighted.

    `away`: ids of the runs whose networks turned the image away.
    """
    knowing = [vote for vote in votes if vote.run.id not in away]
    mean = np.mean([vote.probabilities for vote in knowing or votes], axis=0)
    agreeing = sum(vote.label == mean.argmax() for vote in knowing)
    return Consensus(mean, agreeing, len(votes), len(votes) - len(knowing))
