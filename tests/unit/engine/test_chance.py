"""Dropout and RReLU: the right share, new in every step, the same forward and backward."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tests.unit.engine.oracle import error


def dropped(network, layer, pixels, seed):
    """(2, D) gradient of a linear layer behind dropout, for a single image."""
    network.step(pixels, torch.tensor([0]), seed=seed)
    return layer.weight.grad.clone()


def test_dropout_leaves_out_its_share_and_scales_the_rest(build):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.25), nn.Linear(4096, 2))
    pixels = torch.rand(1, 1, 64, 64) + 1
    network = build(model, (1, 64, 64), 1)
    first, again, other = (dropped(network, model[2], pixels, seed) for seed in (1, 1, 2))
    kept = first[0] != 0
    assert 0.72 < kept.double().mean() < 0.78
    ratios = (first[0] / pixels.flatten())[kept]
    torch.testing.assert_close(ratios, ratios[:1].expand_as(ratios), rtol=1e-5, atol=0)
    assert torch.equal(first, again)
    assert 0.3 < ((other[0] != 0) != kept).double().mean() < 0.45  # 2 * .25 * .75
    expected = model.eval()(pixels)
    torch.testing.assert_close(network.forward(pixels), expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_dropout_of_nothing_and_of_everything(build, rate):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(rate), nn.Linear(25, 2))
    network = build(model, (1, 5, 5), 2)
    pixels = torch.rand(2, 1, 5, 5)
    _, logits = network.step(pixels, torch.tensor([0, 1]))
    expected = model[2](pixels.flatten(1) * (1 - rate))
    torch.testing.assert_close(logits, expected)


def test_the_gradient_passes_where_the_value_passed(build):
    torch.manual_seed(0)
    head, tail = nn.Conv2d(1, 2, 3), nn.Linear(2 * 7 * 7, 2)
    model = nn.Sequential(head, nn.Tanh(), nn.Flatten(), nn.Dropout(0.5), tail)
    pixels = torch.rand(1, 1, 9, 9)
    build(model, (1, 9, 9), 1).step(pixels, torch.tensor([1]), seed=5)
    ours, kept = head.weight.grad.clone(), tail.weight.grad[0] != 0
    model.zero_grad()
    hidden = torch.tanh(head(pixels)).flatten(1) * kept * 2
    F.cross_entropy(tail(hidden), torch.tensor([1])).backward()
    assert error(ours, head.weight.grad) < 1e-5


def test_rrelu_draws_slopes_within_its_bounds(build):
    model = nn.Sequential(nn.Flatten(), nn.RReLU(0.1, 0.4), nn.Linear(1024, 2))
    pixels = -torch.rand(1, 1, 32, 32) - 0.5
    network = build(model, (1, 32, 32), 1)
    gradient = dropped(network, model[2], pixels, 3)
    slopes = (gradient[0] / pixels.flatten()).abs()
    ratio = slopes.min() / slopes.max()
    assert 0.25 - 1e-3 <= ratio < 0.26  # .1 / .4
    assert 0.6 < slopes.mean() / slopes.max() < 0.65  # .25 / .4
    expected = model.eval()(pixels)
    torch.testing.assert_close(network.forward(pixels), expected, rtol=1e-4, atol=1e-4)


def test_images_of_a_batch_are_treated_differently(build):
    model = nn.Sequential(nn.Flatten(), nn.Dropout(0.5), nn.Linear(64, 2))
    network = build(model, (1, 8, 8), 40)
    _, logits = network.step(torch.ones(40, 1, 8, 8), torch.zeros(40, dtype=torch.int64))
    assert len(logits.unique(dim=0)) > 35
