"""Evaluations of several networks as data frames, a row for each point of a chart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import pandas as pd

from mnist_core.evaluation.statistics import wilson

if TYPE_CHECKING:
    from mnist_core.evaluation.calibration import Calibration
    from mnist_core.evaluation.predictions import ClassAccuracy
    from mnist_core.evaluation.robustness import Robustness


def reliability_points(networks: Mapping[str, Calibration]) -> pd.DataFrame:
    """A row for each network (by its label) and each bin of confidences that holds answers."""
    rows = [
        {
            "network": label,
            "confidence_from": each.low,
            "confidence_to": each.high,
            "answers": each.count,
            "mean_confidence": each.confidence,
            "accuracy": each.accuracy,
        }
        for label, found in networks.items()
        for each in found.bins
        if each.count
    ]
    return pd.DataFrame(rows)


def class_points(
    networks: Mapping[str, Sequence[ClassAccuracy]], classes: Sequence[str]
) -> pd.DataFrame:
    """A row for each network (by its label) and class; `classes` are the names of the labels."""
    rows = [
        {
            "network": label,
            "class": classes[each.label],
            "accuracy": each.accuracy,
            "low": each.interval.low,
            "high": each.interval.high,
            "right": each.right,
            "images": each.count,
        }
        for label, found in networks.items()
        for each in found
    ]
    return pd.DataFrame(rows)


def robustness_points(networks: Mapping[str, Robustness]) -> pd.DataFrame:
    """A row for each network (by its label), corruption and level, with Wilson's 95 % interval."""
    rows = []
    for label, found in networks.items():
        for kind, curve in found.curves.items():
            for level, right in curve:
                interval = wilson(right, found.images)
                row = {"network": label, "corruption": kind, "level": level}
                row |= {"accuracy": right / found.images, "images": found.images}
                rows.append(row | {"low": interval.low, "high": interval.high})
    return pd.DataFrame(rows)
