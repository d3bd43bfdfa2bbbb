"""Layers from text and back: "conv 8 5x5, relu, pool 2, flatten, linear 10".

Layers are separated by commas, semicolons or line breaks. Every kind has one canonical form, and
`canonical` gives it, so that two ways of writing the same network are one experiment.
"""

import difflib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mnist_core.layers.kinds import (
    ACTIVATIONS,
    Activation,
    BatchNorm,
    Convolution,
    Dropout,
    Flatten,
    GlobalAverage,
    Layer,
    LayersError,
    Linear,
    Pair,
    Pooling,
)

LONGEST = 2000  # characters
MOST_LAYERS = 64
MOST_CHANNELS, MOST_OUTPUTS, LARGEST_SIDE, HIGHEST_RATE = 1024, 4096, 64, 0.9
EXAMPLE = "conv 8 5x5, relu, pool 2, flatten, linear 10"

# Other ways to write the start of a layer.
SYNONYMS = {
    "convolution": "conv",
    "conv2d": "conv",
    "max pool": "pool",
    "maxpool": "pool",
    "avgpool": "average pool",
    "avg pool": "average pool",
    "average": "average pool",
    "batch norm": "batchnorm",
    "norm": "batchnorm",
    "bn": "batchnorm",
    "leaky relu": "leakyrelu",
    "global average pool": "global average",
    "global average pooling": "global average",
    "gap": "global average",
    "dense": "linear",
    "fc": "linear",
}
KINDS: tuple[str, ...] = ("conv", "pool", "average pool", *ACTIVATIONS)
KINDS += ("batchnorm", "dropout", "flatten", "global average", "linear")


@dataclass(frozen=True)
class Words:
    """What the words "classes", "activation" and "dropout" without a rate stand for."""

    classes: int = 10
    activation: str = "ReLU"
    dropout: float = 0.0


def parse(text: str, words: Words | None = None) -> tuple[Layer, ...]:
    """The layers of a text. Raises LayersError: one sentence."""
    words = words or Words()
    if len(text) > LONGEST:
        raise LayersError(f"{len(text):,} characters were given; allowed are {LONGEST:,}")
    parts = [" ".join(part.split()) for part in re.split(r"[,;\n]", text.lower())]
    parts = [part.replace("×", "x") for part in parts if part]
    if not parts:
        raise LayersError(f"none were given; write them as in {EXAMPLE}")
    if len(parts) > MOST_LAYERS:
        raise LayersError(f"{len(parts)} layers were given; allowed are {MOST_LAYERS}")
    return tuple(
        _layer(part, place, words)
        for place, part in enumerate(parts)
        if part != "dropout" or words.dropout > 0
    )


def text_of(layers: Iterable[Layer]) -> str:
    """The canonical text."""
    return ", ".join(map(str, layers))


def canonical(text: str, words: Words | None = None) -> str:
    """The canonical form of a text. Raises LayersError."""
    return text_of(parse(text, words))


def _layer(part: str, place: int, words: Words) -> Layer:
    kind, rest = _kind_and_rest(part)
    options = _Options(kind, rest, words)
    try:
        layer = READERS[kind](options) if kind in READERS else _other(kind, options)
        options.end()
    except LayersError as error:
        raise LayersError(error.sentence, place, _excerpt(part)) from None
    return layer


def _kind_and_rest(part: str) -> tuple[str, list[str]]:
    """The kind, which may be of several words, and the words after it."""
    found = part.split()
    for count in (3, 2, 1):
        start = " ".join(found[:count])
        kind = SYNONYMS.get(start, start)
        if kind in KINDS or kind == "activation":
            return kind, found[count:]
    return found[0], found[1:]


def _excerpt(part: str) -> str:
    return part if len(part) <= 40 else part[:39] + "…"


