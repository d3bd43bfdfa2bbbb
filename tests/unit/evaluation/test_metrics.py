"""Metrics against torch, and logits in half precision."""

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from mnist_core.evaluation.metrics import metrics, to_half


def test_metrics_agree_with_torch():
    logits = torch.randn(50, 10, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(50) % 10
    ours = metrics(logits.numpy(), labels.numpy())
    assert ours.loss == pytest.approx(float(F.cross_entropy(logits, labels)))
    assert ours.accuracy == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


def test_logits_beyond_half_precision_keep_their_order_and_stay_finite():
    logits = np.array([[1e9, 2e9, *[-1e9] * 8], [7e4, 6.9e4, *[0] * 8], [1, 2, *[0] * 8]])
    halves = to_half(logits)
    assert np.isfinite(halves).all() and halves.argmax(1).tolist() == [1, 0, 1]
    assert halves[2].tolist() == logits[2].tolist()
