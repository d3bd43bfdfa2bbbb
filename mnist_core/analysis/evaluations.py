"""Evaluations of several networks as data frames, a row for each point of a chart.

`networks` maps the label of a network to its evaluation.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mnist_core.evaluation.statistics import wilson

if TYPE_CHECKING:
    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.evaluation.predictions import Predictions
    from mnist_core.evaluation.robustness import Robustness


FEW = 30  # a bin with fewer predictions says little


def reliability_points(networks: Mapping[str, Calibration]) -> pd.DataFrame:
    """A row for each network and each bin of confidences that holds predictions.

    `low` and `high` are Wilson's interval of the accuracy; bins with under FEW predictions are
    `few`.
    """
    bins = [(label, each) for label, found in networks.items() for each in found.bins]
    return pd.DataFrame(
        {
            "network": label,
            "confidence_from": each.low,
            "confidence_to": each.high,
            "predictions": each.count,
            "mean_confidence": each.confidence,
            "accuracy": each.accuracy,
            **asdict(wilson(round(each.accuracy * each.count), each.count)),
            "few": each.count < FEW,
        }
        for label, each in bins
        if each.count and each.accuracy is not None
    )


def class_points(networks: Mapping[str, Predictions], classes: Sequence[str]) -> pd.DataFrame:
    """A row for each network and class that has images; `classes` are the names of the labels."""
    rows = []
    for label, given in networks.items():
        images = np.bincount(given.labels, minlength=len(classes)).tolist()
        right = np.bincount(given.labels[given.correct], minlength=len(classes)).tolist()
        for name, correct, count in zip(classes, right, images, strict=True):
            if count:
                row = {"network": label, "class": name, "right": correct}
                rows.append(row | _accuracy(correct, count))
    return pd.DataFrame(rows)


def robustness_points(networks: Mapping[str, Robustness]) -> pd.DataFrame:
    """A row for each network, corruption and level."""
    return pd.DataFrame(
        {"network": label, "corruption": kind, "level": level, **_accuracy(right, found.images)}
        for label, found in networks.items()
        for kind, curve in found.curves.items()
        for level, right in curve
    )


def _accuracy(right: int, images: int) -> dict[str, float]:
    """The accuracy with Wilson's 95 % interval."""
    interval = wilson(right, images)
    return {"accuracy": right / images, "images": images, **asdict(interval)}
