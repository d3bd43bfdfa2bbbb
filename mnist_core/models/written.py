"""A network of one's own: its layers are a field of the config."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_core.config import ACTIVATIONS, CUSTOM
from mnist_core.layers.chain import trace
from mnist_core.layers.kinds import (
    Activation,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    Layer,
    Linear,
    Pooling,
)
from mnist_core.layers.text import Words, parse
from mnist_core.models.registry import Recipe, register_model
from mnist_core.models.shared import improved, named_stages

if TYPE_CHECKING:
    from torch import nn

FIRST = (
    "conv 8 5x5, activation, pool 2, conv 16 5x5, activation, pool 2, "
    "flatten, dropout, linear classes"
)
FIELDS: dict[str, Any] = {"layers": FIRST, "activation": "ReLU"}


@register_model(
    CUSTOM,
    title="Own network",
    source="layers of one's own",
    layered=True,
    recipes=(
        Recipe(
            "quick",
            "three epochs of AdamW in one cycle",
            FIELDS
            | {"optimizer": "AdamW", "lr": 0.01, "weight_decay": 0.01, "schedule": "one-cycle"}
            | {"batch_size": 128, "epochs": 3},
        ),
        improved(0.01, **FIELDS),
    ),
)
def custom(activation, dropout, num_classes, layers, input_size):
    """The layers in order. Their text names every setting."""
    return stages_of(layers, Words(num_classes, activation.__name__, dropout), input_size)


def stages_of(layers: str, words: Words, input_size: int) -> dict[str, nn.Module]:
    """The layers of a text, which has been checked, as named stages."""
    steps = trace(parse(layers, words), input_size)
    shapes = [(1, input_size, input_size), *(step.shape for step in steps)]
    modules = [_module(s.layer, shape) for s, shape in zip(steps, shapes, strict=False)]
    return named_stages(modules)


def _module(layer: Layer, shape: tuple[int, ...]) -> nn.Module:
    """The layer as torch's module; `shape` is that of its input, without the batch."""
    from torch import nn

    if isinstance(layer, Convolution):
        sizes = (layer.kernel, layer.stride, layer.padding)
        return nn.Conv2d(shape[0], layer.channels, *sizes, bias=layer.bias)
    if isinstance(layer, Pooling):
        kind = nn.AvgPool2d if layer.average else nn.MaxPool2d
        return kind(layer.kernel, layer.stride, layer.padding)
    if isinstance(layer, Linear):
        return nn.Linear(shape[0], layer.outputs, bias=layer.bias)
    if isinstance(layer, BatchNorm):
        return nn.BatchNorm2d(shape[0]) if len(shape) > 1 else nn.BatchNorm1d(shape[0])
    if isinstance(layer, Activation):
        return getattr(nn, next(name for name in ACTIVATIONS if name.lower() == layer.name))()
    if isinstance(layer, Dropout):
        return nn.Dropout(layer.rate)
    return nn.Flatten() if isinstance(layer, Flatten) else nn.AdaptiveAvgPool2d(1)
