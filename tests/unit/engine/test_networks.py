"""Whole networks: every registered one, threads, repeats, numbers that are not finite."""

import copy
import math

import pytest
import torch
from torch import nn

from mnist_core.engine.source import supports
from mnist_core.models import create_model, make_config, model_names
from tests.unit.engine.oracle import compare, images, labels

BATCH = 37  # two blocks and a part


def registered(name, activation="Tanh"):
    """Without dropout, and smooth: at a kink, rounding alone decides where a gradient goes."""
    config = make_config(name)
    torch.manual_seed(3)
    return create_model(name, activation, 0.0), (1, config.input_size, config.input_size)


@pytest.mark.parametrize("name", model_names())
def test_a_step_agrees_with_torch(build, name):
    model, shape = registered(name)
    if supports(model, shape):
        pytest.skip(supports(model, shape))
    result = compare(build, model, images(BATCH, shape), labels(BATCH, 10), smoothing=0.1)
    assert result.worst() < 1e-4, result


@pytest.mark.parametrize("name", ["lenet5", "fast"])
def test_one_two_and_three_threads_give_the_same_bits(build, name):
    model, shape = registered(name)
    pixels, answers = images(150, shape), labels(150, 10)
    results = []
    for threads in (1, 1, 2, 3):
        trained = copy.deepcopy(model)
        network = build(trained, shape, 150, threads)
        optimizer = torch.optim.SGD(trained.parameters(), lr=0.1, momentum=0.9)
        for step in range(3):
            loss, logits = network.step(pixels, answers, seed=step)
            optimizer.step()
        results.append((loss, logits, network.forward(pixels), *trained.state_dict().values()))
    for other in results[1:]:
        assert all(
            torch.equal(*map(torch.as_tensor, pair)) for pair in zip(results[0], other, strict=True)
        )


@pytest.mark.parametrize("name", ["lenet5", "fast"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_loss_that_is_not_finite_is_seen(build, name, value):
    model, shape = registered(name, "ReLU")
    network = build(model, shape, BATCH)
    pixels = images(BATCH, shape)
    pixels[-1, 0, 14, 14] = value
    loss, _ = network.step(pixels, labels(BATCH, 10))
    assert not math.isfinite(loss)


def test_parameters_and_statistics_are_the_models_own(build):
    model, shape = registered("fast")
    before = copy.deepcopy(model.state_dict())
    network = build(model, shape, BATCH)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    network.step(images(BATCH, shape), labels(BATCH, 10))
    assert int(model.norm1.num_batches_tracked) == 1
    model.load_state_dict(before)
    expected = model.eval()(images(BATCH, shape))
    torch.testing.assert_close(network.forward(images(BATCH, shape)), expected)
    model.zero_grad()
    network.step(images(BATCH, shape), labels(BATCH, 10))
    assert all(p.grad is not None for p in model.parameters())


def test_it_learns_in_batches_of_any_size(build):
    torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 2))
    pixels = images(100, (1, 8, 8))
    answers = (pixels[:, 0, 3, 3] > 0).long()
    network = build(model, (1, 8, 8), 32, threads=2)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01, fused=True)
    for _ in range(40):
        for index in torch.arange(100).split(32):
            network.step(pixels, answers[index], index=index)
            optimizer.step()
    accuracy = (network.forward(pixels).argmax(dim=1) == answers).double().mean()
    assert accuracy > 0.95


def test_inputs_that_do_not_fit_are_refused(build):
    model, shape = registered("lenet5")
    network = build(model, shape, 8)
    answers = labels(8, 10)
    for pixels, index in [
        (torch.zeros(8, 1, 28, 28), None),
        (torch.zeros(8, *shape, dtype=torch.float64), None),
        (torch.zeros(9, *shape), None),
        (torch.zeros(8, *shape), torch.arange(1, 9)),
    ]:
        with pytest.raises(ValueError):
            network.step(pixels, answers, index=index)
    with pytest.raises(ValueError, match="labels"):
        network.step(torch.zeros(8, *shape), answers + 9)
    network.close()
    with pytest.raises(ValueError, match="closed"):
        network.forward(torch.zeros(8, *shape))
