"""Pooling and flattening as calls of the C kernels."""

from __future__ import annotations

from torch import nn

from mnist_core.engine.chain import pair
from mnist_core.engine.memory import Storage, Value
from mnist_core.engine.program import Operation, Program, at


class Pooling(Operation):
    """nn.MaxPool2d, nn.AvgPool2d, or nn.AdaptiveAvgPool2d to a single pixel."""

    def __init__(
        self, layer: nn.MaxPool2d | nn.AvgPool2d | nn.AdaptiveAvgPool2d, source: Value
    ) -> None:
        self.source = source
        data = source.data
        if isinstance(layer, nn.AdaptiveAvgPool2d):
            self.window, self.step, self.padding = (data.height, data.width), (1, 1), (0, 0)
        else:
            self.window, self.step = pair(layer.kernel_size), pair(layer.stride)
            self.padding = pair(layer.padding)
        height, width = (
            (size + 2 * padding - window) // step + 1
            for size, padding, window, step in zip(
                (data.height, data.width), self.padding, self.window, self.step, strict=True
            )
        )
        self.result = Value.of(data.channels, height, width, gradient=source.has_gradient)
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
        if not self.source.has_gradient:
            return
        to, gradient = self.source.gradient, self.result.gradient
        if self.is_max:
            data, out = self.source.data, self.result.data
            program.train(
                "backward",
                f"max_pool_backward({at(data)}, {at(out)}, {at(to)}, {at(gradient)}, "
                f"{self._window(data, out)}, {to.shape}, {gradient.shape});",
            )
        else:
            program.train(
                "backward",
                f"average_pool_backward({at(to)}, {at(gradient)}, {self._window(to, gradient)}, "
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
        self.idle = all(storage.plane == 1 for storage in source.storages())
        if self.idle:
            self.result = source
        else:
            self.result = Value.of(source.features, 1, 1, gradient=source.has_gradient)

    def forward(self, program: Program) -> None:
        if not self.idle:
            data, out = self.source.data, self.result.data
            shape, dense = data.shape, dense_shape(data)
            program.both("forward", f"copy({at(data)}, {at(out)}, {shape}, {dense});")

    def backward(self, program: Program) -> None:
        if self.source.has_gradient and not self.idle:
            to, gradient = self.source.gradient, self.result.gradient
            program.train(
                "backward", f"copy({at(gradient)}, {at(to)}, {dense_shape(to)}, {to.shape});"
            )


def dense_shape(s: Storage) -> str:
    """The shape of the same value with nothing between rows and planes."""
    return f"(Shape){{{s.channels}, {s.height}, {s.width}, {s.width}, {s.height * s.width}}}"
