"""The receptive field of every stage of a network: which input pixels a unit can depend on.

A walk over the network's torch.fx graph; `field_rules` knows what each operation does to the
fields. A stage's field is the union over its channels and over all paths that lead to it.
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import fx, nn

from mnist_core.inspection.field_grid import Grid, Pair
from mnist_core.inspection.field_rules import Call, UnsupportedOperation, Window, apply
from mnist_core.inspection.probe import first_line, trial, twin_and_image

__all__ = ["Field", "UnsupportedOperation", "last_convolution_field", "trace_fields"]


@dataclass(frozen=True)
class Field:
    """The receptive field of one stage. Pairs are (vertical, horizontal), in input pixels.

    `shape` is the output's, without the batch. `kernel` and `stride` are the stage's own (None
    where no window of fixed size slides). `size` is unclipped: padding counts; where units differ
    (after uneven adaptive pooling) it is the largest. `jump` is the distance between the fields
    of neighbouring units, on average where it is uneven. `start` is the top left of the first
    unit's field, negative in padding; `first_center` is its middle, in pixel indices, so that
    0.0 is the middle of the first pixel. `whole`: flatten, linear or global pooling has taken in
    the whole map; size and start then describe the part of the image that it reaches, usually
    all of it, and jump is 0. `inputs` are the stages whose maps it reads, "input" for the image.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    kernel: Pair | None
    stride: Pair | None
    size: Pair
    jump: tuple[float, float]
    start: Pair
    first_center: tuple[float, float]
    whole: bool
    inputs: tuple[str, ...]
    _grid: Grid = field(repr=False, compare=False)

    @property
    def side(self) -> int:
        """The size as one figure, in pixels, unclipped: the longer side."""
        return max(self.size)

    def box(self, row: int = 0, col: int = 0) -> tuple[int, int, int, int]:
        """The pixels that the unit at (row, col) can depend on: (top, left, bottom, right).

        Exact and clipped to the image; top and left are inside the field, bottom and right just
        outside, so that `image[top:bottom, left:right]` is the field. (0, 0, 0, 0) for a unit
        that sees nothing but padding. A flat stage has the one unit (0, 0). Raises IndexError
        if there is no such unit.
        """
        height, width = self._grid.extent
        if not (0 <= row < height and 0 <= col < width):
            raise IndexError(f"{self.name} has {height}×{width} units, none at ({row}, {col})")
        return self._grid.box(row, col)

    def edges(self) -> tuple[list[tuple[int, int]], list[tuple[int, int]]]:
        """(top, bottom) for every row of units, and (left, right) for every column.

        `box` of a unit is made of both; (0, 0) for rows and columns that see only padding.
        """
        height, width = self._grid.extent
        by_row = [[self._grid.box(row, col) for col in range(width)] for row in range(height)]
        rows = [max((box[0], box[2]) for box in boxes) for boxes in by_row]
        cols = [max((box[1], box[3]) for box in boxes) for boxes in zip(*by_row, strict=True)]
        return rows, cols


def trace_fields(model: nn.Module, input_size: int = 28, channels: int = 1) -> dict[str, Field]:
    """The receptive field of every stage, in the order of computation.

    A stage is a node of the graph that yields a tensor. Its key is the module's qualified name
    ("features.conv1"; "act#2" at its second call), or the node's name for a function ("add_1").
    The network sees one image of `channels`×`input_size`×`input_size`, in evaluation mode; all
    happens on a copy, so the model itself stays as it is, also while others use it.
    Raises UnsupportedOperation for what torch.fx cannot trace and for operations not known here,
    InputError if the network cannot take such an image.
    """
    twin, image = twin_and_image(model, input_size, channels)
    graph = trace_graph(twin)
    values = _run(twin, graph, image)
    grids: dict[fx.Node, Grid] = {}
    origins: dict[fx.Node, tuple[str, ...]] = {}
    fields: dict[str, Field] = {}
    for node in graph.nodes:
        value = values[node]
        if node.op == "placeholder" and isinstance(value, torch.Tensor):
            grids[node], origins[node] = Grid.image(input_size), ("input",)
        sources = _sources(node, grids)
        inputs = tuple(dict.fromkeys(name for each in _sources(node, origins) for name in each))
        if not node.op.startswith("call_") or not sources or not _holds_tensors(value):
            continue
        call = _call(node, twin, values, sources, stage_name(node, fields))
        grid, window = apply(call)
        grids[node], origins[node] = grid, inputs
        if call.kind.endswith("_") and isinstance(node.args[0], fx.Node):
            grids[node.args[0]] = grid  # x.add_(y) changes what later uses of x see
            origins[node.args[0]] = (call.stage,)
        if isinstance(value, torch.Tensor):
            fields[call.stage] = _describe(call, grid, window, inputs)
            origins[node] = (call.stage,)
    return fields


