"""How many operations a core does at most, and how many a training step takes."""

from __future__ import annotations

import ctypes
import time
from pathlib import Path

from torch import nn

from mnist_core.engine.compiler import find_compiler, load
from mnist_core.engine.convolution import Convolution, Linear
from mnist_core.engine.source import operations_of

ROUNDS = 200_000  # about a millisecond


def measured_peak(tries: int = 50, *, cache: Path | None = None) -> float:
    """Floating-point operations a second of one core, the best of `tries` short loops of
    multiply-adds. Raises EngineUnavailable."""
    library = load('#include "peak.h"\n', find_compiler(), cache)
    library.peak_run.argtypes = [ctypes.c_int64, ctypes.c_float]
    library.peak_run.restype = ctypes.c_float
    return max(_speed(library) for _ in range(tries))


def _speed(library: ctypes.CDLL) -> float:
    began = time.perf_counter()
    library.peak_run(ROUNDS, 0.5)
    return ROUNDS * library.peak_operations() / (time.perf_counter() - began)


def step_operations(model: nn.Module, input_shape: tuple[int, int, int]) -> int:
    """Floating-point operations of one image's training step: those of its convolutions and
    linear layers, forward and for both gradients, edges' zeros not counted.

    Raises ValueError for a network that the engine cannot take.
    """
    return sum(
        2 * _products(operation) * (3 if operation.source.has_gradient else 2)
        for operation in operations_of(model, input_shape)
        if isinstance(operation, Convolution | Linear)
    )


def _products(operation: Convolution | Linear) -> int:
    """Multiply-adds of the forward pass."""
    out = operation.result.data
    return operation.layer.weight.numel() * out.height * out.width
