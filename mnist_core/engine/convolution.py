"""Convolutions and linear layers as calls of the C kernels."""

from __future__ import annotations

from torch import nn

from mnist_core.engine.chain import pair
from mnist_core.engine.memory import Value
from mnist_core.engine.program import Operation, Program, at, struct
from mnist_core.engine.tiles import correlation_tile, gradient_tile

L1_SHARE = 24 * 1024  # bytes of the first cache for a band of gradients


class Convolution(Operation):
    """nn.Conv2d."""

    def __init__(self, layer: nn.Conv2d, source: Value) -> None:
        self.layer, self.source = layer, source
        self.rows, self.columns = pair(layer.kernel_size)
        self.step_y, self.step_x = pair(layer.stride)
        self.top, self.left = pair(layer.padding)
        data = source.data
        height = (data.height + 2 * self.top - self.rows) // self.step_y + 1
        width = (data.width + 2 * self.left - self.columns) // self.step_x + 1
        self.result = Value.of(layer.out_channels, height, width, gradient=True)
        last = (width - 1) * self.step_x + self.columns - self.left
        data.needs(max(self.left, last - data.width))
        if source.has_gradient:
            for part in self._parts():
                self.result.gradient.needs(part.border())

    def forward(self, program: Program) -> None:
        layer, data, out = self.layer, self.source.data, self.result.data
        pixels, outs = correlation_tile(
            out.channels, program.registers, self._columns_met, out.width
        )
        taps = self.rows * self.columns
        call = struct(
            "Correlation",
            **dict(outs=out.channels, ins=data.channels, height=out.height, width=out.width),
            **dict(in_height=data.height, in_width=data.width),
            **dict(in_row=data.row, in_plane=data.plane),
            **dict(out_row=out.row, out_step=1, out_plane=out.plane),
            **dict(step_y=self.step_y, step_x=self.step_x, top=-self.top, left=-self.left),
            **dict(taps_y=self.rows, taps_x=self.columns, direction=1),
            **dict(to_out=data.channels * taps, to_in=taps, to_y=self.columns, to_x=1),
        )
        weights, bias = program.weights(layer.weight), program.weights(layer.bias)
        program.both(
            "forward",
            f"correlate({at(data)}, {weights}, {bias}, {at(out)}, {call}, {pixels}, {outs});",
        )

    def _columns_met(self, first: int, last: int) -> int:
        """By outputs `first` to `last` of a row."""
        start, end = (x * self.step_x - self.left for x in (first, last))
        return min(self.columns, self.source.data.width - start) - max(0, -end)

    def backward(self, program: Program) -> None:
        self._weights_gradient(program)
        if self.source.has_gradient:
            for part in self._parts():
                self._input_gradient(program, part)

    def _weights_gradient(self, program: Program) -> None:
        layer, data, gradient = self.layer, self.source.data, self.result.gradient
        single = self.columns == 1
        outer, inner = (1, data.channels) if single else (data.channels, self.columns)
        if single and self.rows > 1:
            outer, inner = data.channels, 1
        tile, outs = gradient_tile(inner, gradient.channels, program.registers)
        call = struct(
            "Taps",
            **dict(outs=gradient.channels, outer=outer, rows=self.rows, inner=inner),
            **dict(outer_gap=data.plane, inner_gap=data.plane if single else 1),
            **dict(height=gradient.height, width=gradient.width),
            **dict(out_row=gradient.row, out_plane=gradient.plane),
            **dict(in_height=data.height, in_row=data.row),
            **dict(step_y=self.step_y, step_x=self.step_x, top=-self.top, left=-self.left),
            band=f"larger(1, {L1_SHARE} / ({outs * gradient.width} * (int)sizeof(vec)))",
        )
        program.scratch.append(f"{outs * (data.channels * self.rows * self.columns + 1)}")
        weights, bias = program.gradients(layer.weight), program.gradients(layer.bias)
        program.train(
            "weights_gradient",
            f"taps_gradient({at(data)}, {at(gradient)}, block->scratch, {weights}, {bias}, "
            f"{call}, {tile}, {outs});",
        )

    def _parts(self) -> list[GradientPart]:
        """Inputs that are `step` apart meet the same taps: each such set is a convolution."""
        data = self.source.data
        return [
            GradientPart(self, y, x)
            for y in range(min(self.step_y, data.height))
            for x in range(min(self.step_x, data.width))
        ]

    def _input_gradient(self, program: Program, part: GradientPart) -> None:
        gradient, to = self.result.gradient, self.source.gradient
        pixels, outs = correlation_tile(
            to.channels, program.registers, part.columns_met, part.width
        )
        taps = self.rows * self.columns
        call = struct(
            "Correlation",
            **dict(outs=to.channels, ins=gradient.channels, height=part.height, width=part.width),
            **dict(in_height=gradient.height, in_width=gradient.width),
            **dict(in_row=gradient.row, in_plane=gradient.plane),
            **dict(out_row=to.row * self.step_y, out_step=self.step_x, out_plane=to.plane),
            **dict(step_y=1, step_x=1, top=part.top, left=part.left),
            **dict(taps_y=part.rows, taps_x=part.columns, direction=-1),
            **dict(to_out=taps, to_in=to.channels * taps),
            **dict(to_y=self.step_y * self.columns, to_x=self.step_x),
        )
        weights = f"{program.weights(self.layer.weight)} + {part.first}"
        out = at(to, part.y * to.row + part.x)
        program.train(
            f"input_gradient_{part.y}_{part.x}",
            f"correlate({at(gradient)}, {weights}, NULL, {out}, {call}, {pixels}, {outs});",
        )


