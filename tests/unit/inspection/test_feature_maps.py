"""Feature maps against forward hooks, on every network."""

import copy
import threading

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mnist_core.errors import InputError
from mnist_core.imaging.tiles import tile
from mnist_core.inspection.feature_maps import feature_maps, first_kernels, kind_of
from mnist_core.inspection.receptive_field import trace_fields
from mnist_core.models import create_model, make_config, model_names


class Branches(nn.Module):
    """A residual sum, a function in place of a module, and one module that is used twice."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, padding=1)
        self.act = nn.ReLU(inplace=True)
        self.dropout = nn.Dropout(0.5)
        self.mix = nn.Conv2d(4, 4, 3, padding=1)
        self.classes = nn.Linear(4, 10)

    def forward(self, x):
        x = self.act(self.conv(x))
        x = self.act(x + self.dropout(self.mix(x)))
        return self.classes(F.adaptive_avg_pool2d(x, 1).flatten(1))


def seen_by_hooks(model, image):
    """Every leaf module's output on a private copy, in order of the calls: [(name, array)]."""
    model, seen = copy.deepcopy(model).eval(), []
    for name, module in model.named_modules():
        if not list(module.children()):
            module.register_forward_hook(
                lambda _module, _given, value, name=name: seen.append((name, value[0].numpy() + 0))
            )
    with torch.no_grad():
        model(image)
    return seen


def image_for(name, seed=0):
    size = make_config(name).input_size
    return torch.randn(1, 1, size, size, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("name", model_names())
def test_feature_maps_are_what_hooks_see(name):
    model, image = create_model(name, dropout=0.3).eval(), image_for(name)
    maps = feature_maps(model, image)
    expected = [(k, v) for k, v in seen_by_hooks(model, image) if "dropout" not in k]
    assert list(maps) == ["input", *(stage for stage, _ in expected)]
    assert np.array_equal(maps["input"], image[0])
    for stage, value in expected:
        assert maps[stage].dtype == np.float32 and np.array_equal(maps[stage], value)


@pytest.mark.parametrize("name", model_names())
def test_every_stage_has_a_kind_and_a_picture_that_fits(name):
    model = create_model(name)
    for stage, values in feature_maps(model, image_for(name)).items():
        kind, picture = kind_of(model, stage), tile(values, 280, 240)
        assert kind and "(" not in kind
        height, width = picture.indices.shape
        assert width <= 280 and height <= (240 if values.ndim == 3 else 70)
        assert width > 120


def test_a_network_with_branches_gives_the_stages_of_its_receptive_fields():
    model, image = Branches().eval(), torch.randn(1, 1, 9, 9)
    maps = feature_maps(model, image)
    fields = [stage for stage in trace_fields(model, 9) if stage != "dropout"]
    assert list(maps) == ["input", *fields] and "act#2" in maps and "add" in maps
    hooks = [(k, v) for k, v in seen_by_hooks(model, image) if k != "dropout"]
    by_module = [maps[k] for k in maps if k.split("#")[0] in dict(model.named_modules())]
    assert len(hooks) == len(by_module)
    for (_, value), ours in zip(hooks, by_module, strict=True):
        np.testing.assert_allclose(ours, value, atol=1e-6)
    assert kind_of(model, "act#2") == "ReLU" and kind_of(model, "add") == "add"


def test_a_stage_that_works_in_place_and_one_that_comes_twice():
    act = nn.ReLU(inplace=True)
    model = nn.Sequential(nn.Conv2d(1, 2, 3), act, nn.Conv2d(2, 2, 3), act)
    maps = feature_maps(model, torch.randn(1, 1, 8, 8))
    assert list(maps) == ["input", "0", "1", "2", "3"]
    assert maps["0"].min() < 0 and np.array_equal(maps["1"], maps["0"].clip(0))


@pytest.mark.parametrize("model", [create_model("lenet5", dropout=0.5), Branches()])
def test_nothing_is_left_on_a_network_even_one_in_training(model):
    size = 32 if isinstance(model, nn.Sequential) else 9
    model.train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    first = feature_maps(model, torch.ones(1, 1, size, size))
    second = feature_maps(model, torch.ones(1, 1, size, size))
    assert all(np.array_equal(first[stage], second[stage]) for stage in first)
    assert all(module.training for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    for module in model.modules():
        assert not module._forward_hooks and not module._forward_pre_hooks
    assert all(p.grad is None and p.requires_grad for p in model.parameters())


@pytest.mark.parametrize("model", [create_model("lenet5").eval(), Branches().eval()])
def test_two_visitors_at_once_get_their_own_maps(model):
    size = 32 if isinstance(model, nn.Sequential) else 9
    images = [torch.full((1, 1, size, size), float(n)) for n in range(4)]
    alone = [feature_maps(model, image) for image in images]
    wrong = []

    def visit(n):
        for _ in range(5):
            maps = feature_maps(model, images[n])
            wrong.extend(k for k in maps if not np.allclose(maps[k], alone[n][k], atol=1e-6))

    threads = [threading.Thread(target=visit, args=(n,)) for n in range(4)]
    [thread.start() for thread in threads]
    [thread.join() for thread in threads]
    assert wrong == []


@pytest.mark.parametrize("shape", [(2, 1, 32, 32), (1, 32, 32), (0, 1, 32, 32)])
def test_only_one_image_at_a_time_is_accepted(shape):
    with pytest.raises(InputError, match=r"image: \(1, channels, S, S\) is expected"):
        feature_maps(create_model("lenet5"), torch.zeros(shape))


def test_kinds_in_words():
    lenet, small = create_model("lenet5"), create_model("small")
    assert kind_of(lenet, "input") == "image"
    assert kind_of(lenet, "conv1") == "convolution 5×5"
    assert kind_of(lenet, "pool1") == "max pooling 2×2"
    assert kind_of(lenet, "act1") == "SELU"
    assert kind_of(small, "b2c3_conv") == "convolution 3×3, stride 2"
    assert kind_of(small, "gap") == "global average"


def test_the_first_kernels_are_the_first_convolutions():
    model = create_model("lenet5")
    name, kernels = first_kernels(model)
    assert name == "conv1" and np.array_equal(kernels, model.conv1.weight[:, 0].detach().numpy())
    assert first_kernels(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))) is None
