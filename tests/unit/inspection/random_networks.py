"""Blocks with branches, and random networks made of everything that has a known field."""

import torch
from torch import nn


class Sum(nn.Module):
    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        total = self.paths[0](x)
        for path in self.paths[1:]:
            total = total + path(x)
        return total


class Concat(nn.Module):
    def __init__(self, *paths):
        super().__init__()
        self.paths = nn.ModuleList(paths)

    def forward(self, x):
        return torch.cat([path(x) for path in self.paths], dim=1)


class SqueezeExcite(nn.Module):
    def __init__(self, channels):
        super().__init__()
        self.fc = nn.Conv2d(channels, channels, 1)
        self.act = nn.Sigmoid()

    def forward(self, x):
        gate = self.act(self.fc(x.mean((2, 3), keepdim=True)))
        return (x + 1) * gate  # a padded zero times the gate would not depend on it


class Function(nn.Module):
    """A network that is one function, after an optional convolution."""

    def __init__(self, function, conv=None):
        super().__init__()
        self.conv = conv or nn.Identity()
        self.function = function

    def forward(self, x):
        return self.function(self.conv(x))


def random_pair(rng, low, high):
    return (rng.randint(low, high), rng.randint(low, high))


def random_conv(rng, channels, extent):
    kernel, dilation = random_pair(rng, 1, 4), random_pair(rng, 1, 2)
    stride, padding = random_pair(rng, 1, 3), random_pair(rng, 0, 3)
    if rng.random() < 0.3:
        stride, padding = 1, rng.choice(["same", "valid"])
    groups = rng.choice([1, 2]) if channels % 2 == 0 else 1
    return nn.Conv2d(channels, 4, kernel, stride, padding, dilation, groups)


def random_pool(rng, channels, extent):
    kernel = random_pair(rng, 2, 3)
    stride = rng.choice([None, random_pair(rng, 1, 3)])
    padding = rng.choice([0, 1])
    kind = rng.choice(["average", "max", "dilated"])
    if kind == "average":
        return nn.AvgPool2d(kernel, stride, padding, ceil_mode=rng.random() < 0.5)
    if kind == "max":
        return nn.MaxPool2d(kernel, stride, padding, ceil_mode=rng.random() < 0.5)
    return nn.MaxPool2d(kernel, stride, padding, dilation=random_pair(rng, 1, 3))


def random_adaptive_pool(rng, channels, extent):
    kind = rng.choice([nn.AdaptiveAvgPool2d, nn.AdaptiveMaxPool2d])
    return kind(tuple(rng.randint(max(1, n // 2), n) for n in extent))


def random_residual(rng, channels, extent):
    kernel, stride = rng.choice([1, 3, 5]), rng.randint(1, 3)
    first = nn.Conv2d(channels, 4, kernel, stride, kernel // 2)
    second = nn.Conv2d(4, channels, 3, padding=2, dilation=2)
    shortcut = nn.Identity() if stride == 1 else nn.Conv2d(channels, channels, 1, stride)
    return nn.Sequential(Sum(nn.Sequential(first, nn.ReLU(), second), shortcut), nn.Identity())


def random_concat(rng, channels, extent):
    """Two paths that come to the same size by different strides, one of them uneven."""
    size = random_pair(rng, 1, 3)
    strided = nn.Conv2d(channels, 2, 3, 2, 1), nn.MaxPool2d(2, ceil_mode=True)
    uneven = (
        nn.Sequential(random_conv(rng, channels, extent), nn.AdaptiveAvgPool2d(size)),
        nn.Sequential(random_pool(rng, channels, extent), nn.AdaptiveAvgPool2d(size)),
    )
    return nn.Sequential(Concat(*rng.choice([strided, uneven])), nn.Identity())


def random_padding(rng, channels, extent):
    return nn.ZeroPad2d([rng.randint(-1, 3) for _ in range(4)])


def random_other(rng, channels, extent):
    layers = (nn.BatchNorm2d(channels), nn.SELU(), nn.Upsample(scale_factor=2))
    return rng.choice([*layers, nn.Sequential(SqueezeExcite(channels), nn.Identity())])


LAYERS = [random_conv] * 4 + [random_pool] * 2 + [random_residual] * 2
LAYERS += [random_adaptive_pool, random_concat, random_padding, random_other]


def random_network(rng, input_size):
    """Two to five random stages, then flatten and linear; a stage that does not fit is left out."""
    stages, x = [], torch.zeros(1, 1, input_size, input_size)
    for _ in range(rng.randint(2, 5)):
        layer = rng.choice(LAYERS)(rng, x.shape[1], x.shape[2:]).eval()
        try:
            with torch.no_grad():
                y = layer(x)
        except RuntimeError:
            continue
        if min(y.shape[2:]) > 0 and max(y.shape[2:]) <= 2 * input_size:
            x, stages = y, [*stages, layer]
    return nn.Sequential(*stages, nn.Flatten(), nn.Linear(x[0].numel(), 3))


def lenet5(third=None):
    """LeNet's stages, with an optional third convolution. The linear layer fits any image."""
    stages = [nn.Conv2d(1, 6, 5), nn.Tanh(), nn.MaxPool2d(2)]
    stages += [nn.Conv2d(6, 16, 5), nn.Tanh(), nn.AvgPool2d(2), *([third] if third else [])]
    return nn.Sequential(*stages, nn.Flatten(), nn.LazyLinear(10))
