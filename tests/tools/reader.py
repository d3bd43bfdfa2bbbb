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
        digits = self.digits(stages)
        images = np.stack([digit.image for digit in digits])
        labels = self.network.logits(images).argmax(1)
        known = (self.detector.novelty(self.network, images) <= 0.5).all()
        return in_words(digits, [self.classes[label] for label in labels]), bool(known)


def readers(models=()):
    """By its name, each of these networks, or each, by its best MNIST run; those without a measure
    of novelty are left out."""
    runs = best_of_each(RunStore().list()[0], "MNIST")
    wanted = [run for run in runs if stored(run) and (not models or run.config.model in models)]
    return {run.config.model: Reader(run) for run in wanted}
