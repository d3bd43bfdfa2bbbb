"""The C source of one network: its layers as calls of the kernels, all sizes constants."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from torch import nn

from mnist_core.engine.chain import chain_of, pair, reason_against
from mnist_core.engine.convolution import Convolution, Linear
from mnist_core.engine.elementwise import ELEMENTWISE
from mnist_core.engine.memory import Arena, Value
from mnist_core.engine.pooling import Flatten, Pooling
from mnist_core.engine.program import Operation, Program, at

GROUPS = 4  # parts of a batch whose gradients are summed apart; so many threads can help
GROUPS_OF_SMALL = 8
SMALL = 20_000  # parameters: with so few, sums of more groups cost nothing


@dataclass(frozen=True)
class Source:
    """A translation unit, and what its caller has to know. `block` is the memory of one block of
    images, in vectors; `keeps_blocks` says whether a step needs that of every block at once."""

    text: str
    classes: int
    parameters: int
    block: int
    keeps_blocks: bool


def supports(model: nn.Module, input_shape: tuple[int, int, int]) -> str | None:
    """Why the engine cannot take this network for (channels, rows, columns), or None."""
    try:
        operations = operations_of(model, input_shape)
    except ValueError as error:
        return str(error)
    last = operations[-1].result.data
    if last.height * last.width != 1:
        return "its output is no row of logits"
    return None


def generate(model: nn.Module, input_shape: tuple[int, int, int], registers: int) -> Source:
    """C for a network that `supports` accepts. `registers` is a core's number of vector registers.

    Raises ValueError for other networks.
    """
    operations = operations_of(model, input_shape)
    image, logits = operations[0].source, operations[-1].result
    places, parameters = places_of(model)
    arena = Arena()
    for value in (image, *(operation.result for operation in operations)):
        arena.add(value)
    size = arena.place()
    program = Program(registers, places)
    _write(program, operations, image, logits)
    defines = {
        "PARAMETERS": parameters,
        "CLASSES": logits.features,
        "CHANNELS": program.channels,
        "ARENA": size,
        "SCRATCH": _largest(program.scratch),
        "KEEPS_BLOCKS": int(program.channels > 0),
        "GROUPS": GROUPS_OF_SMALL if parameters < SMALL else GROUPS,
        "IMAGE": f"({image.data.shape})",
        "SEGMENTS": len(program.segments),
    }
    text = "\n".join(
        [*(f"#define {k} {v}" for k, v in defines.items()), *_functions(program, operations), ""]
    )
    keeps_blocks = program.channels > 0
    return Source(text, logits.features, parameters, size, keeps_blocks)


def places_of(model: nn.Module) -> tuple[dict[int, int], int]:
    """Where each parameter lies in the flat buffer, by id(), and the size of that buffer."""
    places, size = {}, 0
    for parameter in model.parameters():
        places[id(parameter)] = size
        size += parameter.numel()
    return places, size


def rates_of(model: nn.Module) -> list[float]:
    """The rates of those dropouts that drop anything, in order."""
    return [layer.p for _, layer in chain_of(model) if type(layer) is nn.Dropout]


def operations_of(model: nn.Module, input_shape: tuple[int, int, int]) -> list[Operation]:
    """The network as operations, in order. Raises ValueError for one the engine cannot take."""
    value = Value.of(*input_shape, gradient=False)
    operations: list[Operation] = []
    layers = chain_of(model)
    if not layers:
        raise ValueError("it has no layers")
    if len({id(layer) for _, layer in layers}) < len(layers):
        raise ValueError("a layer is used twice")
    for number, (name, layer) in enumerate(layers):
        reason = reason_against(layer) or _misfit(layer, value)
        if reason:
            raise ValueError(f"{name} ({type(layer).__name__}): {reason}")
        added = _operations_for(layer, value, number)
        for part, operation in enumerate(added):
            operation.name = re.sub(r"\W", "_", f"{number}{'b' * part}_{name}")
            operation.title = _title(layer)
        operations += added
        value = operations[-1].result
        if min(value.data.height, value.data.width) < 1:
            raise ValueError(f"{name} ({type(layer).__name__}): the image is too small for it")
    if not value.has_gradient:
        raise ValueError("it has no parameters")
    return operations


def _operations_for(layer: nn.Module, source: Value, number: int) -> list[Operation]:
    """What computes one layer from `source`. `number` makes its random numbers its own."""
    match layer:
        case nn.Flatten():
            return [Flatten(source)]
        case nn.Linear():
            return [Linear(layer, source)]
        case nn.MaxPool2d() | nn.AvgPool2d() | nn.AdaptiveAvgPool2d():
            return [Pooling(layer, source)]
        case nn.Conv2d():
            whole = pair(layer.kernel_size) == (source.data.height, source.data.width)
            if not whole or pair(layer.padding) != (0, 0):
                return [Convolution(layer, source)]
            flat = Flatten(source)
            return [flat, Linear(layer, flat.result)]
    return [ELEMENTWISE[type(layer)](layer, source, number)]


def _title(layer: nn.Module) -> str:
    """As torch prints it, without settings that the source does not depend on."""
    return "Dropout" if type(layer) is nn.Dropout else " ".join(str(layer).split())


def _misfit(layer: nn.Module, value: Value) -> str | None:
    """Why the layer does not fit what comes before it, or None."""
    data = value.data
    channels = {
        nn.Conv2d: "in_channels",
        nn.BatchNorm1d: "num_features",
        nn.BatchNorm2d: "num_features",
        nn.Linear: "in_features",
    }.get(type(layer))
    expected = getattr(layer, channels) if channels else data.channels
    if type(layer) is nn.PReLU and layer.num_parameters > 1:
        expected = layer.num_parameters
    if expected != data.channels:
        return f"it takes {expected} channels, and {data.channels} come"
    if type(layer) in (nn.Linear, nn.BatchNorm1d) and data.height * data.width != 1:
        return "it comes before flattening"
    return None


def _write(program: Program, operations: list[Operation], image: Value, logits: Value) -> None:
    program.layer = "input"
    program.both("load", f"load_block(block, {at(image.data)});")
    for operation in operations:
        program.layer = operation.name
        operation.forward(program)
    program.layer = "output"
    program.both("store", f"store_logits(block, {at(logits.data)});")
    program.train("loss_of", f"block_loss(block, {at(logits.data)}, {at(logits.gradient)});")
    for operation in reversed(operations):
        program.layer = operation.name
        operation.backward(program)


def _functions(program: Program, operations: list[Operation]) -> Iterable[str]:
    yield '#include "block.h"'
    yield from (f"// {operation.name}: {operation.title}" for operation in operations)
    for name, statement in program.functions:
        yield from _function(name, "const Block *block", [statement])
    for number, statements in enumerate(program.segments):
        yield from _function(f"segment_{number}", "const Block *block", statements)
    names = ", ".join(f"segment_{number}" for number in range(len(program.segments)))
    yield f"static void (*const TRAINING[SEGMENTS])(const Block *) = {{{names}}};"
    cases = [
        f"if (n->segment == {number}) {{ {' '.join(statements)} }}"
        for number, statements in enumerate(program.after)
        if statements
    ]
    yield from _function("after_segment", "Network *n", ["(void)n;", *cases])
    yield from _function(
        "before_evaluation", "Network *n", ["(void)n;", *program.before_evaluation]
    )
    yield from _function("evaluate", "const Block *block", program.evaluation)
    yield '#include "network.h"'


def _function(name: str, argument: str, statements: list[str]) -> Iterable[str]:
    yield f"FUNCTION {name}({argument}) {{"
    yield from (f"    {statement}" for statement in statements)
    yield "}"


def _largest(expressions: list[str]) -> str:
    result = expressions[0]
    for expression in expressions[1:]:
        result = f"larger({result}, {expression})"
    return result
