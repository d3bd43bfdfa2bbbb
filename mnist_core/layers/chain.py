"""A chain of layers on an image: shapes, parameters, multiply-accumulates and receptive fields."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from mnist_core.layers.kinds import (
    BatchNorm,
    Convolution,
    Flatten,
    GlobalAverage,
    Layer,
    LayersError,
    Linear,
    Pair,
    Pooling,
    times,
)

MOST_PARAMETERS = 10_000_000
MOST_MACS = 100_000_000  # of one image
MOST_VALUES = 1_000_000  # of all layers' outputs, of one image
MOST_MEMORY = 4 * 2**30  # bytes of a training step's values and gradients

Shape = tuple[int, ...]  # (channels, rows, columns), or (numbers,) once flat


@dataclass(frozen=True)
class Step:
    """One layer at its place in a chain.

    `shape` is the output's, without the batch; `parameters` are those it learns, `macs` its
    multiply-accumulates for one image. `field` is the receptive field of one unit in input pixels,
    unclipped (padding counts); `jump` is the distance between those of neighbours. `whole`: flatten
    or global average has taken in the whole map, and `field` is the last one before.
    `sees_no_more`: a window over maps whose units see the whole image already; it adds no context.

    M. L. Richter, J. Schöning, A. Wiedenroth, U. Krumnack: Should you go deeper? Optimizing
    convolutional neural network architectures without training. 2021, arXiv:2106.12307.
    """

    layer: Layer
    shape: Shape
    parameters: int
    macs: int
    field: Pair
    jump: Pair
    whole: bool
    sees_no_more: bool


def trace(layers: Sequence[Layer], side: int) -> list[Step]:
    """Every layer with what it makes of a grey image of this side.

    Raises LayersError where a layer does not fit the one before it.
    """
    steps: list[Step] = []
    shape: Shape = (1, side, side)
    field, jump, whole = (1, 1), (1, 1), False
    for place, layer in enumerate(layers):
        try:
            after, parameters, macs = _apply(layer, shape)
        except LayersError as error:
            raise LayersError(error.sentence, place, str(layer)) from None
        covered = min(field) >= side or whole
        no_more = covered and isinstance(layer, Convolution | Pooling) and max(layer.kernel) > 1
        if isinstance(layer, Convolution | Pooling) and not whole:
            field = _pair(
                f + (k - 1) * j for f, k, j in zip(field, layer.kernel, jump, strict=True)
            )
            jump = _pair(j * s for j, s in zip(jump, layer.stride, strict=True))
        whole = whole or isinstance(layer, Flatten | GlobalAverage)
        shape = after
        steps.append(Step(layer, shape, parameters, macs, field, jump, whole, no_more))
    return steps


def check(layers: Sequence[Layer], side: int, classes: int) -> list[Step]:
    """`trace` of a network that gives one number for each class.

    Raises LayersError also for a network that gives something else, or is beyond the limits.
    """
    steps = trace(layers, side)
    shape = steps[-1].shape
    if len(shape) > 1:
        raise LayersError(
            f"the network ends in {in_words(shape)}: end with flatten, linear {classes}"
        )
    if shape != (classes,):
        raise LayersError(
            f"the network ends in {in_words(shape)} and the data set has {classes} classes: "
            f"end with linear {classes}"
        )
    for what, found, most in (
        ("parameters", sum(step.parameters for step in steps), MOST_PARAMETERS),
        ("multiply-accumulates an image", sum(step.macs for step in steps), MOST_MACS),
        ("values an image in all layers", values(steps), MOST_VALUES),
    ):
        if found > most:
            raise LayersError(f"{found:,} {what} are too many; allowed are {most:,}")
    return steps


def values(steps: Sequence[Step]) -> int:
    """How many numbers all layers put out for one image."""
    return sum(math.prod(step.shape) for step in steps)


def most_images(steps: Sequence[Step]) -> int:
    """The most images of a training step: all values and their gradients fit MOST_MEMORY."""
    return MOST_MEMORY // (8 * values(steps))


def smallest_batch(steps: Sequence[Step]) -> int:
    """How many images a training step needs: 2 where single numbers are normalised over them."""
    single = (math.prod(step.shape[1:]) == 1 and _normalises(step) for step in steps)
    return 2 if any(single) else 1


def receptive_field(steps: Sequence[Step]) -> int:
    """The last convolution's, before the maps become a list; its longer side. 0 without one."""
    fields = [s.field for s in steps if isinstance(s.layer, Convolution) and not s.whole]
    return max(fields[-1]) if fields else 0


def in_words(shape: Shape) -> str:
    """(6, 24, 24) -> "6 maps of 24×24"."""
    if len(shape) == 1:
        return "1 number" if shape[0] == 1 else f"{shape[0]:,} numbers"
    maps = "1 map" if shape[0] == 1 else f"{shape[0]:,} maps"
    return f"{maps} of {_size(shape[1:])}"


def _normalises(step: Step) -> bool:
    return isinstance(step.layer, BatchNorm)


def _size(sides: Sequence[int]) -> str:
    return "×".join(map(str, sides))


def _apply(layer: Layer, shape: Shape) -> tuple[Shape, int, int]:
    """The output's shape, the parameters and the multiply-accumulates."""
    if isinstance(layer, Convolution):
        sides = _slide(layer, shape)
        weights = shape[0] * math.prod(layer.kernel)
        macs = layer.channels * weights * math.prod(sides)
        return (layer.channels, *sides), layer.channels * (weights + layer.bias), macs
    if isinstance(layer, Pooling):
        return (shape[0], *_slide(layer, shape)), 0, 0
    if isinstance(layer, Linear):
        if len(shape) > 1:
            raise LayersError(
                f"linear takes a list of numbers, not {in_words(shape)}: flatten first"
            )
        return (layer.outputs,), layer.outputs * (shape[0] + layer.bias), layer.outputs * shape[0]
    if isinstance(layer, Flatten):
        if len(shape) == 1:
            raise LayersError("the maps are a list of numbers already: leave it out")
        return (math.prod(shape),), 0, 0
    if isinstance(layer, GlobalAverage):
        _need_maps("global average", shape)
        return (shape[0], 1, 1), 0, 0
    if isinstance(layer, BatchNorm):
        return shape, 2 * shape[0], 0
    return shape, _slopes(layer), 0


def _slopes(layer: Layer) -> int:
    """PReLU learns its slope."""
    return 1 if str(layer) == "prelu" else 0


def _need_maps(name: str, shape: Shape) -> None:
    if len(shape) == 1:
        raise LayersError(f"{name} takes maps, and flatten has made a list of them: move it before")


def _slide(layer: Convolution | Pooling, shape: Shape) -> Pair:
    """The sides of the output of a window that slides over maps."""
    pooling = isinstance(layer, Pooling)
    _need_maps("pool" if pooling else "conv", shape)
    size, padding = _size(layer.kernel), layer.padding
    if any(p > k // 2 if pooling else p >= k for p, k in zip(padding, layer.kernel, strict=True)):
        most = "half the window" if pooling else "one less than the kernel"
        raise LayersError(f"padding {times(padding)} is too much for {size}: allowed is {most}")
    room = [n + 2 * p - k for n, p, k in zip(shape[1:], padding, layer.kernel, strict=True)]
    if min(room) < 0:
        raise LayersError(
            f"{size} does not fit into {_size(shape[1:])}: add padding or drop a pooling"
        )
    return _pair(r // s + 1 for r, s in zip(room, layer.stride, strict=True))


def _pair(numbers: Iterable[int]) -> Pair:
    rows, columns = numbers
    return rows, columns