class _Options:
    """The words after a layer's kind, which are read from the front."""

    def __init__(self, kind: str, rest: list[str], words: Words) -> None:
        self.kind, self.rest, self.words = kind, rest, words

    def count(self, what: str, most: int) -> int:
        """The next word as a whole number, or "classes"."""
        if not self.rest:
            raise LayersError(f"the number of {what} is missing, as in {self.kind} 8")
        given = self.rest.pop(0)
        return self.words.classes if given == "classes" else _whole(given, what, 1, most)

    def pair(self, what: str, low: int) -> Pair:
        """The next word as "5x5" or "5"."""
        if not self.rest:
            raise LayersError(f"the {what} is missing, as in {what} 2")
        return pair(self.rest.pop(0), what, low)

    def kernel(self, otherwise: Pair | None) -> Pair:
        if self.rest and self.rest[0][:1].isdigit():
            return self.pair("kernel", 1)
        if otherwise is None:
            raise LayersError(f"the size of the window is missing, as in {self.kind} 2")
        return otherwise

    def moves(self, kernel: Pair, stride: Pair, bias: bool) -> tuple[Pair, Pair, bool]:
        """Stride, padding and bias, in any order, each at most once."""
        found: dict[str, Pair] = {}
        with_bias = True
        while self.rest:
            word = self.rest.pop(0)
            if bias and word == "no" and self.rest[:1] == ["bias"] and with_bias:
                self.rest.pop(0)
                with_bias = False
            elif word == "padding" and self.rest[:1] == ["same"] and word not in found:
                self.rest.pop(0)
                found[word] = _same(kernel)
            elif word in ("stride", "padding") and word not in found:
                found[word] = self.pair(word, 1 if word == "stride" else 0)
            else:
                allowed = "stride, padding and no bias" if bias else "stride and padding"
                raise LayersError(f"{word!r} was given; allowed are {allowed}, each once")
        return found.get("stride", stride), found.get("padding", (0, 0)), with_bias

    def end(self) -> None:
        if self.rest:
            raise LayersError(f"{self.rest[0]!r} was given after {self.kind}, which needs no more")


def _convolution(options: _Options) -> Layer:
    channels = options.count("channels", MOST_CHANNELS)
    kernel = options.kernel((3, 3))
    return Convolution(channels, kernel, *options.moves(kernel, (1, 1), bias=True))


def _pooling(options: _Options) -> Layer:
    kernel = options.kernel(None)
    stride, padding, _ = options.moves(kernel, kernel, bias=False)
    return Pooling(kernel, stride, padding, options.kind == "average pool")


def _dropout(options: _Options) -> Layer:
    if not options.rest:
        return Dropout(options.words.dropout)
    given = options.rest.pop(0)
    try:
        rate = float(given)
    except ValueError:
        rate = -1
    if not 0 < rate <= HIGHEST_RATE:
        raise LayersError(
            f"a rate of {given} was given; allowed is a number above 0, up to {HIGHEST_RATE}"
        )
    return Dropout(rate)


def _linear(options: _Options) -> Layer:
    outputs = options.count("outputs", MOST_OUTPUTS)
    if options.rest == ["no", "bias"]:
        options.rest.clear()
        return Linear(outputs, bias=False)
    return Linear(outputs)


def _other(kind: str, options: _Options) -> Layer:
    simple: dict[str, Layer] = {
        "batchnorm": BatchNorm(),
        "flatten": Flatten(),
        "global average": GlobalAverage(),
        "activation": Activation(options.words.activation.lower()),
    }
    if kind in ACTIVATIONS:
        return Activation(kind)
    if kind in simple:
        return simple[kind]
    near = difflib.get_close_matches(kind, KINDS, 1)
    meant = f"; did you mean {near[0]}?" if near else f"; there are {', '.join(KINDS)}"
    raise LayersError(f"{_excerpt(kind)} is no kind of layer{meant}")


READERS: dict[str, Callable[[_Options], Layer]] = {
    "conv": _convolution,
    "pool": _pooling,
    "average pool": _pooling,
    "dropout": _dropout,
    "linear": _linear,
}


def _whole(given: str, what: str, low: int, high: int) -> int:
    digits = re.fullmatch(r"[0-9]{1,6}", given)
    if not digits or not low <= int(given) <= high:
        raise LayersError(
            f"{what}: {_excerpt(given)!r} was given; allowed is a whole number from {low} to {high}"
        )
    return int(given)


def pair(given: str, what: str, low: int) -> Pair:
    """Two sides from "5x5" or "5", each from `low` to LARGEST_SIDE. Raises LayersError."""
    rows, by, columns = given.partition("x")
    first = _whole(rows, what, low, LARGEST_SIDE)
    return first, _whole(columns, what, low, LARGEST_SIDE) if by else first


def _same(kernel: Pair) -> Pair:
    if kernel[0] % 2 == 0 or kernel[1] % 2 == 0:
        raise LayersError("padding same needs a kernel with odd sides, such as 3x3")
    return kernel[0] // 2, kernel[1] // 2
