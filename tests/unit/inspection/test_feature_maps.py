"""Feature maps against forward hooks, on every network; their pictures pixel by pixel."""

import copy
import io
import threading

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image
from torch import nn
from torch.nn import functional as F

from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.imaging import tiles
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.imaging.sample_drawings import draw, example_for
from mnist_core.imaging.tiles import LAST, LINE, ZERO, tile
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
def test_anything_but_one_image_is_refused(shape):
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


@given(some.integers(1, 40), some.integers(1, 12), some.integers(1, 12), some.booleans())
@settings(max_examples=60, deadline=None)
def test_a_tile_holds_each_value_as_one_square_in_its_place(count, rows, columns, signed):
    random = np.random.default_rng(count * 1000 + rows * 20 + columns)
    maps = random.normal(size=(count, rows, columns)).astype(np.float32)
    maps = maps if signed else np.abs(maps)
    picture = tile(maps, 200, 200)
    factor, across, gap = tiles._layout(count, rows, columns, 200, 200, 200)
    start = 0 if maps.min() < 0 else ZERO
    for index, channel in enumerate(maps):
        y = index // across * (rows * factor + gap) + gap
        x = index % across * (columns * factor + gap) + gap
        cell = picture.indices[y : y + rows * factor, x : x + columns * factor]
        squares = cell.reshape(rows, factor, columns, factor)
        assert (squares == squares[:, :1, :, :1]).all()
        share = (channel - picture.low) / (picture.high - picture.low)
        exact = start + share * (LAST - start)
        assert np.abs(squares[:, 0, :, 0] - exact).max() < 0.501
    if gap:
        assert (picture.indices[0] == LINE).all() and (picture.indices[:, -1] == LINE).all()


def test_zero_is_dark_and_both_ends_are_bright():
    palette = tile(np.array([-1.0, 1.0])).palette.astype(float)
    light = palette[: LAST + 1] @ (0.2126, 0.7152, 0.0722)
    assert light[ZERO] < 30 and min(light[0], light[LAST]) > 220
    assert (np.diff(light[: ZERO + 1]) < 0).all() and (np.diff(light[ZERO:]) > 0).all()
    assert palette[0, 2] > palette[0, 0] and palette[LAST, 0] > palette[LAST, 2]


def test_the_scale_is_centred_on_zero_or_starts_there():
    signed, positive = tile(np.array([-1.0, 0, 3])), tile(np.array([0.0, 1, 4]))
    assert (signed.low, signed.high) == (-3, 3) and (positive.low, positive.high) == (0, 4)
    assert ZERO in signed.indices and positive.indices.min() == ZERO
    grey = tile(np.array([[[-0.4, 2.8]]]), grey=True)
    assert (grey.low, round(grey.high, 5)) == (np.float32(-0.4), 2.8)
    assert {0, 255} <= set(grey.pixels.ravel())


@pytest.mark.parametrize("values", [np.zeros((2, 3, 3)), np.full((1, 4, 4), -2.0), np.full(5, 7.0)])
def test_constant_maps_have_a_picture(values):
    picture = tile(values)
    assert picture.high > picture.low and np.isfinite([picture.low, picture.high]).all()


def test_values_that_are_not_finite_do_not_break_a_picture():
    picture = tile(np.array([[[np.nan, np.inf], [-np.inf, 2.0]]]))
    assert (picture.low, picture.high) == (0, 2)


@pytest.mark.parametrize("shape", [(10,), (120,), (8192,), (7, 9), (512, 5, 5), (600, 28, 28)])
def test_a_picture_file_is_lossless(shape):
    picture = tile(np.random.default_rng(0).normal(size=shape))
    again = np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGB"))
    assert again.dtype == np.uint8 and np.array_equal(again, picture.pixels)


def test_ten_classes_lie_in_one_row():
    assert tile(np.arange(10.0)).indices.shape[0] < 35


@pytest.mark.parametrize("dataset", dataset_names())
def test_every_data_set_has_an_example_that_lies_on_the_canvas(dataset):
    example = example_for(dataset)
    picture = draw(example, 280)
    assert picture.shape == (280, 280, 4) and picture.dtype == np.uint8
    ink = picture[..., 3]
    assert 0.03 < (ink > 128).mean() < 0.5
    assert not ink[[0, -1]].any() and not ink[:, [0, -1]].any()
    assert from_canvas(picture) is not None
    assert example.label is None or 0 <= example.label < dataset_spec(dataset).num_classes


def test_a_limit_is_the_same_colour_in_every_stage():
    weak, strong = np.full((1, 2, 2), 0.5), np.full((1, 2, 2), 2.0)
    one, other = (tile(np.concatenate([v, -v]), 60, 60, limit=4) for v in (weak, strong))
    assert (one.low, one.high) == (other.low, other.high) == (-4, 4)
    values = sorted({int(v) for v in np.unique(one.indices)} - {LINE})
    assert values == [round(ZERO - ZERO / 8), round(ZERO + ZERO / 8)]
    beyond = tile(np.full((1, 2, 2), 9.0), 60, 60, limit=4)
    assert set(np.unique(beyond.indices)) <= {LAST, LINE}


def test_the_first_kernels_are_the_first_convolutions():
    model = create_model("lenet5")
    name, kernels = first_kernels(model)
    assert name == "conv1" and np.array_equal(kernels, model.conv1.weight[:, 0].detach().numpy())
    assert first_kernels(nn.Sequential(nn.Flatten(), nn.Linear(4, 2))) is None


def test_the_frame_goes_around_its_part():
    values = np.zeros((28, 28), np.float32)
    picture = np.asarray(Image.open(io.BytesIO(tiles.outlined(values, (3, 5, 8, 10), 200))))
    framed = (picture == tiles.FRAME).all(-1)
    rows, columns = np.flatnonzero(framed.any(1)), np.flatnonzero(framed.any(0))
    factor, edge = 7, 1
    assert (rows[0], rows[-1] + 1) == (3 * factor + edge, 8 * factor + edge)
    assert (columns[0], columns[-1] + 1) == (5 * factor + edge, 10 * factor + edge)
    assert not framed[rows[0] + 9 : rows[-1] - 9, columns[0] + 9 : columns[-1] - 9].any()
    tiles.outlined(values, (-2, -2, 3, 3), 200)  # partly beyond: cut off
