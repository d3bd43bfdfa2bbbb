"""Activations, dropout and batch normalisation as calls of the C kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import nn

from mnist_core.engine.memory import Value
from mnist_core.engine.program import Operation, Program, at, real


class Elementwise(Operation):
    """What changes value by value. The gradient is changed where it is; so is the value, unless
    what made it needs it again."""

    keeps_input = False

    def __init__(self, layer: nn.Module, source: Value, number: int) -> None:
        self.source, self.number = source, number
        if self.keeps_input or source.fixed:
            self.result = Value(source.data.like(), source.gradient, source.has_gradient)
        else:
            self.result = source

    @property
    def _places(self) -> str:
        data, out = self.source.data, self.result.data
        return f"{at(data)}, {at(out)}, {data.shape}, {out.shape}"

    @property
    def _gradient(self) -> str:
        """Output, gradient and their shapes."""
        out, gradient = self.result.data, self.result.gradient
        return f"{at(out)}, {at(gradient)}, {out.shape}, {gradient.shape}"


class Activation(Elementwise):
    """nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU or nn.Tanh."""

    KINDS: ClassVar = {
        nn.ReLU: lambda _: ("RELU", 0.0),
        nn.LeakyReLU: lambda layer: ("LEAKY_RELU", layer.negative_slope),
        nn.ELU: lambda layer: ("ELU", layer.alpha),
        nn.SELU: lambda _: ("SELU", 0.0),
        nn.Tanh: lambda _: ("TANH", 0.0),
    }

    def __init__(self, layer: nn.Module, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.result.fixed = True
        kind, slope = self.KINDS[type(layer)](layer)
        self.kind = f"{kind}, {real(slope)}"

    def forward(self, program: Program) -> None:
        program.both("forward", f"activation_forward({self._places}, {self.kind});")

    def backward(self, program: Program) -> None:
        if self.result.has_gradient:
            program.train("backward", f"activation_backward({self._gradient}, {self.kind});")


class PRelu(Elementwise):
    """nn.PReLU."""

    keeps_input = True

    def __init__(self, layer: nn.PReLU, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.layer = layer
        if not source.has_gradient:
            self.result.gradient, self.result.has_gradient = source.data.like(), True
        self.each = int(layer.num_parameters > 1)

    def forward(self, program: Program) -> None:
        weights = program.weights(self.layer.weight)
        program.both("forward", f"prelu_forward({self._places}, {weights}, {self.each});")

    def backward(self, program: Program) -> None:
        data, gradient = self.source.data, self.result.gradient
        weight = self.layer.weight
        program.train(
            "backward",
            f"prelu_backward({at(data)}, {at(gradient)}, {data.shape}, {gradient.shape}, "
            f"{program.weights(weight)}, {program.gradients(weight)}, {self.each});",
        )


class RRelu(Elementwise):
    """nn.RReLU: a random slope for every negative value, the mean slope in evaluation mode."""

    def __init__(self, layer: nn.RReLU, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.result.fixed = True
        self.mean = real((layer.lower + layer.upper) / 2)
        self.rule = f"stream_of(block, {number}), {real(layer.lower)}, {real(layer.upper)}"

    def forward(self, program: Program) -> None:
        program.train("train", f"rrelu_forward({self._places}, {self.rule});")
        program.evaluate(
            "evaluate", f"activation_forward({self._places}, LEAKY_RELU, {self.mean});"
        )

    def backward(self, program: Program) -> None:
        if self.result.has_gradient:
            program.train("backward", f"rrelu_backward({self._gradient}, {self.rule});")


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
        gradient = self.result.gradient
        if self.result.has_gradient:
            place = f"{at(gradient)}, {at(gradient)}, {gradient.shape}, {gradient.shape}"
            program.train("backward", f"dropout({place}, {self.rule});")


class BatchNorm(Elementwise):
    """nn.BatchNorm2d or nn.BatchNorm1d."""

    keeps_input = True

    def __init__(self, layer: nn.BatchNorm1d | nn.BatchNorm2d, source: Value, number: int) -> None:
        super().__init__(layer, source, number)
        self.layer = layer
        if not source.has_gradient:
            self.result.gradient, self.result.has_gradient = source.data.like(), True
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
        layer, data, gradient = self.layer, self.source.data, self.result.gradient
        places = f"{at(data)}, {at(gradient)}"
        shapes = f"{data.shape}, {gradient.shape}, OF_CHANNELS({self.first}), block->live"
        program.train(
            "gradient_sums", f"norm_gradient_sums({places}, BLOCK_SUMS({self.first}), {shapes});"
        )
        program.finish(
            f"norm_gradient_finish(n->sums + {self.first}, CHANNELS, n->blocks, n->batch.count, "
            f"{data.shape}, n->channels + {self.first}, "
            f"n->group_gradients + {program.places[id(layer.weight)]}, "
            f"n->group_gradients + {program.places[id(layer.bias)]});"
        )
        if self.source.has_gradient:
            program.train("backward", f"norm_backward({places}, {shapes});")


ELEMENTWISE: dict[type[nn.Module], Callable[..., Operation]] = {
    **dict.fromkeys(Activation.KINDS, Activation),
    nn.PReLU: PRelu,
    nn.RReLU: RRelu,
    nn.Dropout: Dropout,
    nn.BatchNorm1d: BatchNorm,
    nn.BatchNorm2d: BatchNorm,
}
