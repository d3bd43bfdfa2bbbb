"""Layers as rows of fields that are changed one by one. Loads without torch."""

from dataclasses import dataclass, replace
from typing import Any

from mnist_core.layers.kinds import (
    Activation,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    LayersError,
    Linear,
    Pooling,
    short,
)
from mnist_core.layers.text import (
    HIGHEST_RATE,
    LARGEST_SIDE,
    MOST_CHANNELS,
    MOST_OUTPUTS,
    Words,
    pair,
    parse,
)

# What a row can be, and what a new row of it is.
KINDS = {
    "Convolution": "conv 8 3x3",
    "Max pooling": "pool 2",
    "Average pooling": "average pool 2",
    "Activation": "relu",
    "Batch normalisation": "batchnorm",
    "Dropout": "dropout 0.25",
    "Global average": "global average",
    "Flatten": "flatten",
    "Linear": "linear 32",
}
ON_MAPS = (Convolution, Pooling)  # what cannot stand behind flatten


@dataclass(frozen=True)
class Field:
    """One setting of a layer, by the name of its attribute.

    `kind`: "count" and "size" are whole numbers from `low` to `high`, a size those of both sides;
    "rate" is a fraction up to `high`; "choice" is one of kinds.ACTIVATIONS, "switch" true or false.
    """

    name: str
    label: str
    kind: str
    low: int = 0
    high: float = 0


BIAS = Field("bias", "bias", "switch")
FIELDS: dict[type, tuple[Field, ...]] = {
    Convolution: (
        Field("channels", "channels", "count", 1, MOST_CHANNELS),
        Field("kernel", "kernel", "size", 1, LARGEST_SIDE),
        Field("stride", "stride", "size", 1, LARGEST_SIDE),
        Field("padding", "padding", "size", 0, LARGEST_SIDE),
        BIAS,
    ),
    Pooling: (
        Field("kernel", "window", "size", 1, LARGEST_SIDE),
        Field("stride", "stride", "size", 1, LARGEST_SIDE),
        Field("padding", "padding", "size", 0, LARGEST_SIDE),
    ),
    Activation: (Field("name", "function", "choice"),),
    Dropout: (Field("rate", "rate", "rate", 0, HIGHEST_RATE),),
    Linear: (Field("outputs", "outputs", "count", 1, MOST_OUTPUTS), BIAS),
}


def layer_of(part: str, words: Words) -> Layer | None:
    """The layer that a part of a text says; None where it says none."""
    try:
        found = parse(part, words)
    except LayersError:
        return None
    return found[0] if found else None


def kind_of(layer: Layer) -> str:
    """Which of KINDS a layer is."""
    if isinstance(layer, Pooling):
        return "Average pooling" if layer.average else "Max pooling"
    names = {Convolution: "Convolution", Activation: "Activation", Dropout: "Dropout"}
    names |= {BatchNorm: "Batch normalisation", GlobalAverage: "Global average"}
    return {**names, Flatten: "Flatten", Linear: "Linear"}[type(layer)]


def fields_of(layer: Layer) -> tuple[Field, ...]:
    """What can be set of a layer, in the order of its text."""
    return FIELDS.get(type(layer), ())


def value_of(layer: Layer, field: Field) -> Any:
    """A field's value: of a size one number or, where the sides differ, a text such as "3x1"."""
    value = getattr(layer, field.name)
    if field.kind != "size":
        return value
    return value[0] if value[0] == value[1] else short(value)


def with_value(layer: Layer, field: Field, value: Any) -> Layer:
    """The layer with another value of a field, in the form of `value_of`.

    A pooling that steps by its window goes on to do so. Raises LayersError.
    """
    if field.kind == "size":
        value = pair(str(value).lower().replace("×", "x"), field.label, field.low)
    changes = {field.name: value}
    if isinstance(layer, Pooling) and field.name == "kernel" and layer.stride == layer.kernel:
        changes["stride"] = value
    return replace(layer, **changes)


def as_kind(layer: Layer | None, kind: str) -> Layer:
    """A new layer of this kind; one kind of pooling keeps the window of the other."""
    (new,) = parse(KINDS[kind])
    if isinstance(layer, Pooling) and isinstance(new, Pooling):
        return replace(layer, average=new.average)
    return new


def place_for(new: Layer, layers: list[Layer | None]) -> int:
    """Where a new layer fits best: before flatten if it works on maps, else before the last one."""
    last = max(len(layers) - 1, 0)
    if not isinstance(new, (*ON_MAPS, Activation, BatchNorm, GlobalAverage)):
        return last
    flat = (n for n, each in enumerate(layers) if isinstance(each, Flatten | GlobalAverage))
    return next(flat, last)
