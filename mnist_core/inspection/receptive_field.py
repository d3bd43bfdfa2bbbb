"""The receptive field of every stage of a network: which input pixels a unit can depend on.

`field_rules` knows what each operation does to the fields. A stage's field is the union over its
channels and over all paths that lead to it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

import torch
from torch import nn

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.inspection.field_grid import Grid, Pair, pair_of
from mnist_core.inspection.field_rules import Call, Window, apply
from mnist_core.inspection.stages import INPUT, Stage, blank_image, walk


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


def trace_fields(model: nn.Module, input_size: int = IMAGE_SIDE) -> dict[str, Field]:
    """The receptive field of every stage, in the order of computation.

    The stages are those of `stages.walk`, inside blocks too. The network sees one image of
    1×`input_size`×`input_size`, in evaluation mode; all happens on a copy, so the model itself
    stays as it is, also while others use it.
    Raises UnsupportedOperation for what torch.fx cannot trace and for operations not known here,
    InputError if the network cannot take such an image.
    """
    stages = walk(model, blank_image(model, input_size), inside_blocks=True)
    return fields_of(stages, input_size)


def fields_of(stages: Iterable[Stage], input_size: int) -> dict[str, Field]:
    """The receptive fields of stages that were walked with an image of this side.

    Raises UnsupportedOperation for operations not known here.
    """
    grids = {INPUT: Grid.image(input_size)}
    fields: dict[str, Field] = {}
    for stage in stages:
        grid, window = apply(Call(stage, tuple(grids[name] for name in stage.inputs)))
        if isinstance(stage.value, torch.Tensor):
            grids[stage.name] = grid
            fields[stage.name] = _describe(stage, grid, window)
    return fields


def last_convolution_field(model: nn.Module, input_size: int = IMAGE_SIDE) -> int:
    """Side in pixels, unclipped, of the last convolution's receptive field; the longer one.

    The last one before global pooling, flatten or linear layers take in the whole image; a
    1×1 convolution counts, one after global pooling does not. 0 for a network without any.
    Raises as `trace_fields` does.
    """
    stages = trace_fields(model, input_size).values()
    sides = [max(s.size) for s in stages if s.kind in ("Conv2d", "conv2d") and not s.whole]
    return sides[-1] if sides else 0


def _describe(stage: Stage, grid: Grid, window: Window | None) -> Field:
    jump: tuple[float, float]
    if grid.whole:
        top, left, bottom, right = grid.everything().box(0, 0)
        start, size, jump = (top, left), (bottom - top, right - left), (0, 0)
        first = size
    else:
        start = pair_of(int(axis.start[0]) for axis in grid.axes)
        first = pair_of(int(axis.stop[0] - axis.start[0]) for axis in grid.axes)
        size = pair_of(int((axis.stop - axis.start).max()) for axis in grid.axes)
        jumps = (axis.jump for axis in grid.axes)
        jump = pair_of(int(j) if j.denominator == 1 else float(j) for j in jumps)
    return Field(
        name=stage.name,
        kind=stage.kind,
        shape=tuple(stage.value.shape[1:]),
        kernel=window.kernel if window else None,
        stride=window.stride if window else None,
        size=size,
        jump=jump,
        start=start,
        first_center=pair_of(s + (n - 1) / 2 for s, n in zip(start, first, strict=True)),
        whole=grid.whole,
        inputs=tuple(dict.fromkeys(stage.inputs)),
        _grid=grid,
    )
