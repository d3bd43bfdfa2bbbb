"""Metrics that follow from logits and labels. Loads without torch."""

import math
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Metrics:
    """Mean cross-entropy in nats, top-1 and top-5 accuracy as fractions, over `count` images."""

    loss: float
    accuracy: float
    top5: float
    count: int


def metrics(logits: np.ndarray, labels: np.ndarray) -> Metrics:
    """(N, classes) logits and (N,) labels -> their metrics, computed in double precision.

    The label counts as among the first five when fewer than five logits are higher.
    """
    logits = np.asarray(logits, dtype=np.float64)
    labels = np.asarray(labels)
    at_label = logits[np.arange(len(labels)), labels]
    loss = nll(logits, labels)
    ahead = (logits > at_label[:, None]).sum(axis=1)
    return Metrics(
        loss=loss if math.isfinite(loss) else math.nan,
        accuracy=float((logits.argmax(axis=1) == labels).mean()),
        top5=float((ahead < 5).mean()),
        count=len(labels),
    )


def nll(logits: np.ndarray, labels: np.ndarray, temperature: float = 1.0) -> float:
    """Mean negative log-likelihood in nats, also known as the cross-entropy loss.

    Of (N, classes) logits, divided by the temperature, and (N,) labels.
    """
    scaled = np.asarray(logits, dtype=np.float64) / temperature
    highest = scaled.max(axis=1)
    log_sum = np.log(np.exp(scaled - highest[:, None]).sum(axis=1)) + highest
    return float((log_sum - scaled[np.arange(len(scaled)), np.asarray(labels)]).mean())


def to_half(logits: np.ndarray) -> np.ndarray:
    """(N, classes) logits in half precision, with the same class on top in every row.

    Rounding can make the two highest equal; then the true maximum is raised by one step. Rows
    with values beyond half precision are shifted so that their highest is 0, which changes no
    probability, and cut off below.
    """
    logits = np.asarray(logits, dtype=np.float64)
    first = logits.argmax(axis=1)
    highest = logits.max(axis=1, keepdims=True)
    limit = float(np.finfo(np.float16).max)
    logits = np.where(np.abs(logits).max(axis=1, keepdims=True) < limit, logits, logits - highest)
    halves = logits.clip(-limit, limit).astype(np.float16)
    rows = np.flatnonzero(halves.argmax(axis=1) != first)
    top = halves[rows].max(axis=1)
    halves[rows, first[rows]] = np.nextafter(top, np.float16(np.inf))
    return halves


def softmax(logits: np.ndarray) -> np.ndarray:
    """(N, classes) logits -> as many probabilities, in double precision."""
    shifted = np.asarray(logits, dtype=np.float64)
    shifted = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return shifted / shifted.sum(axis=1, keepdims=True)


def confusion(predicted: np.ndarray, labels: np.ndarray, classes: int) -> np.ndarray:
    """(classes, classes) counts of (N,) predictions: row = true class, column = predicted class."""
    cells = np.asarray(labels, dtype=np.int64) * classes + predicted
    return np.bincount(cells, minlength=classes**2).reshape(classes, classes)
