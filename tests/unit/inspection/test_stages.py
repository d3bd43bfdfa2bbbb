"""The walk over a network's stages: names, inputs and values, with and without gradients."""

import copy
import sys
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_core.errors import InputError, LabError
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.inspection.receptive_field import trace_fields
from mnist_core.inspection.stages import UnsupportedOperation, walk
from mnist_core.models import create_model, make_config, model_names
from tests.unit.inspection.random_networks import Function, lenet5


class InPlace(nn.Module):
    """Works in place twice, and reads what was written over afterwards."""

    def __init__(self):
        super().__init__()
        self.conv, self.act = nn.Conv2d(1, 2, 3, padding=1), nn.ReLU(inplace=True)
        self.input = nn.Conv2d(2, 2, 1)

    def forward(self, x):
        x = self.conv(x)
        y = self.act(x) + x
        y.mul_(2)
        return self.input(y)


def image(size=8, requires_grad=False):
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, 1, size, size, generator=generator).requires_grad_(requires_grad)


def by_name(stages):
    return {stage.name: stage for stage in stages}


@pytest.mark.parametrize("name", model_names())
def test_values_that_lead_back_to_the_image_are_the_feature_maps(name):
    model, size = create_model(name).eval(), make_config(name).input_size
    found = by_name(s for s in walk(model, image(size, requires_grad=True)) if not s.inactive)
    maps = feature_maps(model, image(size))
    assert ["input", *found] == list(maps)
    assert all(torch.equal(s.value[0], torch.tensor(maps[n])) for n, s in found.items())


def test_a_chain_is_named_alike_inside_and_out():
    model = create_model("lenet5").eval()
    for outside, inside in zip(walk(model), walk(model, inside_blocks=True), strict=True):
        assert (outside.name, outside.kind) == (inside.name, inside.kind)
        assert outside.inputs == inside.inputs and outside.value is None


@pytest.mark.parametrize("requires_grad", [False, True])
def test_a_value_is_kept_as_it_was_before_a_later_stage_wrote_over_it(requires_grad):
    model, x = InPlace().eval(), image(requires_grad=requires_grad)
    stages = by_name(walk(model, x))
    assert list(stages) == ["conv", "act", "add", "mul_", "input#2"]
    plain = model.conv(x)
    assert torch.equal(stages["conv"].value, plain)
    assert torch.equal(stages["act"].value, plain.relu())
    assert torch.equal(stages["mul_"].value, 4 * plain.relu())
    assert torch.equal(stages["input#2"].value, model(x))
    assert stages["input#2"].inputs == ("mul_",) and stages["conv"].inputs == ("input",)
    if requires_grad:
        value = stages["conv"].value
        (slope,) = torch.autograd.grad(stages["mul_"].value.sum(), value)
        assert torch.equal(slope, 4.0 * (value > 0))


def test_a_map_that_is_read_twice_is_given_twice():
    stages = walk(Function(lambda x: torch.cat([x, x.relu(), x], 1)), image())
    assert [stage.name for stage in stages] == ["conv", "relu", "cat"]
    assert [stage.inputs for stage in stages] == [("input",), ("conv",), ("conv", "relu", "conv")]


class Scaled(nn.Module):
    """Takes a size, and computes with its weights alone, before it comes to the map."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.rand(64))

    def forward(self, x):
        weight = self.weight.abs() + 1
        return x.view(x.size(0), -1) * weight


def test_numbers_about_a_map_and_work_on_weights_are_no_stages():
    assert [stage.name for stage in walk(Scaled(), image())] == ["view", "mul"]


def test_a_network_that_cannot_be_traced_is_an_error():
    with pytest.raises(UnsupportedOperation, match="Function cannot be traced") as caught:
        trace_fields(Function(lambda x: x if x.sum() > 0 else -x))
    assert isinstance(caught.value, (LabError, ValueError)) and "\n" not in str(caught.value)


def test_a_network_that_cannot_take_the_image_is_an_error():
    with pytest.raises(InputError, match="cannot take an image of 1×3×3") as caught:
        trace_fields(lenet5(), 3)
    assert "\n" not in str(caught.value)


def test_the_model_and_the_random_numbers_stay_as_they_are():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), Function(F.dropout), nn.ReLU())
    model.train()
    model[1].eval()
    before, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    state = torch.get_rng_state()
    trace_fields(model)
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.fixture
def often_switching():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def test_networks_run_and_are_traced_in_other_threads_meanwhile(often_switching):
    """torch.fx patches nn.Module for the whole process while it traces."""
    model, errors, done = lenet5(nn.Conv2d(16, 4, 1)), [], threading.Event()
    image = torch.rand(1, 1, 28, 28)
    expected = model(image)

    def run():
        try:
            while not done.is_set():
                assert torch.equal(model(image), expected)
                if threading.current_thread().name == "tracer":
                    trace_fields(model)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, name=name) for name in ("tracer", "runner")]
    for thread in threads:
        thread.start()
    for _ in range(10):
        trace_fields(model)
    done.set()
    for thread in threads:
        thread.join()
    assert not errors and type(model(image)) is torch.Tensor