class GradientPart:
    """The inputs (y + j * step, x + i * step) of a convolution's input gradient."""

    def __init__(self, of: Convolution, y: int, x: int) -> None:
        self.y, self.x = y, x
        data = of.source.data
        self.height = -(-(data.height - y) // of.step_y)
        self.width = -(-(data.width - x) // of.step_x)
        first_row, first_column = (y + of.top) % of.step_y, (x + of.left) % of.step_x
        self.rows = len(range(first_row, of.rows, of.step_y))
        self.columns = len(range(first_column, of.columns, of.step_x))
        self.top = (y + of.top - first_row) // of.step_y
        self.left = (x + of.left - first_column) // of.step_x
        self.first = first_row * of.columns + first_column
        self.outputs = of.result.data.width

    def columns_met(self, first: int, last: int) -> int:
        """By inputs `first` to `last` of this part of a row."""
        start, end = first + self.left, last + self.left
        return min(self.columns, end + 1) - max(0, start - self.outputs + 1)

    def border(self) -> int:
        """Columns of zeros that it reads beside an output's gradient."""
        return max(0, self.columns - 1 - self.left, self.width + self.left - self.outputs)


class Linear(Operation):
    """nn.Linear, or an nn.Conv2d that covers its whole input."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, source: Value) -> None:
        self.layer, self.source = layer, source
        self.ins, self.outs = source.features, layer.weight.shape[0]
        self.result = Value.of(self.outs, 1, 1, gradient=True)

    def forward(self, program: Program) -> None:
        call = struct(
            "Correlation",
            **dict(outs=self.outs, ins=self.ins, height=1, width=1, in_height=1, in_width=1),
            **dict(in_plane=1, out_plane=1, out_step=1, taps_y=1, taps_x=1, direction=1),
            **dict(to_out=self.ins, to_in=1),
        )
        data, out = at(self.source.data), at(self.result.data)
        # rows that are whole pages apart fall into the same set of the cache, which has 12 ways
        outs = self._tile(program, min(self.outs, 8) if self.ins % 1024 == 0 else self.outs)
        weights, bias = program.weights(self.layer.weight), program.weights(self.layer.bias)
        program.both("forward", f"correlate({data}, {weights}, {bias}, {out}, {call}, 1, {outs});")

    def backward(self, program: Program) -> None:
        gradient = at(self.result.gradient)
        weights, bias = program.gradients(self.layer.weight), program.gradients(self.layer.bias)
        tile, outs = gradient_tile(-(-self.ins // 16), self.outs, program.registers)
        program.scratch.append(f"{self.ins} + LANES")
        program.train(
            "weights_gradient",
            f"outer_gradient({at(self.source.data)}, {gradient}, block->scratch, {weights}, "
            f"{bias}, {self.ins}, {self.outs}, {tile}, {outs});",
        )
        if self.source.has_gradient:
            weights, to = program.weights(self.layer.weight), at(self.source.gradient)
            tile = self._tile(program, self.ins)
            program.train(
                "input_gradient",
                f"linear_input_gradient({gradient}, {weights}, {to}, {self.outs}, {self.ins}, "
                f"{tile});",
            )

    def _tile(self, program: Program, outs: int) -> int:
        """Outputs at once; these are no pixels in a row."""
        return correlation_tile(outs, program.registers, lambda *_: 1, 1)[1]
