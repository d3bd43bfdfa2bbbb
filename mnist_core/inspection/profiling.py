"""What a network costs: parameters, multiply-accumulates, bytes on disk, time for one image.

Everything runs on a copy in evaluation mode, so the network stays as it is, also while others
use it. A multiply-accumulate (MAC) is two of the floating point operations that
`torch.utils.flop_counter` counts: those of convolutions and matrix products; biases, activations
and pooling count nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.errors import InputError
from mnist_core.inspection.probe import blank_image, private_copy, trial
from mnist_core.inspection.receptive_field import last_convolution_field
from mnist_core.inspection.stages import INPUT, UnsupportedOperation, class_name, free_name


@dataclass(frozen=True)
class Layer:
    """One call of a module, for one image. `shape` is the output's, without the batch.

    `name` is the module's qualified name, as `stages.walk` names its stages
    ("act#2" is the second call of "act"); `kind` is its class. Parameters that an earlier layer
    counted already count 0 here.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    parameters: int
    macs: int


@dataclass(frozen=True)
class Profile:
    """What a network costs: parameters, multiply-accumulates for one image, and its layers.

    The layers come in the order in which they finish, branches included: every module without
    children, and every other that computes something itself. Their MACs add up to `macs`, their
    parameters to those of all modules that take part.
    """

    parameters: int
    macs: int
    layers: list[Layer]


def profile(model: nn.Module, input_size: int = IMAGE_SIDE, channels: int = 1) -> Profile:
    """Parameters, MACs and layers for one image of `channels`×`input_size`×`input_size`.

    Raises InputError if the network cannot take such an image.
    """
    probe = private_copy(model)
    image, recorder = blank_image(probe, input_size, channels), _Recorder(probe)
    with trial(probe, image), recorder.counter:
        probe(image)
    return Profile(count_parameters(model), recorder.counter.macs, recorder.layers)


def count_parameters(model: nn.Module) -> int:
    """Number of parameters, trainable or not; one that two layers share counts once."""
    return sum(parameter.numel() for parameter in model.parameters())


def figures(model: nn.Module, input_size: int) -> dict[str, int | None]:
    """Parameters, MACs and receptive field (None where the graph cannot be walked)."""
    try:
        field = last_convolution_field(model, input_size)
    except UnsupportedOperation:
        field = None
    found = profile(model, input_size)
    return {"parameters": found.parameters, "macs": found.macs, "receptive_field": field}


def weights_bytes(model: nn.Module) -> int:
    """Size in bytes of the safetensors file of the network's state dict, without metadata."""
    # Contiguous copies: safetensors takes neither views nor channels_last nor shared memory.
    state = {name: tensor.cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    return len(safetensors.torch.save(state))


def median_latency_ms(
    model: nn.Module,
    input_size: int = IMAGE_SIDE,
    repeats: int = 30,
    warmup: int = 5,
    channels: int = 1,
) -> float:
    """Median wall-clock time in milliseconds of one image at batch 1, on one thread of the CPU.

    `warmup` runs come first and do not count. One thread, because small networks gain nothing
    from more and figures stay comparable; the setting holds for the whole process meanwhile, so
    measure where nothing else computes. Raises InputError for `repeats` below 1, and if the
    network cannot take such an image.
    """
    if repeats < 1 or warmup < 0:
        raise InputError(f"repeats: {repeats} after {warmup} warm-up runs; allowed is 1 after 0 up")
    probe = private_copy(model)
    image = blank_image(probe, input_size, channels)
    with trial(probe, image), _one_thread(), torch.inference_mode():
        seconds = [_seconds(probe, image) for _ in range(warmup + repeats)]
    return 1000 * statistics.median(seconds[warmup:])


def _seconds(model: nn.Module, image: torch.Tensor) -> float:
    start = time.perf_counter()
    model(image)
    return time.perf_counter() - start


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _MacCounter(TorchDispatchMode):
    """Counts as `FlopCounterMode` does, in this thread only.

    It does not load torch._dynamo, which makes the first use of that one take seconds.
    """

    macs = 0

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self.macs += formula(*args, **kwargs, out_val=output) // 2
        return output


class _Recorder:
    """Hooks on every module of a private copy.

    A module's own work is its total minus its children's.
    """

    def __init__(self, model: nn.Module) -> None:
        self.counter = _MacCounter()
        self.layers: list[Layer] = []
        self._open: list[list[int]] = []  # per running module: count at its start, its children's
        self._seen: set[int] = set()
        for name, module in model.named_modules():
            module.register_forward_pre_hook(self._enter)
            module.register_forward_hook(self._leave(name or type(module).__name__))

    def _enter(self, module: nn.Module, args: Any) -> None:
        self._open.append([self.counter.macs, 0])

    def _leave(self, name: str) -> Any:
        def hook(module: nn.Module, args: Any, output: Any) -> None:
            start, inside = self._open.pop()
            spent = self.counter.macs - start
            if self._open:
                self._open[-1][1] += spent
            self._add(name, module, output, spent - inside)

        return hook

    def _add(self, name: str, module: nn.Module, output: Any, macs: int) -> None:
        own = [p for p in module.parameters(recurse=False) if id(p) not in self._seen]
        self._seen.update(map(id, own))
        parameters = sum(p.numel() for p in own)
        if parameters or macs or not any(module.children()):
            shape = tuple(getattr(output, "shape", ()))[1:]
            name = free_name(name, {INPUT, *(layer.name for layer in self.layers)})
            self.layers.append(Layer(name, class_name(module), shape, parameters, macs))
