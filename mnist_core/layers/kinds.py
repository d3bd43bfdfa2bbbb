"""The kinds of layers. `str` of a layer is its canonical text, such as "conv 8 5x5"."""

from dataclasses import dataclass

from mnist_core.errors import InputError
from mnist_core.formatting import number

Pair = tuple[int, int]  # rows, columns
ACTIVATIONS = ("relu", "leakyrelu", "prelu", "rrelu", "elu", "selu", "tanh")


class LayersError(InputError):
    """What is wrong with a network's layers.

    `place` is that of the layer, from 0, or None for the network as a whole; `sentence` says what
    is wrong without naming the layer.
    """

    def __init__(self, sentence: str, place: int | None = None, words: str = "") -> None:
        self.sentence, self.place = sentence, place
        where = "" if place is None else f"layer {place + 1} ({words}): "
        super().__init__(where + sentence)


@dataclass(frozen=True)
class Convolution:
    """`channels` kernels that slide over all maps."""

    channels: int
    kernel: Pair
    stride: Pair = (1, 1)
    padding: Pair = (0, 0)
    bias: bool = True

    def __str__(self) -> str:
        size = times(self.kernel)
        return f"conv {self.channels} {size}{_moves(self.stride, (1, 1), self.padding)}" + (
            "" if self.bias else " no bias"
        )


@dataclass(frozen=True)
class Pooling:
    """The largest value of each window, or with `average` the mean."""

    kernel: Pair
    stride: Pair
    padding: Pair = (0, 0)
    average: bool = False

    def __str__(self) -> str:
        name = "average pool" if self.average else "pool"
        return f"{name} {short(self.kernel)}{_moves(self.stride, self.kernel, self.padding)}"


@dataclass(frozen=True)
class Activation:
    """One of ACTIVATIONS."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class BatchNorm:
    """Mean 0 and deviation 1 over the batch, then a learnt scale and offset a channel."""

    def __str__(self) -> str:
        return "batchnorm"


@dataclass(frozen=True)
class Dropout:
    """A share of values set to zero at random in training."""

    rate: float

    def __str__(self) -> str:
        return f"dropout {number(self.rate)}"


@dataclass(frozen=True)
class Flatten:
    """All maps as one list of numbers."""

    def __str__(self) -> str:
        return "flatten"


@dataclass(frozen=True)
class GlobalAverage:
    """The mean of each map."""

    def __str__(self) -> str:
        return "global average"


@dataclass(frozen=True)
class Linear:
    """Weighted sums of all numbers."""

    outputs: int
    bias: bool = True

    def __str__(self) -> str:
        return f"linear {self.outputs}" + ("" if self.bias else " no bias")


Layer = Convolution | Pooling | Activation | BatchNorm | Dropout | Flatten | GlobalAverage | Linear


def times(pair: Pair) -> str:
    return f"{pair[0]}x{pair[1]}"


def short(pair: Pair) -> str:
    """One number where both sides are equal: "2", "2x1"."""
    return str(pair[0]) if pair[0] == pair[1] else times(pair)


def _moves(stride: Pair, usual: Pair, padding: Pair) -> str:
    words = "" if stride == usual else f" stride {short(stride)}"
    return words + ("" if padding == (0, 0) else f" padding {short(padding)}")
