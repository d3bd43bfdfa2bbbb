"""The faster order of operations against the layers as they stand: the same bits."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from mnist_core.engine.lowering import lowered, max_pool, memory_format, space_to_depth
from mnist_core.models import create_model, make_config, model_names


def gradients(forward, model, images, labels):
    """The logits, and the loss's gradient for every parameter."""
    torch.manual_seed(5)  # for dropout and RReLU
    model.zero_grad()
    logits = forward(images)
    F.cross_entropy(logits, labels).backward()
    return [logits.detach(), *(p.grad.clone() for p in model.parameters())]


def digits(config, count=8):
    """Few grey levels on black, so that many maxima are equal."""
    torch.manual_seed(1)
    side = config.input_size
    images = torch.randint(0, 4, (count, 1, side, side)) * (torch.rand(count, 1, side, side) < 0.3)
    return images / 2 - 0.5, torch.arange(count) % 10


@pytest.mark.parametrize("activation", ["ReLU", "LeakyReLU", "PReLU", "RReLU", "SELU"])
@pytest.mark.parametrize("name", ["lenet5", "lenet"])
def test_every_activation_gives_the_same_logits_and_gradients(name, activation):
    check(create_model(name, activation), make_config(name))


@pytest.mark.parametrize("name", model_names())
def test_every_network_gives_the_same_logits_and_gradients(name):
    check(create_model(name), make_config(name))


def check(model, config):
    model = model.to(memory_format=memory_format(model))
    images, labels = digits(config)
    quick = lowered(model)
    rearranged = any(isinstance(m, nn.Conv2d) and m.stride == (2, 2) for m in model[:1])
    exact = {"rtol": 1e-4, "atol": 1e-5} if rearranged else {"rtol": 0, "atol": 0}
    pairs = gradients(model, model, images, labels), gradients(quick, model, images, labels)
    for expected, found in zip(*pairs, strict=True):
        torch.testing.assert_close(found, expected, **exact)
    model.eval()
    with torch.inference_mode():
        torch.testing.assert_close(quick(images), model(images), **exact)


@pytest.mark.parametrize("shape", [(2, 3, 6, 8), (1, 1, 2, 2), (2, 3, 7, 8), (2, 3, 6, 5)])
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
@pytest.mark.parametrize("ties", [False, True])
def test_max_pooling_against_torch(shape, layout, ties):
    torch.manual_seed(2)
    x = torch.randn(shape)
    x = (x.round() if ties else x).contiguous(memory_format=layout)
    ours, theirs = x.clone().requires_grad_(), x.clone().requires_grad_()
    out, expected = max_pool(ours), F.max_pool2d(theirs, 2)
    weights = torch.randn_like(expected)
    out.backward(weights)
    expected.backward(weights)
    assert torch.equal(out, expected) and torch.equal(ours.grad, theirs.grad)
    assert torch.equal(max_pool(x), expected)  # where no gradient is asked for


def test_max_pooling_passes_nan_on():
    x = torch.zeros(1, 1, 4, 4)
    x[0, 0, 0, 0], x[0, 0, 3, 3] = torch.nan, torch.inf
    out = max_pool(x)
    assert torch.equal(out.isnan(), F.max_pool2d(x, 2).isnan()) and out[0, 0, 1, 1] == torch.inf


@pytest.mark.parametrize("kernel, padding", [((6, 6), (2, 2)), ((2, 4), (0, 2)), ((4, 4), (0, 0))])
@pytest.mark.parametrize("bias", [False, True])
def test_a_strided_convolution_of_one_channel_against_torch(kernel, padding, bias):
    torch.manual_seed(3)
    layer = nn.Conv2d(1, 5, kernel, stride=2, padding=padding, bias=bias)
    model, x = nn.Sequential(layer), torch.randn(3, 1, 12, 16)
    out, expected = lowered(model)(x), model(x)
    torch.testing.assert_close(out, expected)
    (found,) = torch.autograd.grad(out.square().sum(), layer.weight)
    (wanted,) = torch.autograd.grad(expected.square().sum(), layer.weight)
    torch.testing.assert_close(found, wanted)


def test_strided_convolutions_that_space_to_depth_does_not_fit_stay_as_they_are():
    torch.manual_seed(4)
    odd = nn.Sequential(nn.Conv2d(1, 2, 3, stride=2, padding=1))
    x = torch.randn(1, 1, 9, 9)
    assert torch.equal(lowered(odd)(x), odd(x))
    even = nn.Sequential(nn.Conv2d(1, 2, 4, stride=2))
    assert torch.equal(lowered(even)(x), even(x))  # an image with odd sides
    image = torch.randn(1, 1, 8, 8, requires_grad=True)
    (found,) = torch.autograd.grad(lowered(even)(image).sum(), image)
    (wanted,) = torch.autograd.grad(even(image).sum(), image)
    assert torch.equal(found, wanted)


def test_space_to_depth_puts_a_block_into_channels_row_by_row():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert space_to_depth(x)[0, :, 0, 1].tolist() == [2, 3, 6, 7]
    assert torch.equal(space_to_depth(x), F.pixel_unshuffle(x, 2))


def test_pooling_with_other_settings_and_branches_are_left_alone():
    x = torch.randn(2, 3, 8, 8)
    for pool in (nn.MaxPool2d(3, 2), nn.MaxPool2d(2, 1), nn.MaxPool2d(2, padding=1)):
        model = nn.Sequential(nn.Conv2d(3, 3, 1), nn.Tanh(), pool)
        assert torch.equal(lowered(model)(x), model(x))
    branched = nn.ModuleList([nn.Linear(1, 1)])
    assert lowered(branched) is branched


@pytest.mark.parametrize("first", [nn.ReLU, nn.MaxPool2d])
def test_a_layer_that_works_in_place_stays_where_it_is(first):
    """MaxPool needs its input and output as they were, for its gradient."""
    torch.manual_seed(6)
    pair = [nn.ReLU(inplace=True), nn.MaxPool2d(2)]
    pair = pair if first is nn.ReLU else pair[::-1]
    model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), *pair, nn.Flatten(), nn.Linear(32, 10))
    images, labels = torch.randn(4, 1, 8, 8), torch.arange(4)
    expected = gradients(model, model, images, labels)
    for a, b in zip(gradients(lowered(model), model, images, labels), expected, strict=True):
        assert torch.equal(a, b)


def test_channels_last_where_convolutions_are_wide():
    formats = {name: memory_format(create_model(name)) for name in ("lenet5", "medium")}
    assert formats == {"lenet5": torch.contiguous_format, "medium": torch.channels_last}
