"""Each layer as calls of the C kernels: forward, backward and in evaluation mode."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from torch import nn

from mnist_core.engine.chain import pair
from mnist_core.engine.memory import Storage, Value
from mnist_core.engine.tiles import correlation_tile, gradient_tile

L1_SHARE = 24 * 1024  # bytes of the first cache for a band of gradients


@dataclass
class Program:
    """The C functions of a network, one for each layer and direction. A step is a list of
    segments: each is run for all blocks before `after` (once) and the next one."""

    registers: int
    places: dict[int, int]  # of the parameters in their flat buffer, by id()
    functions: list[tuple[str, str]] = field(default_factory=list)  # names, statements
    segments: list[list[str]] = field(default_factory=lambda: [[]])
    after: list[list[str]] = field(default_factory=lambda: [[]])
    evaluation: list[str] = field(default_factory=list)
    before_evaluation: list[str] = field(default_factory=list)
    scratch: list[str] = field(default_factory=lambda: ["1"])
    channels: int = 0  # of all batch normalisations so far
    norms: int = 0
    dropouts: int = 0
    layer: str = ""  # whose functions are being added

    def train(self, role: str, statement: str) -> None:
        self.segments[-1].append(self._add(role, statement))

    def evaluate(self, role: str, statement: str) -> None:
        self.evaluation.append(self._add(role, statement))

    def both(self, role: str, statement: str) -> None:
        call = self._add(role, statement)
        self.segments[-1].append(call)
        self.evaluation.append(call)

    def _add(self, role: str, statement: str) -> str:
        name = f"{role}_{self.layer}"
        self.functions.append((name, statement))
        return f"{name}(block);"

    def finish(self, *statements: str) -> None:
        """Ends the segment: `statements` need the sums of all blocks."""
        self.after[-1] += statements
        self.segments.append([])
        self.after.append([])

    def weights(self, parameter: nn.Parameter | None) -> str:
        return "NULL" if parameter is None else f"WEIGHTS({self.places[id(parameter)]})"

    def slopes(self, parameter: nn.Parameter | None) -> str:
        return "NULL" if parameter is None else f"SLOPES({self.places[id(parameter)]})"


def at(storage: Storage, further: int = 0) -> str:
    return f"IN({storage.start + further})"


def struct(kind: str, **fields: int | str) -> str:
    inside = ", ".join(f".{name} = {value}" for name, value in fields.items())
    return f"({kind}){{{inside}}}"


class Operation:
    """One layer between two values. `number` sets its random numbers apart from others'."""

    name = ""  # of its functions
    title = ""  # of the layer with its settings, as torch prints it

    def forward(self, program: Program) -> None:
        raise NotImplementedError

    def backward(self, program: Program) -> None:
        raise NotImplementedError


