"""Parameters, multiply-accumulates, bytes and latency, by hand and against plain formulas."""

import copy
import random

import pytest
import torch
import torch.nn.functional as F
from safetensors.torch import load_file, save_file
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from mnist_core.errors import InputError
from mnist_core.inspection.profiling import (
    Layer,
    figures,
    median_latency_ms,
    profile,
    weights_bytes,
)
from mnist_core.inspection.receptive_field import trace_fields


def lenet5():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5), nn.SELU(), nn.MaxPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.SELU(), nn.MaxPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.SELU(), nn.Linear(120, 84), nn.SELU(), nn.Linear(84, 10)),
    )


class Branches(nn.Module):
    """A residual sum, a concatenation, a shared activation, and work outside of any layer."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.act = nn.ReLU()
        self.path = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1, groups=2), nn.BatchNorm2d(4))
        self.wide = nn.Conv2d(8, 2, (1, 5))
        self.weight = nn.Parameter(torch.rand(10, 2))

    def forward(self, x):
        x = self.act(self.conv(x))
        x = self.act(x + self.path(x))
        x = self.wide(torch.cat([x, F.max_pool2d(x, 3, 1, 1)], 1))
        return x.mean((2, 3)) @ self.weight.t()


BRANCHES_MACS = {
    "conv": 28 * 28 * 4 * 9,
    "path.0": 28 * 28 * 4 * 2 * 9,
    "wide": 28 * 24 * 2 * 8 * 5,
    "Branches": 2 * 10,
}


def test_a_convolution_by_hand():
    conv = nn.Conv2d(1, 8, (3, 5), stride=2, padding=1)
    found = figures(conv, input_size=10)
    assert found["parameters"] == 8 * 15 + 8
    assert found["macs"] == 8 * 5 * 4 * 15
    assert profile(conv, input_size=10) == [Layer("Conv2d", "Conv2d", (8, 5, 4), 128, 2400)]


def test_a_linear_layer_by_hand():
    model = nn.Sequential(nn.Flatten(), nn.Linear(16, 5, bias=False))
    assert figures(model, 4) == {"parameters": 80, "macs": 80, "receptive_field": 0}
    assert profile(model, input_size=4) == [
        Layer("0", "Flatten", (16,), 0, 0),
        Layer("1", "Linear", (5,), 80, 80),
    ]


def test_lenet5():
    found, layers = figures(lenet5(), 32), profile(lenet5(), 32)
    assert found["parameters"] == 61706
    assert found["macs"] == 117_600 + 240_000 + 48_000 + 10_080 + 840
    assert [layer.macs for layer in layers if layer.macs] == [
        *(117_600, 240_000, 48_000, 10_080, 840)
    ]
    assert [layer.shape for layer in layers][:4] == [
        *((6, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10))
    ]


def formula(module, y):
    """Multiply-accumulates of one call: a filter's weights for every output value."""
    if isinstance(module, nn.Conv2d):
        return y[0].numel() * module.weight[0].numel()
    return module.weight.numel() if isinstance(module, nn.Linear) else 0


@pytest.mark.parametrize("seed", range(10))
def test_macs_of_random_networks(seed):
    rng = random.Random(seed)
    stages, channels = [], 1
    for _ in range(rng.randint(1, 4)):
        kernel, groups = (rng.randint(1, 3), rng.randint(1, 3)), min(channels, rng.randint(1, 2))
        settings = {"stride": rng.randint(1, 2), "padding": rng.randint(0, 1), "groups": groups}
        stages += [nn.Conv2d(channels, 4, kernel, **settings), nn.ReLU()]
        channels = 4
    stages += [nn.Flatten(), nn.LazyLinear(7), nn.Linear(7, 3)]
    x, expected = torch.zeros(1, 1, 16, 16), []
    for stage in stages:
        y = stage(x)
        expected.append(formula(stage, y))
        x = y
    model = nn.Sequential(*stages)
    assert [layer.macs for layer in profile(model, 16)] == expected
    assert figures(model, 16)["macs"] == sum(expected)


class Attention(nn.Module):
    def forward(self, x):
        return F.scaled_dot_product_attention(x, x, x)


