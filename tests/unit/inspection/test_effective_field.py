"""The measured field against the theoretical one."""

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.errors import InputError
from mnist_core.inspection.architecture import box_of, describe
from mnist_core.inspection.effective_field import drawn, effective_fields, sample
from mnist_core.inspection.receptive_field import trace_fields
from mnist_core.models import create_model, make_config, model_names
from tests.unit.inspection.gradient_oracle import transparent_copy
from tests.unit.inspection.random_networks import Concat, Sum

NETWORKS = {name: (create_model(name), make_config(name).input_size) for name in model_names()}
NETWORKS["residual"] = (
    nn.Sequential(
        nn.Conv2d(1, 2, 3, 2),
        Sum(nn.Identity(), nn.Sequential(nn.Conv2d(2, 2, 3, padding=1), nn.Tanh())),
        nn.Conv2d(2, 2, 3),
    ),
    20,
)
NETWORKS["branches"] = (
    nn.Sequential(Concat(nn.Conv2d(1, 2, 3, 2, 1), nn.AvgPool2d(2)), nn.Conv2d(3, 1, 3)),
    20,
)
WHERE = (0.5, 0.25)


@pytest.mark.parametrize("name", NETWORKS)
def test_number_picture_and_gradient_agree(name):
    """In a copy that blocks no gradient, the measured field fills the box to its edges."""
    model, size = NETWORKS[name]
    probe = transparent_copy(model)
    images = torch.rand(1, 1, size, size, dtype=torch.float64) + 0.1
    measured, fields = effective_fields(probe, images, *WHERE), trace_fields(model, size)
    assert list(measured) == list(fields)
    for stage in describe(model, size):
        field, spot = fields[stage["name"]], box_of(stage, *WHERE)
        assert spot["box"] == field.box(*spot["unit"])
        found = measured[stage["name"]]
        assert (found.unit, found.box) == (spot["unit"], spot["box"])
        rows, columns = found.field.nonzero()
        edges = (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1)
        assert edges == spot["box"], stage["name"]


def test_the_mean_over_images_is_the_mean_of_gradients():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, bias=False), nn.ReLU())
    with torch.no_grad():
        model[0].weight.copy_(torch.arange(-4.0, 5).reshape(1, 1, 3, 3))
    images = torch.stack([torch.zeros(1, 5, 5), torch.ones(1, 5, 5).tril()])
    found = effective_fields(model, images, 0, 0)["1"]
    active = model(images)[:, 0, 0, 0] > 0
    expected = model[0].weight[0, 0].abs().detach().numpy() * active.float().mean().item()
    assert found.box == (0, 0, 3, 3) and found.units == (3, 3)
    assert found.field[:3, :3] == pytest.approx(expected)
    assert not found.field[3:].any() and not found.field[:, 3:].any()
    with pytest.raises(InputError, match="0 to 1"):
        effective_fields(model, images, 2, 0)


def test_without_the_data_set_digits_are_drawn(monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    images, words = sample(make_config("lenet5", dataset="KMNIST"), 3)
    assert images.shape == (3, 28, 28) and images.dtype == np.uint8 and "drawing" in words
    assert images.max() > 200 and (images[0] != images[1]).any()
    assert np.array_equal(images, drawn("KMNIST", 3))
