"""Whether a network is as often right as it is confident. Loads without torch.

C. Guo, G. Pleiss, Y. Sun, K. Weinberger: On calibration of modern neural networks. ICML 2017.
"""

import math
from dataclasses import dataclass

import numpy as np

from mnist_core.evaluation.metrics import nll, softmax

BINS = 15
LOWEST, HIGHEST = 1e-3, 1e3  # temperatures that are tried


@dataclass(frozen=True)
class Bin:
    """The predictions with a confidence above `low` and up to `high`.

    `confidence` and `accuracy` are means, None if there are none.
    """

    low: float
    high: float
    count: int
    confidence: float | None
    accuracy: float | None

    @property
    def gap(self) -> float:
        """How far accuracy and confidence are apart; 0 if empty."""
        if self.accuracy is None or self.confidence is None:
            return 0.0
        return abs(self.accuracy - self.confidence)


@dataclass(frozen=True)
class Calibration:
    """`ece`: expected calibration error; `nll`: mean of −log p(true class) in nats.

    `brier`: mean over images of the summed squared distance between the probabilities and
    the truth, from 0 to 2.
    """

    bins: tuple[Bin, ...]
    ece: float
    nll: float
    brier: float
    accuracy: float
    confidence: float


def calibration(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> Calibration:
    """Of (N, classes) logits, divided by the temperature, and their (N,) labels."""
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    labels = np.asarray(labels, dtype=np.int64)
    probabilities = softmax(scaled)
    confidence, right = probabilities.max(axis=1), scaled.argmax(axis=1) == labels
    filled = reliability(confidence, right)
    truth = np.eye(probabilities.shape[1])[labels]
    return Calibration(
        bins=filled,
        ece=math.fsum(b.count * b.gap for b in filled) / len(labels),
        nll=nll(logits, labels, temperature),
        brier=float(((probabilities - truth) ** 2).sum(axis=1).mean()),
        accuracy=float(right.mean()),
        confidence=float(confidence.mean()),
    )


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> tuple[Bin, ...]:
    """Bins of equal width over (0, 1], each closed above: (N,) confidences, (N,) booleans."""
    edges = np.linspace(0, 1, bins + 1)
    at = np.clip(np.searchsorted(edges, confidence, side="left") - 1, 0, bins - 1)
    counts = np.bincount(at, minlength=bins)
    sums = np.bincount(at, confidence, bins), np.bincount(at, right, bins)
    return tuple(
        Bin(
            float(edges[n]),
            float(edges[n + 1]),
            int(counts[n]),
            float(sums[0][n] / counts[n]) if counts[n] else None,
            float(sums[1][n] / counts[n]) if counts[n] else None,
        )
        for n in range(bins)
    )


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature with the lowest NLL on these logits, which are the validation images'.

    The NLL is convex in 1/T. Its derivative, the mean of E_p[z] − z_true, is brought to zero by
    bisection, on a logarithmic scale from LOWEST to HIGHEST. Where every prediction is right, or
    all logits are equal, the end of that range is returned.
    """
    logits = np.asarray(logits, dtype=np.float64)
    at_label = logits[np.arange(len(logits)), np.asarray(labels)].mean()
    low, high = math.log(1 / HIGHEST), math.log(1 / LOWEST)
    for _ in range(40):
        middle = (low + high) / 2
        expected = (softmax(logits * math.exp(middle)) * logits).sum(axis=1).mean()
        low, high = (middle, high) if expected < at_label else (low, middle)
    return math.exp(-(low + high) / 2)


@dataclass(frozen=True)
class Scaled:
    """A network's calibration on its test images, as it is and divided by the temperature."""

    plain: Calibration
    scaled: Calibration
    temperature: float


def with_temperature(
    validation: tuple[np.ndarray, np.ndarray], test: tuple[np.ndarray, np.ndarray]
) -> Scaled:
    """Fits the temperature on the validation images and measures the test images.

    Of both: (N, classes) logits and their (N,) labels.
    """
    temperature = fit_temperature(*validation)
    return Scaled(calibration(*test), calibration(*test, temperature), temperature)
