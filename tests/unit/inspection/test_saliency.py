"""Each saliency map against its definition; and networks stay as they are."""

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.transforms import resize, to_input
from mnist_core.errors import InputError
from mnist_core.evaluation.network import Network
from mnist_core.evaluation.predict import logits_of
from mnist_core.inspection.adversarial import attack
from mnist_core.inspection.saliency import METHODS, PATCH, Score, saliency, scores
from mnist_core.models import create_model, make_config


def fresh(name, **fields):
    """A network with random weights, as the page holds one."""
    config = make_config(name, **fields)
    torch.manual_seed(4)
    model = create_model(config.model, config.activation, config.dropout).eval()
    run = type("Run", (), {"config": config, "id": name})()
    return Network(run, model.requires_grad_(False))


def score_of(network, image, score):
    logits = network.model(to_input(torch.tensor(image)[None].float(), network.run.config))
    return float(score.of(logits)[0])


@pytest.mark.parametrize("score", [Score(7), Score(2), Score(1, 7)])
def test_integrated_gradients_sum_to_the_difference_within_their_gap(lenet, seven, score):
    found = saliency(lenet, seven, "integrated gradients", score)
    black = np.zeros_like(seven)
    difference = score_of(lenet, seven, score) - score_of(lenet, black, score)
    assert found.difference == pytest.approx(difference, abs=1e-3)
    assert abs(found.values.sum() - difference) <= found.gap + 1e-3
    assert found.gap < 0.02 * abs(difference) + 0.05
    assert not found.values[seven == 0].any()  # a black pixel went nowhere


def test_integrated_gradients_of_a_linear_network_have_no_gap(seven):
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).requires_grad_(False)
    network = Network(type("Run", (), {"config": make_config("lenet")})(), model)
    found = saliency(network, seven, "integrated gradients", Score(3))
    weights = model[1].weight[3].reshape(28, 28).numpy()
    spec = 255 * 0.3081
    assert found.gap < 1e-4
    assert np.allclose(found.values, weights * seven / spec, atol=1e-4)


@pytest.mark.parametrize("name", ["lenet5", "lenet5-1998", "mynetv2"])
def test_the_gradient_is_the_slope(name, seven):
    network, score = fresh(name, activation="Tanh"), Score(4, 2)
    network.model.double()
    values = saliency_double(network, seven, score)
    near = 0.002 * float(np.abs(values).max())
    for row, column in ((9, 14), (14, 14), (0, 0)):
        pixels = torch.tensor(seven).double()[None].repeat(2, 1, 1)
        pixels[0, row, column] += 0.5
        pixels[1, row, column] -= 0.5
        up, down = score.of(network.model(to_input(pixels, network.run.config).double()))
        assert values[row, column] == pytest.approx(255 * float(up - down), abs=near)


def saliency_double(network, image, score):
    network.model.float()
    values = saliency(network, image, "gradient", score).values
    network.model.double()
    return values


def test_occlusion_is_what_a_black_square_costs(lenet, seven):
    values, score = saliency(lenet, seven, "occlusion", Score(7)).values, Score(7)
    for row, column in ((8, 12), (14, 16), (0, 0), (26, 26)):
        covered = seven.copy()
        top, left = row - (PATCH - 2) // 2, column - (PATCH - 2) // 2
        covered[max(0, top) : top + PATCH, max(0, left) : left + PATCH] = 0
        fall = score_of(lenet, seven, score) - score_of(lenet, covered, score)
        assert (values[row : row + 2, column : column + 2] == values[row, column]).all()
        assert values[row, column] == pytest.approx(fall, abs=1e-3)


@pytest.mark.parametrize("name", ["lenet5-1998", "myfullconvnet", "medium", "ultrasmall"])
def test_grad_cam_against_its_definition(name, seven):
    network = fresh(name)
    kept = {}
    stages = dict(network.model.named_modules())
    wanted = {"lenet5-1998": "act3", "myfullconvnet": "conv5", "medium": "b3c2_act"}
    last = stages[wanted.get(name, "b2c3_act")]

    def keep(module, given, value):
        value.retain_grad()
        kept["value"] = value

    handle = last.register_forward_hook(keep)
    pixels = to_input(torch.tensor(seven)[None].float(), network.run.config).requires_grad_()
    network.model(pixels)[0, 6].backward()
    handle.remove()
    value, slope = kept["value"][0].detach(), kept["value"].grad[0]
    expected = torch.relu((slope.mean((1, 2))[:, None, None] * value).sum(0)).numpy()
    found = saliency(network, seven, "Grad-CAM", Score(6)).values
    assert expected.any() or not found.any()
    rows = np.arange(28) * len(expected) // 28
    assert np.allclose(found, expected[np.ix_(rows, rows)], atol=1e-6)


def test_grad_cam_with_an_activation_that_works_in_place(seven):
    layers = (nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 26**2, 10))
    model = nn.Sequential(*layers).requires_grad_(False)
    network = Network(type("Run", (), {"config": make_config("lenet")})(), model)
    assert saliency(network, seven, "Grad-CAM", Score(2)).values.shape == (28, 28)


def test_the_score_is_that_of_the_pipeline_but_for_rounding(lenet, seven):
    config = lenet.run.config
    score = scores(lenet, torch.tensor(seven)[None].float(), Score(7))
    real = logits_of(lenet.model, resize(torch.tensor(seven)[None], 32, config.fit), config)
    assert float(score) == pytest.approx(float(real[0, 7]), abs=0.1)


def test_an_unknown_method_is_an_input_error(lenet, seven):
    with pytest.raises(InputError, match="Grad-CAM"):
        saliency(lenet, seven, "horoscope", Score(1))


def test_nothing_is_left_on_the_network(lenet, seven):
    before = {name: value.clone() for name, value in lenet.model.state_dict().items()}
    for method in METHODS:
        saliency(lenet, seven, method, Score(3, 7))
    attack(lenet, seven)
    assert all(torch.equal(before[n], v) for n, v in lenet.model.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in lenet.model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in lenet.model.modules())