@pytest.mark.parametrize("model", [lenet5(), Branches(), Attention()])
def test_macs_are_half_of_what_torch_counts(model):
    image = torch.rand(1, 1, 32, 32)
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        model.eval()(image)
    assert figures(model, 32)["macs"] == counter.get_total_flops() // 2 > 0


def test_layers_of_a_network_with_branches():
    model = Branches()
    found = {layer.name: layer for layer in profile(model)}
    assert list(found) == ["conv", "act", "path.0", "path.1", "act#2", "wide", "Branches"]
    assert {name: layer.macs for name, layer in found.items() if layer.macs} == BRANCHES_MACS
    assert figures(model, 28)["macs"] == sum(BRANCHES_MACS.values())
    assert sum(layer.parameters for layer in found.values()) == figures(model, 28)["parameters"]
    fields = trace_fields(model)  # names its stages alike, so that the tables can be joined
    assert [name for name in fields if name in found] == list(found)[:-1]
    assert all(fields[name].shape == found[name].shape for name in list(found)[:-1])


def test_a_shared_layer_counts_its_parameters_once_and_its_work_twice():
    linear = nn.Linear(4, 4)
    model = nn.Sequential(nn.Flatten(), linear, nn.ReLU(), linear)
    assert figures(model, 2) == {"parameters": 20, "macs": 32, "receptive_field": 0}
    assert [(layer.name, layer.parameters) for layer in profile(model, 2) if layer.macs] == [
        *(("1", 20), ("1#2", 0))
    ]


def test_the_model_threads_and_random_numbers_stay_as_they_are():
    model = Branches().train()
    model.path[1].eval()
    before, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    state, threads = torch.get_rng_state(), torch.get_num_threads()
    profile(model)
    median_latency_ms(model, repeats=2, warmup=1)
    assert [m.training for m in model.modules()] == modes
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state) and torch.get_num_threads() == threads
    assert not any(m._forward_hooks or m._forward_pre_hooks for m in model.modules())


def test_bytes_are_those_of_the_file(tmp_path):
    model = Branches()
    save_file(model.state_dict(), tmp_path / "weights.safetensors")
    assert weights_bytes(model) == (tmp_path / "weights.safetensors").stat().st_size
    assert weights_bytes(model.to(memory_format=torch.channels_last)) == weights_bytes(Branches())
    assert load_file(tmp_path / "weights.safetensors").keys() == model.state_dict().keys()


def test_bytes_of_tied_weights():
    linear = nn.Linear(3, 3, bias=False)
    assert weights_bytes(nn.Sequential(linear, linear)) > 2 * 9 * 4


def test_latency_is_positive_and_threads_come_back():
    before, used = torch.get_num_threads(), []
    torch.set_num_threads(2)
    try:
        model = nn.Sequential(lenet5())
        model.forward = lambda x: used.append(torch.get_num_threads()) or x
        assert median_latency_ms(model, repeats=4, warmup=3) >= 0
        assert used == [1] * 7 and torch.get_num_threads() == 2
        assert median_latency_ms(lenet5(), 32, repeats=3, warmup=1) > 0
        with pytest.raises(InputError, match="cannot take an image of 1×3×3"):
            median_latency_ms(lenet5(), 3)
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(before)


def test_the_median_ignores_the_warm_up_and_the_odd_slow_run(monkeypatch):
    monkeypatch.setattr("timeit.repeat", lambda *_, **counts: [9, 0.001, 0.002, 9])
    assert median_latency_ms(nn.Identity(), repeats=3, warmup=1) == pytest.approx(2)


@pytest.mark.parametrize("counts", [{"repeats": 0}, {"warmup": -1}])
def test_latency_needs_runs(counts):
    with pytest.raises(InputError, match="repeats"):
        median_latency_ms(nn.Identity(), **counts)


def test_a_network_that_cannot_take_the_image_is_an_error():
    with pytest.raises(InputError, match="Sequential cannot take an image of 1×3×3") as caught:
        profile(lenet5(), 3)
    assert "\n" not in str(caught.value)
