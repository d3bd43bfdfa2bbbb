"""Optimisers and schedules: rates by their formula, and states that fit."""

import math

import pytest
import torch

from mnist_core.config import OPTIMIZERS, Execution
from mnist_core.models import create_model, make_config
from mnist_core.training.optim import load_optimizer_state, make_optimizer, take_plain_step
from mnist_core.training.trainer import Trainer, train
from tests.stores import quick_config

ONE = Execution(threads=1, device="cpu", echo_every=2)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_plain_step_is_that_of_torch(name):
    config = make_config("lenet5", optimizer=name, lr=0.01, weight_decay=0.001)
    ours, theirs = (create_model("lenet5") for _ in range(2))
    theirs.load_state_dict(ours.state_dict())
    one, other = (make_optimizer(config, model, "cpu") for model in (ours, theirs))
    for _ in range(3):
        for parameter, twin in zip(ours.parameters(), theirs.parameters(), strict=True):
            parameter.grad = torch.randn_like(parameter)
            twin.grad = parameter.grad.clone()
        take_plain_step(one)
        other.step()
    for parameter, twin in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.equal(parameter, twin) and parameter.requires_grad


EXPECTED_RATES = {
    "constant": lambda epoch: 0.1,
    "step": lambda epoch: 0.1 * 0.5 ** (epoch // 2),
    "cosine": lambda epoch: 0.01 + 0.09 * (1 + math.cos(math.pi * epoch / 4)) / 2,
}


@pytest.mark.parametrize("schedule", EXPECTED_RATES)
def test_learning_rates_follow_their_formula(schedule, data):
    settings = quick_config(
        schedule=schedule, lr=0.1, epochs=4, step_size=2, gamma=0.5, min_lr=0.01
    )
    results = list(train(Trainer(settings, data, ONE)))
    expected = [EXPECTED_RATES[schedule](epoch) for epoch in range(4)]
    assert [r.lr for r in results] == pytest.approx(expected)


def test_one_cycle_rises_and_falls_within_the_run(data):
    trainer = Trainer(quick_config(schedule="one-cycle", lr=0.1, epochs=2), data, ONE)
    rates = []
    list(train(trainer, lambda step: rates.append(trainer.optimizer.param_groups[0]["lr"])))
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.1, rel=0.05) and 0 < top < len(rates) / 2
    assert rates[-2] < 0.001  # of the last step; the last entry is what would follow


@pytest.mark.parametrize("gamma", [0.1, 1])  # 1 cuts nothing: torch has no such schedule
def test_plateau_watches_validation_accuracy(data, gamma):
    trainer = Trainer(quick_config(schedule="plateau", patience=1, gamma=gamma), data, ONE)
    rate = lambda: trainer.optimizer.param_groups[0]["lr"]  # noqa: E731
    trainer.optimizer.step()
    for accuracy, expected in [(0.5, 0.05), (0.6, 0.05), (0.6, 0.05), (0.55, 0.05 * gamma)]:
        trainer.schedule.after_epoch(accuracy)
        assert rate() == pytest.approx(expected)


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adadelta"])
def test_an_optimisers_state_is_laid_out_as_its_parameters_are(name):
    """torch's fused kernels go through memory: momentum saved in another layout would land on
    other weights, and a view of one number would be written beyond its end."""
    config = make_config("medium", optimizer=name, lr=0.01)
    torch.manual_seed(0)
    model = create_model("medium").to(memory_format=torch.channels_last)
    optimizer = make_optimizer(config, model, "cpu")
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    state = optimizer.state_dict()
    for entry in state["state"].values():
        for key in set(entry) - {"step"}:
            entry[key] = entry[key].contiguous()
    first = state["state"][0]
    key = next(key for key in first if key != "step")
    first[key] = torch.ones(1, 1, 1, 1).expand(first[key].shape)
    again = make_optimizer(config, model, "cpu")
    load_optimizer_state(again, state)
    for number, parameter in enumerate(model.parameters()):
        for key, value in again.state[parameter].items():
            if key != "step":
                assert value.stride() == parameter.stride()
                assert torch.equal(value, state["state"][number][key])
    again.step()
