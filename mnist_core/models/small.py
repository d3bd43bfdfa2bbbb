"""Small CNNs: accuracy against parameters and receptive field.

Blocks of 3×3 convolutions without bias, each followed by activation, batch normalisation and
dropout; a 1×1 convolution with bias ends every block but the last; then global average pooling
and a 1×1 convolution to the classes.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from mnist_core.models.registry import Recipe, register_model
from mnist_core.models.shared import improved

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.models.registry import Activation

register = functools.partial(
    register_model, source="R3 · Small CNNs: accuracy against parameters and receptive field"
)


def recipes(
    published: float, dropout: float, lr: float, better: dict[str, Any], **fields: Any
) -> tuple[Recipe, ...]:
    """The reference's recipe, SGD with momentum over 19 epochs, and the better one."""
    own: dict[str, Any] = {"dropout": dropout, "activation": "ReLU"}
    fields |= {"optimizer": "SGD", "momentum": 0.9, "lr": lr, "epochs": 19, **own}
    title = "SGD with momentum, 19 epochs"
    selection = "best epoch on the test set"
    reference = Recipe("reference", title, fields, {"MNIST": published}, selection)
    return reference, improved(0.01, **own | better)


@dataclass(frozen=True)
class Layer:
    """A 3×3 convolution to `channels` channels; pooling, where there is any, precedes dropout."""

    channels: int
    stride: int = 1
    padding: int = 1
    pool: bool = False


def _stages(
    blocks: Sequence[list[Layer]], activation: Activation, dropout: float, num_classes: int
) -> dict[str, nn.Module]:
    """Named after their place: `b2c1_conv` is the convolution of the second block's first layer."""
    from torch import nn

    stages: dict[str, nn.Module] = {}
    inputs = 1
    for block, layers in enumerate(blocks, start=1):
        for number, layer in enumerate(layers, start=1):
            name, outputs = f"b{block}c{number}", layer.channels
            stages[f"{name}_conv"] = nn.Conv2d(
                inputs, outputs, 3, stride=layer.stride, padding=layer.padding, bias=False
            )
            stages[f"{name}_act"] = activation()
            stages[f"{name}_norm"] = nn.BatchNorm2d(outputs)
            if layer.pool:
                stages[f"{name}_pool"] = nn.MaxPool2d(2)
            stages[f"{name}_dropout"] = nn.Dropout(dropout)
            inputs = outputs
        if block < len(blocks):
            stages[f"b{block}_mix"] = nn.Conv2d(inputs, inputs, 1)
    stages["gap"] = nn.AdaptiveAvgPool2d(1)
    stages["classes"] = nn.Conv2d(inputs, num_classes, 1, bias=False)
    stages["flatten"] = nn.Flatten()
    return stages


@register(
    "medium",
    title="Medium",
    recipes=recipes(99.44, 0.1, 0.041, {"epochs": 80, "dropout": 0.03}, batch_size=128),
)
def medium(activation, dropout, num_classes):
    """Three blocks of two convolutions, each ended by max pooling."""
    blocks = (
        [Layer(8), Layer(8, pool=True)],
        [Layer(8), Layer(16, pool=True)],
        [Layer(16, padding=0), Layer(16, padding=0, pool=True)],
    )
    return _stages(blocks, activation, dropout, num_classes)


@register(
    "small", title="Small", recipes=recipes(99.25, 0.02, 0.061, {}, batch_size=32, rotation=5.0)
)
def small(activation, dropout, num_classes):
    """Two blocks of three convolutions; the last one has a stride of two."""
    blocks = (
        [Layer(8), Layer(8), Layer(8, pool=True)],
        [Layer(8), Layer(16), Layer(16, stride=2)],
    )
    return _stages(blocks, activation, dropout, num_classes)


@register(
    "ultrasmall",
    title="UltraSmall",
    recipes=recipes(99.00, 0.02, 0.025, {}, batch_size=64, rotation=5.0),
)
def ultrasmall(activation, dropout, num_classes):
    """Seven convolutions in under 4,500 parameters."""
    blocks = (
        [Layer(8), Layer(8), Layer(8), Layer(8, stride=2, pool=True)],
        [Layer(8), Layer(8), Layer(16, stride=2)],
    )
    return _stages(blocks, activation, dropout, num_classes)
