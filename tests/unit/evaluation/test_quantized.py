"""Weights in fewer bits: how far off they are, and that nothing else changes."""

import torch

from mnist_core.evaluation.quantized import MANY, halved, quantized, restored


def some_tensors():
    torch.manual_seed(0)
    return {
        "large.weight": torch.randn(300, MANY // 300 + 1) * torch.logspace(-3, 3, 300)[:, None],
        "conv.weight": torch.randn(200, 60, 3, 3),
        "small.weight": torch.randn(10, 20),
        "norm.num_batches_tracked": torch.tensor(7),
    }


def test_large_tensors_have_8_bits_and_come_back_within_half_a_step():
    tensors = some_tensors()
    tensors["large.weight"][5] = 0  # a channel that is dead has no scale of its own
    kept = quantized(tensors)
    assert kept["large.weight"].dtype == kept["conv.weight"].dtype == torch.int8
    found = restored(kept)
    assert found.keys() == tensors.keys()
    for name in ("large.weight", "conv.weight"):
        rows, back = tensors[name].flatten(1), found[name].flatten(1)
        assert found[name].shape == tensors[name].shape
        step = rows.abs().amax(dim=1, keepdim=True) / 127
        assert ((rows - back).abs() <= step * 0.501).all()
    assert (found["small.weight"] == tensors["small.weight"].half()).all()
    assert found["norm.num_batches_tracked"] == 7


def test_tensors_that_were_never_quantized_stay_as_they_are():
    tensors = some_tensors()
    for kept in (tensors, halved(tensors)):
        found = restored(kept)
        assert all(found[name] is kept[name] for name in tensors)
