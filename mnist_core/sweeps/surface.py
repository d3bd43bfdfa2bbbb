"""Accuracy over two fields as trials found it, with what lies between them smoothed."""

from __future__ import annotations

import numpy as np

REACH = 0.16  # of an axis: how far from all trials nothing is known


def surface(points: np.ndarray, values: np.ndarray, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """A weighted mean of the trials around each place of a grid; NaN where there are none near.

    `points`: (N, 2) places of the trials, each axis from 0 to 1; `values`: (N,); `x`: (A,) and `y`:
    (B,) places of the grid. Returns (B, A). Nadaraya–Watson regression with a Gaussian kernel that
    narrows as trials become more (Scott's rule for two dimensions).
    """
    grid = np.stack(np.meshgrid(x, y), -1)
    squared = ((grid[:, :, None, :] - points) ** 2).sum(-1)
    width = 0.25 * len(points) ** (-1 / 6)
    weights = np.exp(-squared / (2 * width**2))
    total = weights.sum(-1)
    mean = (weights * values).sum(-1) / np.maximum(total, 1e-300)
    known = squared.min(-1, initial=np.inf) <= REACH**2
    return np.where(known, mean, np.nan)
