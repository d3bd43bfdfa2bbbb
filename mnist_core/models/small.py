"""Small CNNs: accuracy against parameters and receptive field.

Blocks of 3×3 convolutions without bias, each followed by activation, batch normalisation and
dropout; a 1×1 convolution with bias ends every block but the last; then global average pooling
and a 1×1 convolution to the classes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mnist_core.models.recipes import improved
from mnist_core.models.registry import Recipe, register_model

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.models.registry import Activation

SOURCE = "R3 · Small CNNs: accuracy against parameters and receptive field"


def recipes(
    published: float, dropout: float, lr: float, better: dict[str, Any], **fields: Any
) -> tuple[Recipe, ...]:
    """The reference's recipe, SGD with momentum over 19 epochs, and the better one."""
    fields |= {"optimizer": "SGD", "momentum": 0.9, "lr": lr, "epochs": 19}
    fields |= {"dropout": dropout, "activation": "ReLU"}
    title = "SGD with momentum, 19 epochs"
    selection = "best epoch on the test set"
    reference = Recipe("reference", title, fields, {"MNIST": published}, selection)
    changes: dict[str, Any] = {"dropout": dropout, "activation": "ReLU", **better}
    return reference, improved(0.01, **changes)


def _conv(
    stages: dict[str, nn.Module],
    name: str,
    channels: tuple[int, int],
    activation: Activation,
    dropout: float,
    *,
    stride: int = 1,
    padding: int = 1,
    pool: bool = False,
) -> None:
    """Adds one 3×3 convolution with what follows it; pooling comes before the dropout.

    `channels`: how many go in, and how many come out.
    """
    from torch import nn

    inputs, outputs = channels
    stages[f"{name}_conv"] = nn.Conv2d(
        inputs, outputs, 3, stride=stride, padding=padding, bias=False
    )
    stages[f"{name}_act"] = activation()
    stages[f"{name}_norm"] = nn.BatchNorm2d(outputs)
    if pool:
        stages[f"{name}_pool"] = nn.MaxPool2d(2)
    stages[f"{name}_dropout"] = nn.Dropout(dropout)


def _head(stages: dict[str, nn.Module], num_classes: int) -> dict[str, nn.Module]:
    """Adds global average pooling and the classes; returns the stages."""
    from torch import nn

    stages["gap"] = nn.AdaptiveAvgPool2d(1)
    stages["classes"] = nn.Conv2d(16, num_classes, 1, bias=False)
    stages["flatten"] = nn.Flatten()
    return stages


@register_model(
    "medium",
    title="Medium",
    source=SOURCE,
    recipes=recipes(99.44, 0.1, 0.041, {"epochs": 80, "dropout": 0.03}, batch_size=128),
)
def medium(activation, dropout, num_classes):
    """Three blocks of two convolutions, each ended by max pooling."""
    from torch import nn

    stages: dict[str, nn.Module] = {}
    _conv(stages, "b1c1", (1, 8), activation, dropout)
    _conv(stages, "b1c2", (8, 8), activation, dropout, pool=True)
    stages["b1_mix"] = nn.Conv2d(8, 8, 1)
    _conv(stages, "b2c1", (8, 8), activation, dropout)
    _conv(stages, "b2c2", (8, 16), activation, dropout, pool=True)
    stages["b2_mix"] = nn.Conv2d(16, 16, 1)
    _conv(stages, "b3c1", (16, 16), activation, dropout, padding=0)
    _conv(stages, "b3c2", (16, 16), activation, dropout, padding=0, pool=True)
    return _head(stages, num_classes)


@register_model(
    "small",
    title="Small",
    source=SOURCE,
    recipes=recipes(99.25, 0.02, 0.061, {}, batch_size=32, rotation=5.0),
)
def small(activation, dropout, num_classes):
    """Two blocks of three convolutions; the last one has a stride of two."""
    from torch import nn

    stages: dict[str, nn.Module] = {}
    _conv(stages, "b1c1", (1, 8), activation, dropout)
    _conv(stages, "b1c2", (8, 8), activation, dropout)
    _conv(stages, "b1c3", (8, 8), activation, dropout, pool=True)
    stages["b1_mix"] = nn.Conv2d(8, 8, 1)
    _conv(stages, "b2c1", (8, 8), activation, dropout)
    _conv(stages, "b2c2", (8, 16), activation, dropout)
    _conv(stages, "b2c3", (16, 16), activation, dropout, stride=2)
    return _head(stages, num_classes)


@register_model(
    "ultrasmall",
    title="UltraSmall",
    source=SOURCE,
    recipes=recipes(99.00, 0.02, 0.025, {}, batch_size=64, rotation=5.0),
)
def ultrasmall(activation, dropout, num_classes):
    """Seven convolutions in under 4,500 parameters."""
    from torch import nn

    stages: dict[str, nn.Module] = {}
    _conv(stages, "b1c1", (1, 8), activation, dropout)
    _conv(stages, "b1c2", (8, 8), activation, dropout)
    _conv(stages, "b1c3", (8, 8), activation, dropout)
    _conv(stages, "b1c4", (8, 8), activation, dropout, stride=2, pool=True)
    stages["b1_mix"] = nn.Conv2d(8, 8, 1)
    _conv(stages, "b2c1", (8, 8), activation, dropout)
    _conv(stages, "b2c2", (8, 8), activation, dropout)
    _conv(stages, "b2c3", (8, 16), activation, dropout, stride=2)
    return _head(stages, num_classes)
