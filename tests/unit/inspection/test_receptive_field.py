"""Receptive fields by hand, and against the gradient oracle over random networks."""

import random

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_core.inspection.receptive_field import last_convolution_field, trace_fields
from tests.unit.inspection.gradient_oracle import GradientOracle
from tests.unit.inspection.random_networks import (
    Concat,
    Function,
    SqueezeExcite,
    Sum,
    lenet5,
    random_conv,
    random_network,
)


def some_units(rng, shape):
    """The corners, the middle and two random units of a map; the one unit of a flat stage."""
    rows, cols = shape[1:] if len(shape) == 3 else (1, 1)
    units = {(r, c) for r in (0, rows // 2, rows - 1) for c in (0, cols // 2, cols - 1)}
    return units | {(rng.randrange(rows), rng.randrange(cols)) for _ in range(2)}


def assert_agrees(model, input_size, rng):
    fields, oracle = trace_fields(model, input_size), GradientOracle(model, input_size)
    for stage, output in oracle.outputs.items():
        assert fields[stage].shape == output.shape[1:]
        for row, col in some_units(rng, fields[stage].shape):
            found = fields[stage].box(row, col)
            assert found == oracle.box(stage, row, col), f"{stage} ({row}, {col}) of {model}"


@pytest.mark.filterwarnings("ignore:Using padding=.same. with even kernel")
@pytest.mark.parametrize("seed", range(60))
def test_boxes_agree_with_the_gradient(seed):
    rng = random.Random(seed)
    torch.manual_seed(seed)
    input_size = rng.randint(9, 17)
    assert_agrees(random_network(rng, input_size), input_size, rng)


@pytest.mark.parametrize("seed", range(10))
def test_size_is_the_box_of_a_unit_that_no_border_clips(seed):
    rng = random.Random(seed)
    layers = [random_conv(rng, 4, None) for _ in range(rng.randint(1, 3))]
    model = nn.Sequential(nn.Conv2d(1, 4, 3, 2), *layers, nn.MaxPool2d(2))
    field = list(trace_fields(model, 601).values())[-1]
    box = field.box(field.shape[1] // 2, field.shape[2] // 2)
    assert (box[2] - box[0], box[3] - box[1]) == field.size


# --- by hand ----------------------------------------------------------------------------------


def small_cnn(text):
    """R3's notation: a padded or (v)alid 3×3, with stride 2 (s), a (p)ool, a 1×1 (1)."""
    layers = {"v": lambda: nn.Conv2d(4, 4, 3), "s": lambda: nn.Conv2d(4, 4, 3, 2, 1)}
    layers |= {"3": lambda: nn.Conv2d(4, 4, 3, padding=1), "1": lambda: nn.Conv2d(4, 4, 1)}
    layers |= {"p": lambda: nn.MaxPool2d(2)}
    stages = [nn.Sequential(layers[c](), nn.ReLU(), nn.BatchNorm2d(4)) for c in text]
    head = [nn.AdaptiveAvgPool2d(1), nn.Conv2d(4, 10, 1), nn.Flatten(), nn.LogSoftmax(1)]
    return nn.Sequential(nn.Conv2d(1, 4, 1), *stages, *head)


@pytest.mark.parametrize(
    ("model", "input_size", "expected"),
    [
        (lenet5(), 28, 14),
        (lenet5(), 32, 14),
        (lenet5(nn.Conv2d(16, 120, 5)), 32, 32),
        (small_cnn("33p133p1vvp"), 28, 32),
        (small_cnn("333p133s"), 28, 20),
        (small_cnn("333sp133s"), 28, 35),
        (nn.Sequential(nn.Flatten(), nn.Linear(784, 10)), 28, 0),
    ],
)
def test_last_convolution(model, input_size, expected):
    model(torch.zeros(2, 1, input_size, input_size))
    assert last_convolution_field(model, input_size) == expected


def test_lenet_stage_by_stage():
    model = lenet5()
    model(torch.zeros(1, 1, 32, 32))
    found = {f.name: (f.kind, f.size[0], f.jump[0], f.start[0], f.first_center[0], f.whole)
             for f in trace_fields(model, 32).values()}  # fmt: skip
    assert found == {
        "0": ("Conv2d", 5, 1, 0, 2.0, False),
        "1": ("Tanh", 5, 1, 0, 2.0, False),
        "2": ("MaxPool2d", 6, 2, 0, 2.5, False),
        "3": ("Conv2d", 14, 2, 0, 6.5, False),
        "4": ("Tanh", 14, 2, 0, 6.5, False),
        "5": ("AvgPool2d", 16, 4, 0, 7.5, False),
        "6": ("Flatten", 32, 0, 0, 15.5, True),
        "7": ("Linear", 32, 0, 0, 15.5, True),
    }


def test_padding_starts_outside_and_boxes_stay_inside():
    field = trace_fields(nn.Conv2d(1, 1, (5, 3), (2, 1), padding=(2, 0), dilation=(1, 2)), 9)
    field = field["conv2d"]
    assert (field.kernel, field.stride, field.shape) == ((5, 3), (2, 1), (1, 5, 5))
    assert (field.size, field.jump) == ((5, 5), (2, 1))
    assert (field.start, field.first_center) == ((-2, 0), (0.0, 2.0))
    assert field.box(0, 0) == (0, 0, 3, 5)
    assert field.box(4, 4) == (6, 4, 9, 9)
    with pytest.raises(IndexError, match="5×5"):
        field.box(5, 0)
    with pytest.raises(IndexError):
        field.box(-1, 0)


def test_a_residual_sum_is_the_union_of_its_paths():
    path = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 3, padding=1))
    fields = trace_fields(nn.Sequential(nn.Conv2d(1, 1, 3, 2), Sum(nn.Identity(), path)), 15)
    assert list(fields) == ["0", "1.paths.0", "1.paths.1.0", "1.paths.1.1", "1.paths.1.2", "add"]
    assert fields["1.paths.0"].box(3, 3) == (6, 6, 9, 9)
    added = fields["add"]
    assert added.box(3, 3) == (2, 2, 13, 13)
    assert (added.size, added.jump, added.start) == ((11, 11), (2, 2), (-4, -4))


def test_a_concatenation_is_the_union_of_its_paths():
    wide = nn.Sequential(nn.MaxPool2d(2), nn.Conv2d(1, 1, (1, 3), padding=(0, 1)))
    model = nn.Sequential(Concat(nn.Conv2d(1, 2, 4, 2, 1), wide), nn.Conv2d(3, 1, 1))
    field = trace_fields(model, 12)["1"]
    assert (field.size, field.jump, field.start) == ((4, 6), (2, 2), (-1, -2))
    assert field.box(2, 3) == (3, 4, 7, 10)
    assert last_convolution_field(model, 12) == 6


def test_squeeze_excite_sees_the_whole_image():
    fields = trace_fields(nn.Sequential(nn.Conv2d(1, 4, 3), SqueezeExcite(4), nn.Conv2d(4, 4, 3)))
    assert not fields["0"].whole and fields["1.fc"].whole and fields["2"].whole
    assert fields["2"].box(5, 5) == (0, 0, 28, 28) and fields["2"].size == (28, 28)
    assert last_convolution_field(nn.Sequential(nn.Conv2d(1, 4, 3), SqueezeExcite(4))) == 3


def test_what_the_stride_leaves_out_is_not_in_a_whole_field():
    fields = trace_fields(nn.Sequential(nn.Conv2d(1, 1, 3, 3), nn.Flatten()), 28)
    assert (
        fields["1"].whole and fields["1"].box() == (0, 0, 27, 27) and fields["1"].size == (27, 27)
    )


@pytest.mark.parametrize("pool", [nn.AvgPool2d(6), nn.MaxPool2d(6), nn.AdaptiveAvgPool2d(1)])
def test_a_pool_as_large_as_the_map_is_global(pool):
    fields = trace_fields(nn.Sequential(nn.Conv2d(1, 1, 3), pool, nn.Conv2d(1, 10, 1)), 8)
    assert fields["1"].whole and fields["2"].whole
    assert (
        last_convolution_field(nn.Sequential(nn.Conv2d(1, 1, 3), pool, nn.Conv2d(1, 9, 1)), 8) == 3
    )


def test_a_pool_that_slides_is_not_global():
    fields = trace_fields(nn.Sequential(nn.MaxPool2d(2), nn.MaxPool2d(3, 1, 1)), 4)
    assert not fields["1"].whole and fields["1"].size == (6, 6) and fields["1"].start == (-2, -2)


def test_uneven_adaptive_pooling():
    """Ten pixels to four units: 0–2, 2–4, 5–7 and 7–9."""
    fields = trace_fields(nn.Sequential(nn.AdaptiveAvgPool2d(4), nn.Conv2d(1, 1, 2)), 10)
    assert (fields["0"].size, fields["0"].jump) == ((3, 3), (2.5, 2.5))
    assert [fields["1"].box(unit, 2) for unit in range(3)] == [
        *((0, 5, 5, 10), (2, 5, 8, 10), (5, 5, 10, 10))
    ]
    assert fields["1"].size == (6, 6) and fields["1"].first_center == (2.0, 2.0)


def test_a_module_called_twice_has_two_stages():
    act = nn.ReLU()
    names = list(trace_fields(nn.Sequential(nn.Conv2d(1, 1, 3), act, nn.Conv2d(1, 1, 3), act)))
    assert names == ["0", "1", "2", "1#2"]


def test_adding_in_place_reaches_later_uses():
    def add(x):
        x.add_(F.avg_pool2d(x, 5, 1, 2))
        return x * 2

    fields = trace_fields(Function(add), 11)
    assert fields["mul"].box(5, 5) == (3, 3, 8, 8)
