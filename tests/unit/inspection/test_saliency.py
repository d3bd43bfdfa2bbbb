"""Saliency and FGSM, each against what it is by definition; and networks stay as they are."""

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.transforms import resize, to_input
from mnist_core.errors import InputError
from mnist_core.evaluation.network import Network, load_network
from mnist_core.evaluation.predict import logits_of
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.inspection.adversarial import attack, changed
from mnist_core.inspection.saliency import METHODS, PATCH, Score, saliency, scores
from mnist_core.models import create_model, make_config
from mnist_core.runs.store import RunStore
from tests.browser.conftest import PROJECT
from tests.drawing import draw


@pytest.fixture(scope="module")
def lenet():
    return load_network(RunStore(PROJECT / "checkpoints").get("mnist-lenet5-6e531d13ef"))


@pytest.fixture(scope="module")
def seven():
    return from_canvas(draw(7)).final


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
        up, down = score.of(network.model(soft_double(pixels, network.run.config)))
        assert values[row, column] == pytest.approx(255 * float(up - down), abs=near)


def soft_double(pixels, config):
    """soft_input rounds to single precision at its end; a slope by differences needs more."""
    return to_input(pixels, config).double()


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


def test_activations_that_work_in_place_do_no_harm(seven):
    layers = (nn.Conv2d(1, 4, 3), nn.ReLU(inplace=True), nn.Flatten(), nn.Linear(4 * 26**2, 10))
    model = nn.Sequential(*layers).requires_grad_(False)
    network = Network(type("Run", (), {"config": make_config("lenet")})(), model)
    assert saliency(network, seven, "Grad-CAM", Score(2)).values.shape == (28, 28)


def test_soft_input_is_the_pipelines_but_for_rounding(lenet, seven):
    config = lenet.run.config
    score = scores(lenet, torch.tensor(seven)[None].float(), Score(7))
    real = logits_of(lenet.model, resize(torch.tensor(seven)[None], 32, config.fit), config)
    assert float(score) == pytest.approx(float(real[0, 7]), abs=0.1)


def test_another_method_is_a_sentence(lenet, seven):
    with pytest.raises(InputError, match="Grad-CAM"):
        saliency(lenet, seven, "horoscope", Score(1))


def test_the_attack_turns_the_answer_and_nothing_smaller_does(lenet, seven):
    found = attack(lenet, seven)
    assert found.label == 7 and 1 < found.smallest < 128
    steps = range(found.smallest + 1)
    answers = lenet.logits(np.stack([found.result(e) for e in steps])).argmax(1)
    assert (answers[:-1] == 7).all() and answers[-1] != 7
    assert np.abs(found.change(found.smallest)).max() == found.smallest
    assert np.array_equal(found.image + found.change(9), found.result(9))


def test_the_attack_goes_up_the_loss(lenet, seven):
    config = lenet.run.config
    direction = attack(lenet, seven).direction
    pixels = torch.tensor(seven)[None].double().requires_grad_()
    model = create_model(config.model, config.activation).double().eval()
    model.load_state_dict(lenet.model.state_dict())
    logits = model(soft_double(pixels, config))
    slope = torch.autograd.grad(nn.functional.cross_entropy(logits, torch.tensor([7])), pixels)[0]
    same = direction == torch.sign(slope[0]).numpy()
    assert same.mean() > 0.98  # signs of slopes that are next to nothing may differ


def test_a_network_that_nothing_turns():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).requires_grad_(False)
    model[1].weight.zero_()
    model[1].bias.copy_(torch.arange(10.0))
    network = Network(type("Run", (), {"config": make_config("lenet")})(), model)
    found = attack(network, np.full((28, 28), 100, np.uint8))
    assert found.smallest is None and not found.direction.any()


def test_changes_stop_at_black_and_white():
    image = np.array([[0, 250, 100]], np.uint8)
    assert changed(image, np.array([[-1, 1, 0]], np.int16), 20).tolist() == [[0, 255, 100]]


def test_nothing_is_left_on_the_network(lenet, seven):
    before = {name: value.clone() for name, value in lenet.model.state_dict().items()}
    for method in METHODS:
        saliency(lenet, seven, method, Score(3, 7))
    attack(lenet, seven)
    assert all(torch.equal(before[n], v) for n, v in lenet.model.state_dict().items())
    assert all(p.grad is None and not p.requires_grad for p in lenet.model.parameters())
    assert not any(m._forward_hooks or m._backward_hooks for m in lenet.model.modules())
