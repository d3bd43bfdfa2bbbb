"""A chain of layers as plain data: what another program needs in order to compute it.

The Playground's Live canvas computes such a chain in the browser.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import nn

from mnist_core.engine.chain import pair, reason_against
from mnist_core.errors import InputError
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.inspection.stages import INPUT, blank_image

MOST_PARAMETERS = 100_000
Layer = dict[str, Any]


@dataclass(frozen=True, eq=False)
class ChainData:
    """The layers in order, and all their numbers in one (N,) float32 array.

    Each layer has `name`, `kind`, the shapes `from` and `to` without the batch, its settings, and
    for each of its arrays the place where it begins in `numbers`. Layers that change nothing when
    images are read, such as dropout, are left out.
    """

    layers: tuple[Layer, ...]
    numbers: np.ndarray


def chain_data(model: nn.Module, input_size: int) -> ChainData:
    """The chain as data, for images of 1 × `input_size` × `input_size`.

    Raises InputError for a network that is no chain, has MOST_PARAMETERS or more, or holds a layer
    that has no description here.
    """
    _check(model)
    maps = feature_maps(model, blank_image(model, input_size))
    numbers, layers, before = _Numbers(), [], maps.pop(INPUT).shape
    for name, value in maps.items():
        module = model.get_submodule(name)
        found: Layer = {"name": name, "from": list(before), "to": list(value.shape)}
        layers.append(found | _DESCRIPTIONS[type(module)](module, numbers))
        before = value.shape
    return ChainData(tuple(layers), numbers.joined())


def _check(model: nn.Module) -> None:
    if type(model) is not nn.Sequential or len(list(model.children())) < len(model):
        raise InputError("The network is not a chain of layers.")
    count = sum(p.numel() for p in model.parameters())
    if count >= MOST_PARAMETERS:
        raise InputError(
            f"The network has {count:,} parameters; {MOST_PARAMETERS - 1:,} are allowed."
        )
    for name, layer in model.named_children():
        reason = None if isinstance(layer, nn.Identity) else reason_against(layer)
        if reason:
            raise InputError(
                f"The layer {name} ({type(layer).__name__}) is not supported: {reason}."
            )


@dataclass
class _Numbers:
    """Arrays one after the other."""

    arrays: list[np.ndarray] = field(default_factory=list)
    size: int = 0

    def add(self, values: torch.Tensor | np.ndarray) -> int:
        """Where the values begin."""
        array = np.asarray(values.detach() if isinstance(values, torch.Tensor) else values)
        self.arrays.append(array.astype(np.float32).ravel())
        self.size += array.size
        return self.size - array.size

    def joined(self) -> np.ndarray:
        return np.concatenate([np.zeros(0, np.float32), *self.arrays])


def _convolution(layer: nn.Conv2d, numbers: _Numbers) -> Layer:
    return {"kind": "conv", **_window(layer), **_weights(layer, numbers)}


def _linear(layer: nn.Linear, numbers: _Numbers) -> Layer:
    return {"kind": "linear", **_weights(layer, numbers)}


def _weights(layer: nn.Conv2d | nn.Linear, numbers: _Numbers) -> Layer:
    """`spread`: the standard deviation of the weights."""
    return {
        "weight": numbers.add(layer.weight),
        "count": layer.weight.numel(),
        "spread": float(layer.weight.detach().double().std(correction=0)),
        "bias": None if layer.bias is None else numbers.add(layer.bias),
    }


def _window(layer: Any) -> Layer:
    names = ("kernel_size", "stride", "padding")
    sizes = (pair(getattr(layer, name)) for name in names)
    return {
        name: list(size) for name, size in zip(("kernel", "stride", "padding"), sizes, strict=True)
    }


def _average(layer: nn.AvgPool2d, _: _Numbers) -> Layer:
    return {"kind": "average", **_window(layer), "counts_padding": layer.count_include_pad}


def _norm(layer: nn.BatchNorm2d | nn.BatchNorm1d, numbers: _Numbers) -> Layer:
    """With fixed statistics a normalisation is a factor and a summand for each channel."""
    assert layer.running_var is not None and layer.running_mean is not None
    scale = layer.weight.double() / (layer.running_var.double() + layer.eps).sqrt()
    offset = layer.bias.double() - layer.running_mean.double() * scale
    return {"kind": "norm", "weight": numbers.add(scale), "bias": numbers.add(offset)}


def _leaky(layer: nn.Module, numbers: _Numbers) -> Layer:
    """Zero or more slopes below zero: one for all channels, or one for each."""
    slopes: Mapping[type, Callable[[Any], Any]] = {
        nn.ReLU: lambda _: np.zeros(1),
        nn.LeakyReLU: lambda leaky: np.array([leaky.negative_slope]),
        nn.RReLU: lambda random: np.array([(random.lower + random.upper) / 2]),  # in evaluation
        nn.PReLU: lambda learnt: learnt.weight,
    }
    values = slopes[type(layer)](layer)
    return {"kind": "leaky", "weight": numbers.add(values), "count": len(values)}


def _just(kind: str) -> Callable[[Any, _Numbers], Layer]:
    return lambda _layer, _numbers: {"kind": kind}


_DESCRIPTIONS: dict[type[nn.Module], Callable[[Any, _Numbers], Layer]] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.MaxPool2d: lambda layer, _: {"kind": "max", **_window(layer)},
    nn.AvgPool2d: _average,
    nn.AdaptiveAvgPool2d: _just("mean"),
    nn.Flatten: _just("flatten"),
    nn.BatchNorm2d: _norm,
    nn.BatchNorm1d: _norm,
    nn.ReLU: _leaky,
    nn.LeakyReLU: _leaky,
    nn.PReLU: _leaky,
    nn.RReLU: _leaky,
    nn.ELU: lambda layer, _: {"kind": "elu", "alpha": layer.alpha, "scale": 1.0},
    nn.SELU: lambda _layer, _numbers: {
        "kind": "elu",
        "alpha": 1.6732632423543772848170429916717,
        "scale": 1.0507009873554804934193349852946,
    },
    nn.Tanh: _just("tanh"),
}