def last_convolution_field(model: nn.Module, input_size: int = 28, channels: int = 1) -> int:
    """Side in pixels, unclipped, of the last convolution's receptive field.

    The last one before global pooling, flatten or linear layers take in the whole image; a
    1×1 convolution counts, one after global pooling does not. 0 for a network without any.
    Raises as `trace_fields` does.
    """
    stages = trace_fields(model, input_size, channels).values()
    sides = [s.side for s in stages if s.kind in ("Conv2d", "conv2d") and not s.whole]
    return sides[-1] if sides else 0


class _Tracer(fx.Tracer):
    """torch.fx traces by patching nn.Module for all threads: let the others' calls through."""

    patching = threading.Lock()

    def trace(self, root: nn.Module, *args: Any, **kwargs: Any) -> fx.Graph:
        with self.patching:
            self.thread = threading.get_ident()
            return super().trace(root, *args, **kwargs)

    def call_module(self, m: nn.Module, forward: Any, args: tuple, kwargs: dict) -> Any:
        if threading.get_ident() != self.thread:
            return forward(*args, **kwargs)
        return super().call_module(m, forward, args, kwargs)


def trace_graph(model: nn.Module) -> fx.Graph:
    """The network's graph by torch.fx. Raises UnsupportedOperation when it cannot be traced."""
    try:
        return _Tracer().trace(model)
    except Exception as error:  # tracing runs the network's own code: anything can come out
        raise UnsupportedOperation(
            f"{type(model).__name__} cannot be traced by torch.fx ({first_line(error)}): "
            "write its forward without branching on the values or shapes of tensors"
        ) from error


def _run(model: nn.Module, graph: fx.Graph, image: torch.Tensor) -> dict[fx.Node, Any]:
    """The value of every node for this image."""
    interpreter = fx.Interpreter(model, garbage_collect_values=False, graph=graph)
    interpreter.extra_traceback = False
    with trial(model, image):
        interpreter.run(image)
    return interpreter.env


def _holds_tensors(value: Any) -> bool:
    """False for x.size(0), x.shape and the like: numbers about a map, not a map."""
    if isinstance(value, tuple | list):
        return any(isinstance(item, torch.Tensor) for item in value)
    return isinstance(value, torch.Tensor)


def _sources(node: fx.Node, known: Mapping[fx.Node, Any]) -> list[Any]:
    """What is known of the maps among the arguments, of one that is given twice also twice."""
    nodes: list[fx.Node] = []
    fx.node.map_arg((node.args, node.kwargs), nodes.append)
    return [known[source] for source in nodes if source in known]


def stage_name(node: fx.Node, taken: Container[str]) -> str:
    """The stage's key: see `trace_fields`."""
    name = node.target if node.op == "call_module" else node.name
    if name not in taken:
        return name
    return next(f"{name}#{n}" for n in itertools.count(2) if f"{name}#{n}" not in taken)


def _call(
    node: fx.Node, model: nn.Module, values: dict, sources: Sequence[Grid], stage: str
) -> Call:
    """The node with its arguments as values, and its kind: the name of what it calls."""
    module = None
    kind = node.target
    if node.op == "call_module":
        module = model.get_submodule(node.target)
        kind = type(module).__name__.removeprefix("Parametrized")
    elif node.op == "call_function":
        home = (getattr(node.target, "__module__", None) or "torch").split(".")[0]
        name = getattr(node.target, "__name__", str(node.target))
        kind = name if home in ("torch", "_operator") else f"{home}.{name}"
    args = fx.node.map_arg(node.args, values.__getitem__)
    kwargs = fx.node.map_arg(node.kwargs, values.__getitem__)
    shape = tuple(getattr(values[node], "shape", ()))
    return Call(stage, kind, module, args, kwargs, tuple(sources), shape)


def _describe(call: Call, grid: Grid, window: Window | None, inputs: tuple[str, ...]) -> Field:
    if grid.whole:
        top, left, bottom, right = grid.everything().box(0, 0)
        start, size, jump = (top, left), (bottom - top, right - left), (0, 0)
        first = size
    else:
        start = tuple(int(axis.start[0]) for axis in grid.axes)
        first = tuple(int(axis.stop[0] - axis.start[0]) for axis in grid.axes)
        size = tuple(int((axis.stop - axis.start).max()) for axis in grid.axes)
        jumps = (axis.jump for axis in grid.axes)
        jump = tuple(int(j) if j.denominator == 1 else float(j) for j in jumps)
    return Field(
        name=call.stage,
        kind=call.kind,
        shape=call.shape[1:],
        kernel=window.kernel if window else None,
        stride=window.stride if window else None,
        size=size,
        jump=jump,
        start=start,
        first_center=tuple(s + (n - 1) / 2 for s, n in zip(start, first, strict=True)),
        whole=grid.whole,
        inputs=inputs,
        _grid=grid,
    )
