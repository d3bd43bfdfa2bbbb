"""The same layers for other settings: another activation, rate of dropout or number of classes."""

from collections.abc import Sequence
from dataclasses import replace

from mnist_core.layers.kinds import Activation, Convolution, Dropout, Layer, Linear
from mnist_core.layers.text import HIGHEST_RATE, parse, text_of


def with_classes(text: str, classes: int) -> str:
    """The layers with so many outputs of the last layer that has weights."""
    layers = list(parse(text))
    for place in reversed(range(len(layers))):
        layer = layers[place]
        if isinstance(layer, Linear):
            layers[place] = replace(layer, outputs=classes)
            break
        if isinstance(layer, Convolution):
            layers[place] = replace(layer, channels=classes)
            break
    return text_of(layers)


def with_activation(text: str, name: str) -> str:
    """The layers with another activation everywhere."""
    layers = parse(text)
    return text_of(
        Activation(name.lower()) if isinstance(layer, Activation) else layer for layer in layers
    )


def with_dropout(text: str, factor: float) -> str:
    """The layers with every rate of dropout times a factor; those that come to 0 are left out."""
    return text_of(_rescaled(parse(text), factor))


def _rescaled(layers: Sequence[Layer], factor: float) -> list[Layer]:
    rates = [
        Dropout(min(round(layer.rate * factor, 6), HIGHEST_RATE))
        if isinstance(layer, Dropout)
        else layer
        for layer in layers
    ]
    return [layer for layer in rates if not isinstance(layer, Dropout) or layer.rate > 0]
