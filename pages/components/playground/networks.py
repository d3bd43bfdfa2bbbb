"""The networks of the playground: one of each for all visitors, loaded when first needed."""

import time
from collections.abc import Hashable, Iterable
from contextlib import suppress

import numpy as np

from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import Vote, vote
from mnist_core.evaluation.network import Network, load_network, one_thread
from mnist_core.files import signature
from mnist_core.imaging.touching import Score
from mnist_core.inspection import novelty
from mnist_core.inspection.looks_like_digit import digit_score
from mnist_core.runs.run import Run
from pages.components.shared.cache import cached, weights_of


@cached(weights_of, spinner="Loading the network …")
def network(run: Run) -> Network:
    """The run's network, which nothing may change. Raises LabError when it cannot be loaded."""
    return load_network(run)


def networks(runs: Iterable[Run]) -> tuple[list[Network], dict[str, str]]:
    """The networks of these runs, and by its id for each run without one, why."""
    ready, reasons = [], {}
    for run in runs:
        try:
            ready.append(network(run))
        except LabError as error:
            reasons[run.id] = str(error)
    return ready, reasons


def _file_of(run: Run) -> Hashable:
    """A measure of novelty may be fitted while the lab runs."""
    try:
        return weights_of(run), signature(run.path / novelty.NAME)
    except OSError:  # there is none
        return weights_of(run), None


@cached(_file_of)
def _detector(run: Run) -> novelty.Detector | None:
    return novelty.stored(run)


def novelties(ready: Iterable[Network], image: np.ndarray) -> dict[str, float]:
    """By the run's id, how novel (28, 28) uint8 is to each of these networks, from 0 to 1.

    A run without a measure of novelty, or with a damaged one, has none.
    """
    found = {}
    for each in ready:
        with suppress(LabError):
            if detector := _detector(each.run):
                found[each.run.id] = float(detector.novelty(each, image[None])[0])
    return found


def votes_of(ready: Iterable[Network], image: np.ndarray) -> tuple[list[Vote], dict[str, float]]:
    """What each of these networks answers to (28, 28) uint8, and `novelties`.

    A network reads the image once for both, which takes about half as long; its time is for both.
    """
    one_thread()
    votes, found = list[Vote](), dict[str, float]()
    for each in ready:
        with suppress(LabError):
            if detector := _detector(each.run):
                began = time.perf_counter()
                logits, found[each.run.id] = detector.judge(each, image)
                votes.append(Vote(each.run, logits, 1000 * (time.perf_counter() - began)))
                continue
        votes += vote([each], image)
    return votes, found


def score_of(run: Run) -> Score | None:
    """How much an image looks like a digit to the run's network; None where it cannot tell."""
    with suppress(LabError):
        if detector := _detector(run):
            return digit_score(network(run), detector)
    return None
