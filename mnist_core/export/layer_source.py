"""Layers as the lines of Python that make them."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

from mnist_core.errors import InputError

if TYPE_CHECKING:
    from torch import nn

SETTINGS = ("device", "dtype", "inplace", "padding_mode")  # which no layer here changes


def chain_source(model: nn.Module) -> str:
    """A call of nn.Sequential, a line for each layer, whose weights have the model's own names.

    Raises InputError for a network that is no chain of torch's own layers.
    """
    from torch import nn

    if type(model) is not nn.Sequential:
        raise InputError("Only a network that is a chain of layers can be written as a script.")
    lines = (f'        "{name}": {layer_source(layer)},' for name, layer in model.named_children())
    return "nn.Sequential(OrderedDict({\n" + "\n".join(lines) + "\n    }))"


def layer_source(layer: nn.Module) -> str:
    """Such as nn.Conv2d(1, 6, 5, padding=2): what is at its default is left out."""
    from torch import nn

    kind = type(layer)
    if getattr(nn, kind.__name__, None) is not kind or list(layer.children()):
        raise InputError(f"A {kind.__name__} cannot be written as a line of a script.")
    given = []
    for name, parameter in inspect.signature(kind).parameters.items():
        if name in SETTINGS or not hasattr(layer, name):
            continue
        value = _plain(getattr(layer, name), parameter.default)
        if parameter.default is parameter.empty:
            given.append(repr(value))
        elif value != parameter.default and not _is_default_stride(layer, name, value):
            given.append(f"{name}={value!r}")
    return f"nn.{kind.__name__}({', '.join(given)})"


def _plain(value: Any, default: Any) -> Any:
    """(5, 5) is 5; a bias that is there is True."""
    if isinstance(default, bool):
        return value if isinstance(value, bool) else value is not None
    if isinstance(value, tuple) and len(set(value)) == 1:
        return value[0]
    return value


def _is_default_stride(layer: nn.Module, name: str, value: Any) -> bool:
    """Pooling steps by its own size unless told otherwise."""
    pools = type(layer).__name__ in ("MaxPool2d", "AvgPool2d")
    return pools and name == "stride" and value == _plain(layer.kernel_size, None)
