"""The layers of a network as data: the way back from torch's modules to text."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_core.config import ACTIVATIONS
from mnist_core.errors import InputError
from mnist_core.layers.kinds import (
    Activation,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    Linear,
    Pair,
    Pooling,
)

if TYPE_CHECKING:
    from torch import nn


def layers_of(model: nn.Module) -> tuple[Layer, ...]:
    """The layers of a chain, without dropout at rate 0.

    Raises InputError for a network that is no chain of the layers that text can name.
    """
    from torch import nn

    if type(model) is not nn.Sequential:
        raise InputError(f"{type(model).__name__} is no chain of layers")
    return tuple(_layer(m) for m in model if not (isinstance(m, nn.Dropout) and m.p == 0))


def _layer(module: nn.Module) -> Layer:
    kind, m = type(module).__name__, vars(module)
    if kind == "Conv2d":
        kernel, stride, padding = map(_pair, (m["kernel_size"], m["stride"], m["padding"]))
        return Convolution(m["out_channels"], kernel, stride, padding, module.bias is not None)
    if kind in ("MaxPool2d", "AvgPool2d"):
        kernel, stride, padding = map(_pair, (m["kernel_size"], m["stride"], m["padding"]))
        return Pooling(kernel, stride, padding, average=kind == "AvgPool2d")
    if kind == "Linear":
        return Linear(m["out_features"], bias=module.bias is not None)
    if kind == "Dropout":
        return Dropout(m["p"])
    if kind in ACTIVATIONS:
        return Activation(kind.lower())
    simple: dict[str, Layer] = {
        "Flatten": Flatten(),
        "AdaptiveAvgPool2d": GlobalAverage(),
        "BatchNorm1d": BatchNorm(),
        "BatchNorm2d": BatchNorm(),
    }
    if kind not in simple:
        raise InputError(f"{kind} has no text")
    return simple[kind]


def _pair(value: Any) -> Pair:
    rows, columns = value if isinstance(value, tuple) else (value, value)
    return rows, columns
