"""The columns that a network is drawn in: what they hold, what their units read, what changed."""

import numpy as np
import pytest
import torch
from torch import nn

from mnist_core.inspection.columns import columns, patch_of, strongest, strongest_place
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.inspection.flip import flip, most_changed
from mnist_core.inspection.receptive_field import trace_fields
from mnist_core.inspection.unit import take_apart, weighted_stages
from mnist_core.models import create_model, make_config, model_names
from tests.unit.inspection.test_unit import places, trained_alike


def test_a_column_takes_in_what_changes_values_one_by_one():
    model, maps = trained_alike("lenet5")
    found = columns(model, maps)
    assert [column.stages for column in found] == [
        *(("input",), ("conv1", "act1"), ("pool1",), ("conv2", "act2"), ("pool2", "flatten")),
        *(("fc1", "act3"), ("fc2", "act4"), ("output",)),
    ]
    assert [column.source for column in found] == [None, 0, 1, 2, 3, 4, 5, 6]
    assert found[1].kind == "convolution 5×5, SELU" and found[4].shape == (16, 5, 5)
    assert np.array_equal(found[3].values(maps), maps["act2"])
    assert [column.flat for column in found] == [False] * 5 + [True] * 3


@pytest.mark.parametrize("name", model_names())
def test_every_stage_is_in_one_column_and_its_window_is_what_it_reads(name):
    model, maps = trained_alike(name)
    found = columns(model, maps, trace_fields(model, make_config(name).input_size))
    stages = [stage for column in found for stage in column.stages]
    assert sorted(stages) == sorted(maps)
    weighted = set(weighted_stages(model, maps))
    for column in found[1:]:
        assert column.source is not None and len(column.rows) == max(1, *column.shape[1:2], 1)
        source = found[column.source]
        if column.name in weighted and column.window:
            check_patches(model, maps, column, source)


def check_patches(model, maps, column, source):
    """The patch that is lit up has the numbers of the arithmetic."""
    read = source.values(maps)
    for channel, *place in places(column.values(maps)):
        one = take_apart(model, maps, column.name, (channel, *place))
        first = channel * column.groups // column.shape[0] * len(one.patch)
        for at in (0, len(one.patch) - 1):
            patch = patch_of(column, read[first + at], place)
            assert np.array_equal(np.nan_to_num(patch), one.patch[at])


def test_pooling_reads_its_own_channel_and_padding_is_no_number():
    torch.manual_seed(0)
    pool = nn.MaxPool2d(3, stride=2, padding=1)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1, groups=1), pool, nn.Conv2d(4, 4, 1, groups=2)
    )
    maps = feature_maps(model, torch.randn(1, 1, 8, 8))
    image, first, pooled, grouped = columns(model, maps)
    assert (image.groups, first.groups, pooled.groups, grouped.groups) == (1, 1, 4, 2)
    patch = patch_of(pooled, maps["0"][2], (0, 0))
    assert np.isnan(patch[0]).all() and np.nanmax(patch) == pytest.approx(maps["1"][2, 0, 0])


def test_the_strongest_are_in_their_order_and_some_may_be_kept():
    values = np.array([1.0, -9, 3, 2, 8]).reshape(5, 1, 1) * np.eye(2)
    assert strongest(values, most=3) == [1, 2, 4]
    assert strongest(values, keep=[0, 77], most=3) == [0, 1, 4]
    assert strongest_place(values[1]) == (0, 0)


def test_what_turned_an_answer_adds_up():
    torch.manual_seed(4)
    model = create_model("lenet5").eval()
    images = torch.rand(40, 1, 32, 32) * 3
    with torch.no_grad():
        model.output.bias -= model(images).mean(0)  # or one class would win every time
    answers = model(images).argmax(1)
    other = next(at for at in range(40) if answers[at] != answers[0])
    before, after = (feature_maps(model, images[at : at + 1]) for at in (0, other))
    found = columns(model, before)
    turned = flip(model, found[-1], found[-2], before, after)
    assert (turned.old, turned.new) == (answers[0], answers[other])
    logits = after["output"].astype(float) - before["output"]
    assert turned.gain == pytest.approx(logits[turned.new] - logits[turned.old], abs=1e-5)
    weights = model.output.weight.detach().double().numpy()
    parts = (weights[turned.new] - weights[turned.old]) * (after["act4"] - before["act4"])
    assert turned.channel == parts.argmax() and turned.share == pytest.approx(parts.max())
    assert flip(model, found[-1], found[-2], before, before) is None


def test_the_channel_that_changed_most():
    model, maps = trained_alike("lenet5")
    changed = {**maps, "act1": maps["act1"].copy()}
    changed["act1"][3, 2, 2] += 5
    first = columns(model, maps)[1]
    assert most_changed(first, maps, changed) == 3 and most_changed(first, maps, maps) is None
