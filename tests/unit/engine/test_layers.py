"""Every layer's forward and gradients agree with torch's in double precision."""

import pytest
import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from torch import nn

from tests.unit.engine.oracle import compare, images, labels

CLASSES = 3
ACTIVATIONS = {
    "relu": nn.ReLU,
    "leaky": lambda: nn.LeakyReLU(0.2),
    "prelu": nn.PReLU,
    "rrelu": lambda: nn.RReLU(0.3, 0.3),
    "elu": lambda: nn.ELU(1.3),
    "selu": nn.SELU,
    "tanh": nn.Tanh,
}


@st.composite
def convolutions(draw, channels, height, width):
    """A convolution that fits, with any kernel, stride and padding."""
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    kernel = (
        draw(st.integers(1, min(5, height + 2 * padding[0]))),
        draw(st.integers(1, min(5, width + 2 * padding[1]))),
    )
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    outs = draw(st.integers(1, 9))
    return nn.Conv2d(channels, outs, kernel, stride, padding, bias=draw(st.booleans()))


@st.composite
def pools(draw, height, width):
    """A pooling that fits; its windows may overlap or leave gaps."""
    kernel = draw(st.integers(1, min(3, height))), draw(st.integers(1, min(3, width)))
    stride = draw(st.tuples(st.integers(1, 3), st.integers(1, 3)))
    padding = draw(st.integers(0, kernel[0] // 2)), draw(st.integers(0, kernel[1] // 2))
    if draw(st.booleans()):
        return nn.MaxPool2d(kernel, stride, padding)
    return nn.AvgPool2d(kernel, stride, padding, count_include_pad=draw(st.booleans()))


@st.composite
def chains(draw):
    """A small network of random layers and the shape of its images."""
    shape = draw(st.integers(1, 2)), draw(st.integers(4, 11)), draw(st.integers(4, 11))
    layers, x = [], torch.zeros(1, *shape)

    def add(layer):
        nonlocal x
        layers.append(layer)
        with torch.no_grad():
            x = layer.eval()(x)

    for _ in range(draw(st.integers(1, 2))):
        add(draw(convolutions(*x.shape[1:])))
        if draw(st.booleans()):
            add(nn.BatchNorm2d(x.shape[1], momentum=0.3))
        add(ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]())
        if draw(st.booleans()):
            add(draw(pools(*x.shape[2:])))
    if draw(st.booleans()):
        add(nn.AdaptiveAvgPool2d(1))
    add(nn.Flatten())
    if draw(st.booleans()):
        add(nn.Linear(x.shape[1], draw(st.integers(1, 20)), bias=draw(st.booleans())))
        add(ACTIVATIONS[draw(st.sampled_from(sorted(ACTIVATIONS)))]())
    add(nn.Linear(x.shape[1], CLASSES))
    return nn.Sequential(*layers).train(), shape


@settings(
    max_examples=8,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],  # every attempt at a smaller case is compiled, too
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(chain=chains(), count=st.integers(2, 40), smoothing=st.sampled_from([0.0, 0.1]))
def test_random_chains_agree_with_torch(build, chain, count, smoothing):
    model, shape = chain
    torch.manual_seed(count)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.5)
    pixels = images(count, shape)
    result = compare(build, model, pixels, labels(count, CLASSES), smoothing=smoothing)
    # a channel that is nearly constant loses digits in its normalisation, in torch as well
    normal = any(isinstance(layer, nn.BatchNorm2d) for layer in model)
    assert result.worst() < (1e-3 if normal else 1e-5), (model, result)


LAYERS = {
    "strided": [nn.Conv2d(3, 5, 4, stride=2, padding=1)],
    "uneven": [nn.Conv2d(3, 7, (2, 3), stride=(3, 2), padding=(0, 2), bias=False)],
    "pointwise": [nn.Conv2d(3, 11, 1)],
    "column": [nn.Conv2d(3, 4, (3, 1), padding=(1, 0))],
    "wide": [nn.Conv2d(3, 33, 3, padding=1)],
    "whole image": [nn.Conv2d(3, 6, 8)],
    "average": [nn.AvgPool2d(3, stride=2, padding=1)],
    "maximum": [nn.MaxPool2d(3, stride=2, padding=1)],
    "adaptive": [nn.AdaptiveAvgPool2d((1, 1))],
    "channelwise slopes": [nn.PReLU(3)],
    "norm": [nn.BatchNorm2d(3, eps=1e-3, momentum=0.4)],
    "flat norm": [nn.Flatten(), nn.Linear(192, 10, bias=False), nn.BatchNorm1d(10)],
    "nothing": [nn.Identity(), nn.Dropout(0.0)],
    "nested": [nn.Sequential(nn.Tanh(), nn.Sequential(nn.MaxPool2d(2)))],
    **{name: [make()] for name, make in ACTIVATIONS.items()},
}


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_between_two_others_agrees_with_torch(build, name):
    middle = nn.Sequential(nn.Conv2d(1, 3, 3), *LAYERS[name], nn.Flatten())
    features = middle.eval()(torch.zeros(1, 1, 10, 10)).shape[1]
    model = nn.Sequential(middle, nn.Linear(features, CLASSES)).train()
    torch.manual_seed(1)  # now: the layers of LAYERS drew their weights without a seed
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=0.3)
    result = compare(build, model, images(21, (1, 10, 10)), labels(21, CLASSES))
    assert result.worst() < 1e-5, result


@pytest.mark.parametrize("kernel,stride", [(2, 2), (3, 2)])
def test_a_gradient_goes_to_the_first_of_equal_maxima(build, kernel, stride):
    first = nn.Conv2d(1, 2, 3)
    first.weight.data = torch.randint(-1, 2, first.weight.shape).float()
    first.bias.data.zero_()
    model = nn.Sequential(first, nn.MaxPool2d(kernel, stride), nn.Flatten(), nn.LazyLinear(CLASSES))
    pixels = torch.randint(0, 2, (20, 1, 9, 9)).float()
    model(pixels)
    result = compare(build, model, pixels, labels(20, CLASSES))
    assert result.worst() < 1e-5, result


def test_rows_of_bytes_are_picked_scaled_and_shifted(build):
    torch.manual_seed(2)
    for side in (5, 9, 10):
        model = nn.Sequential(nn.Conv2d(1, 2, 3, padding=1), nn.Flatten(), nn.LazyLinear(CLASSES))
        pixels = torch.randint(0, 256, (50, 1, side, side), dtype=torch.uint8)
        index = torch.tensor([49, 3, 3, 17, 0] * 5)
        scaled = pixels[index].float() * 0.004 - 0.5
        expected = model(scaled)
        network = build(model, (1, side, side), 32)
        for source, rows in ((pixels, index), (scaled, None)):
            scaling = {} if rows is None else {"scale": 0.004, "offset": -0.5}
            logits = network.forward(source, index=rows, **scaling)
            torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
            _, logits = network.step(source, labels(25, CLASSES), index=rows, **scaling)
            torch.testing.assert_close(logits, expected, rtol=1e-5, atol=1e-5)
