"""What tools share that measure how pictures are read: a run's network with all that it decides."""

import numpy as np

from mnist_core.dataset_specs import dataset_spec
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.evaluation.network import load_network
from mnist_core.imaging.digits import digits_of, in_words
from mnist_core.inspection.looks_like_digit import digit_score
from mnist_core.inspection.novelty import stored
from mnist_core.runs.store import RunStore


class Reader:
    """A network that takes pictures apart into digits, reads them, and tells what it knows."""

    def __init__(self, run):
        self.network, self.detector = load_network(run), stored(run)
        self.score = digit_score(self.network, self.detector)
        self.classes = dataset_spec(run.config.dataset).classes

    def digits(self, stages):
        return digits_of(stages, self.score)

    def reading(self, stages):
        """What it reads, and whether it knows all of that; "" where no ink was found."""
        if stages is None:
            return "", False
        digits, names, known = self._each(stages)
        return in_words(digits, names), bool(known.all())

    def known_labels(self, stages):
        """The classes of the digits that it knows, from left to right."""
        _, names, known = self._each(stages)
        return [name for name, is_known in zip(names, known, strict=True) if is_known]

    def _each(self, stages):
        """The digits, and of each what it reads and whether it knows it."""
        digits = self.digits(stages)
        images = np.stack([digit.image for digit in digits])
        names = [self.classes[label] for label in self.network.logits(images).argmax(1)]
        return digits, names, self.detector.novelty(self.network, images) <= 0.5


def readers(models=()):
    """By its name, each of these networks, or each, by its best MNIST run; those without a measure
    of novelty are left out."""
    runs = best_of_each(RunStore().list()[0], "MNIST")
    wanted = [run for run in runs if stored(run) and (not models or run.config.model in models)]
    return {run.config.model: Reader(run) for run in wanted}
