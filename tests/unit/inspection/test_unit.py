"""The unit inspector: its arithmetic is the network's own, for every stage that multiplies."""

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.data.transforms import to_input
from mnist_core.errors import InputError
from mnist_core.evaluation.predict import load_model
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.inspection.unit import afterwards, sources, take_apart, weighted_stages
from mnist_core.models import create_model, make_config, model_names
from mnist_core.paths import PROJECT
from mnist_core.runs.store import RunStore


def trained_alike(name):
    """The network with statistics as after training, and what it makes of a noisy image."""
    torch.manual_seed(1)
    model = create_model(name).eval()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_()
            module.running_var.uniform_(0.5, 2)
    return model, feature_maps(model, torch.randn(1, 1, *[make_config(name).input_size] * 2))


def places(values):
    """Both corners and the middle of a stage: padding, and none."""
    first, last = np.zeros(3, int), np.array(values.shape) - 1
    return {tuple(int(at) for at in place) for place in (first, last, last // 2)}


def check(model, maps):
    """Every convolution and every linear stage, and what follows it value by value."""
    stages = weighted_stages(model, maps)
    assert stages
    for stage in stages:
        shaped = maps[stage].reshape(len(maps[stage]), *(maps[stage].shape[1:] or (1, 1)))
        for place in places(shaped):
            one = take_apart(model, maps, stage, place)
            assert one.value == shaped[place]
            assert one.total == pytest.approx(one.value, abs=1e-5), (stage, place)
            assert one.by_channel.sum() + one.bias == pytest.approx(one.total, abs=1e-9)
            for name, value in afterwards(model, maps, stage, place).items():
                assert value in maps[name]
    return stages


@pytest.mark.parametrize("name", model_names())
def test_the_arithmetic_of_every_stage_is_the_networks_own(name):
    model, maps = trained_alike(name)
    stages = check(model, maps)
    kinds = [n for n, m in model.named_modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    assert stages == kinds


def test_of_a_trained_network_on_a_real_drawing_too():
    run = RunStore(PROJECT / "checkpoints").get("mnist-lenet5-6e531d13ef")
    image = torch.zeros(1, 28, 28, dtype=torch.uint8)
    image[:, 5:23, 12:15] = 255
    model = load_model(run)
    check(model, feature_maps(model, to_input(image, run.config)))


def test_strides_padding_dilation_and_groups():
    torch.manual_seed(2)
    model = nn.Sequential(
        nn.Conv2d(1, 4, (3, 5), stride=(2, 1), padding=(1, 2)),
        nn.Conv2d(4, 6, 3, groups=2, dilation=2, padding="same"),
        nn.Conv2d(6, 2, 3, padding="valid", bias=False),
    )
    check(model, feature_maps(model, torch.randn(1, 1, 12, 13)))


class Branches(nn.Module):
    def __init__(self):
        super().__init__()
        self.one, self.two = nn.Conv2d(1, 3, 3, padding=1), nn.Conv2d(3, 3, 3, padding=1)
        self.drop, self.out = nn.Dropout(), nn.Linear(3 * 64, 10)

    def forward(self, x):
        x = self.one(x)
        return self.out(self.drop(x + self.two(x)).flatten(1))


def test_a_network_with_branches():
    torch.manual_seed(3)
    model = Branches().eval()
    assert check(model, feature_maps(model, torch.randn(1, 1, 8, 8))) == ["one", "two", "out"]
    assert sources(model)["two"] == "one"


def test_what_follows_ends_where_values_meet():
    model, maps = trained_alike("medium")
    after = afterwards(model, maps, "b1c2_conv", (1, 3, 4))
    assert list(after) == ["b1c2_act", "b1c2_norm"]
    model, maps = trained_alike("lenet5")
    assert list(afterwards(model, maps, "fc2", (4, 0, 0))) == ["act4"]


@pytest.mark.parametrize(
    "stage, place",
    [("pool1", (0, 0, 0)), ("conv1", (6, 0, 0)), ("nowhere", (0, 0, 0)), ("fc1", (0, 1, 0))],
)
def test_a_unit_that_does_not_exist_is_an_input_error(stage, place):
    model, maps = trained_alike("lenet5")
    with pytest.raises(InputError):
        take_apart(model, maps, stage, place)


def test_the_patch_is_what_lies_there():
    model, maps = trained_alike("lenet5")
    one = take_apart(model, maps, "conv1", (2, 5, 7))
    assert np.array_equal(one.patch[0], maps["input"][0, 5:10, 7:12].astype(np.float64))
    assert one.source == "input"
    model, maps = trained_alike("myvggnet")  # padded
    one = take_apart(model, maps, "conv1", (0, 0, 27))
    assert not one.patch[0, 0].any()
    assert not one.patch[0, :, 2].any() and one.patch[0, 1, 0] == maps["input"][0, 0, 26]
