"""A network as a chain of torch layers, and what the native engine has no kernel for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import nn

Layer = tuple[str, nn.Module]

# Monotonic, without weights (unlike PReLU) and without random numbers (unlike RReLU): they pick
# the same maximum before max pooling as after it.
MONOTONIC = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.Tanh)
WIDEST_KERNEL = 16
MOST_WEIGHTS = 2**22  # of a linear layer


def chain_of(model: nn.Module) -> list[Layer]:
    """The layers in the order in which they are computed, nested chains taken apart.

    A monotonic activation before max pooling is put after it, where it is a quarter of the work.
    Layers that change nothing are left out. Raises ValueError for a model that is not a chain.
    """
    layers = [(name, layer) for name, layer in _flat(model, "") if not _is_idle(layer)]
    for place in range(len(layers) - 1):
        first, second = layers[place], layers[place + 1]
        if isinstance(first[1], MONOTONIC) and isinstance(second[1], nn.MaxPool2d):
            layers[place : place + 2] = [second, first]
    return layers


def _flat(model: nn.Module, prefix: str) -> Iterator[Layer]:
    if type(model) is not nn.Sequential:
        raise ValueError(f"{type(model).__name__} is no chain of layers")
    if len(list(model.children())) < len(model):
        raise ValueError("a layer is used twice")
    for name, layer in model.named_children():
        if isinstance(layer, nn.Sequential):
            yield from _flat(layer, f"{prefix}{name}.")
        else:
            yield prefix + name, layer


def _is_idle(layer: nn.Module) -> bool:
    return isinstance(layer, nn.Identity) or (type(layer) is nn.Dropout and layer.p == 0)


def reason_against(layer: nn.Module) -> str | None:
    """Why the engine has no kernel for this layer as it is set, or None."""
    check = _CHECKS.get(type(layer))
    if check is None:
        return "it has no kernel for such a layer"
    for parameter in layer.parameters():
        if parameter.dtype != torch.float32 or parameter.device.type != "cpu":
            return "its parameters are not float32 on the CPU"
    return next((reason for wrong, reason in check(layer) if wrong), None)


def pair(value: Any) -> tuple[int, int]:
    """A layer's setting, which torch takes as one whole number or two, as rows and columns."""
    rows, columns = value if isinstance(value, tuple) else (value, value)
    return rows, columns


def _convolution(layer: nn.Conv2d) -> Iterator[tuple[bool, str]]:
    yield layer.groups != 1, "groups are not 1"
    yield pair(layer.dilation) != (1, 1), "dilation is not 1"
    yield layer.padding_mode != "zeros", "padding is not with zeros"
    yield isinstance(layer.padding, str), "padding is given as a word"
    yield max(pair(layer.kernel_size)) > WIDEST_KERNEL, f"kernel is wider than {WIDEST_KERNEL}"


def _max_pool(layer: nn.MaxPool2d) -> Iterator[tuple[bool, str]]:
    yield pair(layer.dilation) != (1, 1), "dilation is not 1"
    yield layer.ceil_mode, "ceil_mode is set"
    yield layer.return_indices, "return_indices is set"


def _average_pool(layer: nn.AvgPool2d) -> Iterator[tuple[bool, str]]:
    yield layer.ceil_mode, "ceil_mode is set"
    yield layer.divisor_override is not None, "divisor_override is set"


def _adaptive_pool(layer: nn.AdaptiveAvgPool2d) -> Iterator[tuple[bool, str]]:
    yield pair(layer.output_size) != (1, 1), "output size is not 1"


def _flatten(layer: nn.Flatten) -> Iterator[tuple[bool, str]]:
    yield (layer.start_dim, layer.end_dim) != (1, -1), "it does not flatten all but the images"


def _norm(layer: nn.BatchNorm2d | nn.BatchNorm1d) -> Iterator[tuple[bool, str]]:
    yield not layer.affine, "affine is off"
    yield not layer.track_running_stats, "track_running_stats is off"
    yield layer.momentum is None, "momentum is None"


def _slope(layer: nn.Module) -> Iterator[tuple[bool, str]]:
    # the gradient is taken from the output, whose sign has to be the input's
    name = "alpha" if isinstance(layer, nn.ELU) else "negative_slope"
    yield getattr(layer, name) <= 0, f"{name} is not positive"


def _rrelu(layer: nn.RReLU) -> Iterator[tuple[bool, str]]:
    yield layer.lower <= 0, "lower is not positive"


def _linear(layer: nn.Linear) -> Iterator[tuple[bool, str]]:
    # every block of images reads all weights again; torch reads them once for a batch
    yield layer.weight.numel() > MOST_WEIGHTS, "it has so many weights that torch is faster"


def _always(_: nn.Module) -> Iterator[tuple[bool, str]]:
    return iter(())


_CHECKS: dict[type[nn.Module], Callable[[Any], Iterator[tuple[bool, str]]]] = {
    nn.Conv2d: _convolution,
    nn.Linear: _linear,
    nn.MaxPool2d: _max_pool,
    nn.AvgPool2d: _average_pool,
    nn.AdaptiveAvgPool2d: _adaptive_pool,
    nn.Flatten: _flatten,
    nn.BatchNorm2d: _norm,
    nn.BatchNorm1d: _norm,
    nn.Dropout: _always,
    nn.ReLU: _always,
    nn.LeakyReLU: _slope,
    nn.PReLU: _always,
    nn.RReLU: _rrelu,
    nn.ELU: _slope,
    nn.SELU: _always,
    nn.Tanh: _always,
}
