"""A network whose training step is compiled for it."""

from __future__ import annotations

import ctypes
import weakref
from pathlib import Path

import torch
from torch import nn

from mnist_core.engine.compiler import EngineUnavailable, find_compiler, load
from mnist_core.engine.source import generate, places_of, rates_of, supports

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)
# Bytes for the values of a batch. Only networks with batch normalisation keep all of them.
MOST_MEMORY = 2**30


class _Batch(ctypes.Structure):
    """`Batch` of kernels/block.h."""

    _fields_ = [
        ("images", ctypes.c_void_p),
        ("index", ctypes.c_void_p),
        ("labels", ctypes.c_void_p),
        ("logits", ctypes.c_void_p),
        ("count", ctypes.c_int),
        ("are_bytes", ctypes.c_int),
        ("scale", ctypes.c_float),
        ("offset", ctypes.c_float),
        ("smoothing", ctypes.c_float),
        ("key", ctypes.c_uint64),
    ]


class NativeNetwork:
    """Steps and predictions of an `nn.Sequential`, by code generated and compiled for it.

    `model`'s parameters, their `.grad` and its running statistics become views of flat buffers
    that both sides share: optimisers, state_dict() and torch's own forward pass go on working.

    `input_shape` is (channels, rows, columns); `batch_size` the most images of a step. Results
    do not depend on `threads`. Raises EngineUnavailable.
    """

    def __init__(
        self,
        model: nn.Module,
        input_shape: tuple[int, int, int],
        batch_size: int,
        threads: int = 1,
        *,
        cache: Path | None = None,
    ) -> None:
        reason = supports(model, input_shape)
        if reason:
            raise EngineUnavailable(f"The native engine cannot take this network: {reason}.")
        compiler = find_compiler()
        source = generate(model, input_shape, compiler.registers)
        blocks = -(-batch_size // compiler.lanes) if source.keeps_blocks else threads
        memory = blocks * source.block * compiler.lanes * 4
        if memory > MOST_MEMORY:
            raise EngineUnavailable(
                f"The native engine would take {memory / 2**30:.1f} GiB for {batch_size} images."
            )
        self.model, self.input_shape, self.batch_size = model, tuple(input_shape), batch_size
        self.classes = source.classes
        self._library = _declared(load(source.text, compiler, cache))
        self.parameters = torch.zeros(source.parameters)
        self.gradients = torch.zeros(source.parameters)
        self._share_parameters()
        self._share_statistics()
        self._rates = torch.tensor(rates_of(model), dtype=torch.float64)
        buffers = (
            *(self.parameters, self.gradients, self.running, self.batches_tracked),
            self._rates,
        )
        pointers = [buffer.data_ptr() for buffer in buffers]
        self._handle = self._library.engine_open(threads, batch_size, *pointers)
        if not self._handle:
            raise EngineUnavailable("There is too little memory for the native engine.")
        self.close = weakref.finalize(self, self._library.engine_close, self._handle)

    def _share_parameters(self) -> None:
        places, _ = places_of(self.model)
        self._gradients = []
        for parameter in self.model.parameters():
            part = slice(places[id(parameter)], places[id(parameter)] + parameter.numel())
            view = self.parameters[part].view(parameter.shape)
            _share(parameter, view)
            self._gradients.append((parameter, self.gradients[part].view(parameter.shape)))
        self._attach_gradients()

    def _attach_gradients(self) -> None:
        """Puts them back where `zero_grad()` has taken them away."""
        for parameter, gradient in self._gradients:
            if parameter.grad is not gradient:
                parameter.grad = gradient

    def _share_statistics(self) -> None:
        norms = [layer for layer in self.model.modules() if isinstance(layer, NORMS)]
        channels = sum(norm.num_features for norm in norms)
        self.running = torch.zeros(2 * channels)
        self.batches_tracked = torch.zeros(len(norms), dtype=torch.int64)
        first = 0
        for number, norm in enumerate(norms):
            places = slice(first, first + norm.num_features)
            _share(norm.running_mean, self.running[:channels][places])
            _share(norm.running_var, self.running[channels:][places])
            _share(norm.num_batches_tracked, self.batches_tracked[number])
            first = places.stop

    def step(
        self,
        pixels: torch.Tensor,
        labels: torch.Tensor,
        *,
        index: torch.Tensor | None = None,
        scale: float = 1.0,
        offset: float = 0.0,
        label_smoothing: float = 0.0,
        seed: int = 0,
    ) -> tuple[float, torch.Tensor]:
        """Forward and backward pass of one batch in training mode.

        (N, C, H, W) uint8 or float32 `pixels` become the network's input as pixel * scale +
        offset; (B,) int64 `index` picks rows of them, and `labels` are (B,), those of the batch.
        Returns the mean cross-entropy in nats and (B, classes) logits; gradients of the mean loss
        are in the parameters' `.grad`. All that is random follows from `seed`, a number of 64
        bits that has to be another in every step. Raises ValueError for inputs that do not fit.
        """
        batch, logits, _held = self._batch(pixels, index, scale, offset)
        labels = labels.to(torch.int64).contiguous()
        if not 0 < batch.count <= self.batch_size or labels.shape != (batch.count,):
            raise ValueError(f"{batch.count} images, {len(labels)} labels for {self.batch_size}")
        _check_range("labels", labels, self.classes)
        batch.labels = labels.data_ptr()
        batch.smoothing = label_smoothing
        batch.key = seed & (2**64 - 1)
        self._attach_gradients()
        loss = self._library.engine_step(self._opened(), ctypes.byref(batch))
        return loss, logits

    def forward(
        self,
        pixels: torch.Tensor,
        *,
        index: torch.Tensor | None = None,
        scale: float = 1.0,
        offset: float = 0.0,
    ) -> torch.Tensor:
        """(N, classes) logits of any number of images in evaluation mode; inputs as in `step`."""
        batch, logits, _held = self._batch(pixels, index, scale, offset)
        self._library.engine_forward(self._opened(), ctypes.byref(batch))
        return logits

    def _opened(self) -> int:
        if not self.close.alive:
            raise ValueError("the network is closed")
        return self._handle

    def _batch(
        self, pixels: torch.Tensor, index: torch.Tensor | None, scale: float, offset: float
    ) -> tuple[_Batch, torch.Tensor, tuple[torch.Tensor | None, ...]]:
        """What C is given, the logits it will write, and what must live until it has."""
        if tuple(pixels.shape[1:]) != self.input_shape or pixels.device.type != "cpu":
            raise ValueError(f"images are {tuple(pixels.shape)}, not (N, *{self.input_shape})")
        if pixels.dtype not in (torch.uint8, torch.float32):
            raise ValueError(f"pixels are {pixels.dtype}, neither uint8 nor float32")
        pixels = pixels.contiguous()
        count = len(pixels)
        if index is not None:
            index = index.to(torch.int64).contiguous()
            count = len(index)
            _check_range("index", index, len(pixels))
        logits = torch.empty(count, self.classes)
        batch = _Batch(
            images=pixels.data_ptr(),
            index=None if index is None else index.data_ptr(),
            logits=logits.data_ptr(),
            count=count,
            are_bytes=pixels.dtype == torch.uint8,
            scale=scale,
            offset=offset,
        )
        return batch, logits, (pixels, index)


def _check_range(name: str, numbers: torch.Tensor, end: int) -> None:
    """C trusts what it is given."""
    if len(numbers):
        least, most = torch.aminmax(numbers)
        if least < 0 or most >= end:
            raise ValueError(f"{name} go from {int(least)} to {int(most)}, beyond 0 to {end - 1}")


def _share(buffer: torch.Tensor | None, view: torch.Tensor) -> None:
    assert buffer is not None  # norms without running statistics are declined
    buffer.data = view.copy_(buffer.data)


def _declared(library: ctypes.CDLL) -> ctypes.CDLL:
    pointer, batch = ctypes.c_void_p, ctypes.POINTER(_Batch)
    library.engine_open.argtypes = [ctypes.c_int, ctypes.c_int, *[pointer] * 5]
    library.engine_open.restype = pointer
    library.engine_step.argtypes = [pointer, batch]
    library.engine_step.restype = ctypes.c_double
    library.engine_forward.argtypes = [pointer, batch]
    library.engine_forward.restype = None
    library.engine_close.argtypes = [pointer]
    library.engine_close.restype = None
    return library
