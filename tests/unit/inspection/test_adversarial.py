"""The fast gradient sign method against its definition."""

import numpy as np
import torch
from torch import nn

from mnist_core.data.transforms import to_input
from mnist_core.evaluation.network import Network
from mnist_core.inspection.adversarial import Attack, attack
from mnist_core.models import create_model, make_config


def test_the_smallest_epsilon_changes_the_answer_and_no_smaller_one_does(lenet, seven):
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
    logits = model(to_input(pixels, config).double())
    slope = torch.autograd.grad(nn.functional.cross_entropy(logits, torch.tensor([7])), pixels)[0]
    same = direction == torch.sign(slope[0]).numpy()
    assert same.mean() > 0.98  # signs of slopes that are next to nothing may differ


def test_a_network_whose_answer_nothing_changes():
    model = nn.Sequential(nn.Flatten(), nn.Linear(784, 10)).requires_grad_(False)
    model[1].weight.zero_()
    model[1].bias.copy_(torch.arange(10.0))
    network = Network(type("Run", (), {"config": make_config("lenet")})(), model)
    found = attack(network, np.full((28, 28), 100, np.uint8))
    assert found.smallest is None and not found.direction.any()


def test_changes_stop_at_black_and_white():
    image = np.array([[0, 250, 100]], np.uint8)
    found = Attack(image, np.array([[-1, 1, 0]], np.int16), label=0, smallest=None)
    assert found.result(20).tolist() == [[0, 255, 100]]