class Convolution(Operation):
    """nn.Conv2d."""

    def __init__(self, layer: nn.Conv2d, source: Value) -> None:
        self.layer, self.source = layer, source
        (self.rows, self.columns), (self.step_y, self.step_x), (self.top, self.left) = map(
            pair, (layer.kernel_size, layer.stride, layer.padding)
        )
        data = source.data
        height = (data.height + 2 * self.top - self.rows) // self.step_y + 1
        width = (data.width + 2 * self.left - self.columns) // self.step_x + 1
        self.result = Value.of(layer.out_channels, height, width, gradient=True)
        last = (width - 1) * self.step_x + self.columns - self.left
        data.needs(max(self.left, last - data.width))
        if source.gradient:
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
        if self.source.gradient:
            for part in self._parts():
                self._input_gradient(program, part)

    def _weights_gradient(self, program: Program) -> None:
        layer, data, slope = self.layer, self.source.data, self.result.gradient
        single = self.columns == 1
        outer, inner = (1, data.channels) if single else (data.channels, self.columns)
        if single and self.rows > 1:
            outer, inner = data.channels, 1
        tile, outs = gradient_tile(inner, slope.channels, program.registers)
        call = struct(
            "Taps",
            **dict(outs=slope.channels, outer=outer, rows=self.rows, inner=inner),
            **dict(outer_gap=data.plane, inner_gap=data.plane if single else 1),
            **dict(height=slope.height, width=slope.width),
            **dict(out_row=slope.row, out_plane=slope.plane),
            **dict(in_height=data.height, in_row=data.row),
            **dict(step_y=self.step_y, step_x=self.step_x, top=-self.top, left=-self.left),
            band=f"larger(1, {L1_SHARE} / ({outs * slope.width} * (int)sizeof(vec)))",
        )
        program.scratch.append(f"{outs * (data.channels * self.rows * self.columns + 1)}")
        weights, bias = program.slopes(layer.weight), program.slopes(layer.bias)
        program.train(
            "weights_gradient",
            f"taps_gradient({at(data)}, {at(slope)}, block->scratch, {weights}, {bias}, "
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
        slope, to = self.result.gradient, self.source.gradient
        pixels, outs = correlation_tile(
            to.channels, program.registers, part.columns_met, part.width
        )
        taps = self.rows * self.columns
        call = struct(
            "Correlation",
            **dict(outs=to.channels, ins=slope.channels, height=part.height, width=part.width),
            **dict(in_height=slope.height, in_width=slope.width),
            **dict(in_row=slope.row, in_plane=slope.plane),
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
            f"correlate({at(slope)}, {weights}, NULL, {out}, {call}, {pixels}, {outs});",
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
        slope = at(self.result.gradient)
        weights, bias = program.slopes(self.layer.weight), program.slopes(self.layer.bias)
        tile, outs = gradient_tile(-(-self.ins // 16), self.outs, program.registers)
        program.scratch.append(f"{self.ins} + LANES")
        program.train(
            "weights_gradient",
            f"outer_gradient({at(self.source.data)}, {slope}, block->scratch, {weights}, {bias}, "
            f"{self.ins}, {self.outs}, {tile}, {outs});",
        )
        if self.source.gradient:
            weights, to = program.weights(self.layer.weight), at(self.source.gradient)
            tile = self._tile(program, self.ins)
            program.train(
                "input_gradient",
                f"linear_input_gradient({slope}, {weights}, {to}, {self.outs}, {self.ins}, "
                f"{tile});",
            )

    def _tile(self, program: Program, outs: int) -> int:
        """Outputs at once; these are no pixels in a row."""
        return correlation_tile(outs, program.registers, lambda *_: 1, 1)[1]


class Pooling(Operation):
    """nn.MaxPool2d, nn.AvgPool2d, or nn.AdaptiveAvgPool2d to a single pixel."""

    def __init__(self, layer: nn.Module, source: Value) -> None:
        self.layer, self.source = layer, source
        data = source.data
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            self.window, self.step, self.padding = (data.height, data.width), (1, 1), (0, 0)
        else:
            self.window, self.step, self.padding = map(
                pair, (layer.kernel_size, layer.stride, layer.padding)
            )
        height, width = (
            (size + 2 * padding - window) // step + 1
            for size, padding, window, step in zip(
                (data.height, data.width), self.padding, self.window, self.step, strict=True
            )
        )
        self.result = Value.of(data.channels, height, width, gradient=bool(source.gradient))
        self.is_max = isinstance(layer, nn.MaxPool2d)
        self.result.fixed = self.is_max
        self.counts_padding = int(getattr(layer, "count_include_pad", True))

    def forward(self, program: Program) -> None:
        data, out = self.source.data, self.result.data
        call = self._window(data, out)
        if self.is_max:
            program.both("forward", f"max_pool_forward({at(data)}, {at(out)}, {call});")
        else:
            program.both(
                "forward",
                f"average_pool_forward({at(data)}, {at(out)}, {call}, {self.counts_padding});",
            )

    def backward(self, program: Program) -> None:
        to, slope = self.source.gradient, self.result.gradient
        if to is None:
            return
        if self.is_max:
            data, out = self.source.data, self.result.data
            program.train(
                "backward",
                f"max_pool_backward({at(data)}, {at(out)}, {at(to)}, {at(slope)}, "
                f"{self._window(data, out)}, {to.shape}, {slope.shape});",
            )
        else:
            program.train(
                "backward",
                f"average_pool_backward({at(to)}, {at(slope)}, {self._window(to, slope)}, "
                f"{self.counts_padding});",
            )

    def _window(self, source: Storage, result: Storage) -> str:
        (height, width), (step_y, step_x), (top, left) = self.window, self.step, self.padding
        return (
            f"(Window){{{source.shape}, {result.shape}, "
            f"{height}, {width}, {step_y}, {step_x}, {-top}, {-left}}}"
        )


class Flatten(Operation):
    """nn.Flatten: a copy without borders; of single pixels nothing at all."""

    def __init__(self, source: Value) -> None:
        self.source = source
        storages = [source.data, *([source.gradient] if source.gradient else [])]
        self.idle = all(storage.plane == 1 for storage in storages)
        if self.idle:
            self.result = source
        else:
            self.result = Value.of(source.features, 1, 1, gradient=bool(source.gradient))

    def forward(self, program: Program) -> None:
        if not self.idle:
            data, out = self.source.data, self.result.data
            shape, dense = data.shape, dense_shape(data)
            program.both("forward", f"copy({at(data)}, {at(out)}, {shape}, {dense});")

    def backward(self, program: Program) -> None:
        to, slope = self.source.gradient, self.result.gradient
        if to is not None and not self.idle:
            program.train(
                "backward", f"copy({at(slope)}, {at(to)}, {dense_shape(to)}, {to.shape});"
            )


def dense_shape(s: Storage) -> str:
    """The shape of the same value with nothing between rows and planes."""
    return f"(Shape){{{s.channels}, {s.height}, {s.width}, {s.width}, {s.height * s.width}}}"


class Elementwise(Operation):
    """What changes value by value. The gradient is changed where it is; so is the value, unless
    what made it needs it again."""

    keeps_input = False

    def __init__(self, layer: nn.Module, source: Value, number: int) -> None:
        self.layer, self.source, self.number = layer, source, number
        if self.keeps_input or source.fixed:
            self.result = Value(source.data.like(), source.gradient)
        else:
            self.result = source

    @property
    def _places(self) -> str:
        data, out = self.source.data, self.result.data
        return f"{at(data)}, {at(out)}, {data.shape}, {out.shape}"

    @property
    def _slope(self) -> str:
        """Output, gradient and their shapes."""
        out, slope = self.result.data, self.result.gradient
        return f"{at(out)}, {at(slope)}, {out.shape}, {slope.shape}"


class Activation(Elementwise):
    """nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU or nn.Tanh."""

    KINDS = {
        nn.ReLU: lambda layer: ("RELU", 0.0),
        nn.LeakyReLU: lambda layer: ("LEAKY_RELU", layer.negative_slope),
        nn.ELU: lambda layer: ("ELU", layer.alpha),
        nn.SELU: lambda layer: ("SELU", 0.0),
        nn.Tanh: lambda layer: ("TANH", 0.0),
    }

    def __init__(self, layer: nn.Module, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.result.fixed = True
        kind, slope = self.KINDS[type(layer)](layer)
        self.kind = f"{kind}, {real(slope)}"

    def forward(self, program: Program) -> None:
        program.both("forward", f"activation_forward({self._places}, {self.kind});")

    def backward(self, program: Program) -> None:
        if self.result.gradient:
            program.train("backward", f"activation_backward({self._slope}, {self.kind});")


class PRelu(Elementwise):
    """nn.PReLU."""

    keeps_input = True

    def __init__(self, layer: nn.PReLU, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        if source.gradient is None:
            self.result.gradient = source.data.like()
        self.each = int(layer.num_parameters > 1)

    def forward(self, program: Program) -> None:
        weights = program.weights(self.layer.weight)
        program.both("forward", f"prelu_forward({self._places}, {weights}, {self.each});")

    def backward(self, program: Program) -> None:
        data, slope = self.source.data, self.result.gradient
        weights, gradient = program.weights(self.layer.weight), program.slopes(self.layer.weight)
        program.train(
            "backward",
            f"prelu_backward({at(data)}, {at(slope)}, {data.shape}, {slope.shape}, "
            f"{weights}, {gradient}, {self.each});",
        )


class RRelu(Elementwise):
    """nn.RReLU: a random slope for every negative value, the mean slope in evaluation mode."""

    def __init__(self, layer: nn.RReLU, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.result.fixed = True
        self.rule = f"stream_of(block, {number}), {real(layer.lower)}, {real(layer.upper)}"

    def forward(self, program: Program) -> None:
        program.train("train", f"rrelu_forward({self._places}, {self.rule});")
        mean = real((self.layer.lower + self.layer.upper) / 2)
        program.evaluate("evaluate", f"activation_forward({self._places}, LEAKY_RELU, {mean});")

    def backward(self, program: Program) -> None:
        if self.result.gradient:
            program.train("backward", f"rrelu_backward({self._slope}, {self.rule});")


class Dropout(Elementwise):
    """nn.Dropout."""

    def __init__(self, layer: nn.Dropout, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.rule = ""

    def forward(self, program: Program) -> None:
        # the rate comes at run time: networks that differ in it alone are compiled once
        self.rule = f"stream_of(block, {self.number}), RATE({program.dropouts})"
        program.dropouts += 1
        program.train("train", f"dropout({self._places}, {self.rule});")
        if self.result is not self.source:
            program.evaluate("evaluate", f"copy({self._places});")

    def backward(self, program: Program) -> None:
        slope = self.result.gradient
        if slope:
            place = f"{at(slope)}, {at(slope)}, {slope.shape}, {slope.shape}"
            program.train("backward", f"dropout({place}, {self.rule});")


class BatchNorm(Elementwise):
    """nn.BatchNorm2d or nn.BatchNorm1d."""

    keeps_input = True

    def __init__(self, layer: nn.BatchNorm2d, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        if source.gradient is None:
            self.result.gradient = source.data.like()
        self.first = 0  # of its channels among those of all batch normalisations

    def forward(self, program: Program) -> None:
        layer, data = self.layer, self.source.data
        self.first = first = program.channels
        program.channels += data.channels
        weights = f"n->parameters + {program.places[id(layer.weight)]}"
        biases = f"n->parameters + {program.places[id(layer.bias)]}"
        running = f"n->running + {first}, n->running + CHANNELS + {first}"
        channels = f"n->channels + {first}"
        program.train(
            "sums", f"norm_sums({at(data)}, BLOCK_SUMS({first}), {data.shape}, block->live);"
        )
        program.finish(
            f"norm_finish(n->sums + {first}, CHANNELS, n->blocks, n->batch.count, {data.shape}, "
            f"{weights}, {biases}, {channels}, {running}, {layer.eps!r}, {layer.momentum!r});",
            f"n->batches_tracked[{program.norms}]++;",
        )
        program.norms += 1
        program.before_evaluation.append(
            f"norm_from_running({data.shape}, {weights}, {biases}, {channels}, {running}, "
            f"{layer.eps!r});"
        )
        program.both("forward", f"norm_forward({self._places}, OF_CHANNELS({first}));")

    def backward(self, program: Program) -> None:
        layer, data, slope = self.layer, self.source.data, self.result.gradient
        places = f"{at(data)}, {at(slope)}"
        shapes = f"{data.shape}, {slope.shape}, OF_CHANNELS({self.first}), block->live"
        program.train(
            "gradient_sums", f"norm_gradient_sums({places}, BLOCK_SUMS({self.first}), {shapes});"
        )
        program.finish(
            f"norm_gradient_finish(n->sums + {self.first}, CHANNELS, n->blocks, n->batch.count, "
            f"{data.shape}, n->channels + {self.first}, "
            f"n->group_gradients + {program.places[id(layer.weight)]}, "
            f"n->group_gradients + {program.places[id(layer.bias)]});"
        )
        if self.source.gradient:
            program.train("backward", f"norm_backward({places}, {shapes});")


def real(value: float) -> str:
    """As a C constant."""
    return f"{float(value)!r}f"


_ELEMENTWISE: dict[type[nn.Module], Callable[..., Operation]] = {
    **dict.fromkeys(Activation.KINDS, Activation),
    nn.PReLU: PRelu,
    nn.RReLU: RRelu,
    nn.Dropout: Dropout,
    nn.BatchNorm1d: BatchNorm,
    nn.BatchNorm2d: BatchNorm,
}


def operations_for(layer: nn.Module, source: Value, number: int) -> list[Operation]:
    """What computes one layer from `source`."""
    kind = type(layer)
    if kind in _ELEMENTWISE:
        return [_ELEMENTWISE[kind](layer, source, number)]
    if kind is nn.Flatten:
        return [Flatten(source)]
    if kind is nn.Linear:
        return [Linear(layer, source)]
    if kind is not nn.Conv2d:
        return [Pooling(layer, source)]
    whole = pair(layer.kernel_size) == (source.data.height, source.data.width)
    if whole and pair(layer.padding) == (0, 0):
        flat = Flatten(source)
        return [flat, Linear(layer, flat.result)]
    return [Convolution(layer, source)]
