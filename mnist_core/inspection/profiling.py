"""What a network costs: parameters, multiply-accumulates, bytes on disk, time for one image.

Everything runs on a copy on the CPU in evaluation mode, so the network stays as it is, also while
others use it. A multiply-accumulate (MAC) is two of the floating point operations that
`torch.utils.flop_counter` counts: those of convolutions and matrix products; biases, activations
and pooling count nothing.
"""

import copy
import statistics
import timeit
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import safetensors.torch
import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.errors import InputError
from mnist_core.inspection.receptive_field import last_convolution_field
from mnist_core.inspection.stages import (
    INPUT,
    UnsupportedOperation,
    blank_image,
    class_name,
    free_name,
    trial,
)


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


def profile(model: nn.Module, input_size: int = IMAGE_SIDE) -> list[Layer]:
    """The network's layers, with what each costs for one 1×`input_size`×`input_size` image.

    They come in the order in which they finish, branches included: every module without children,
    and every other that computes something itself. Their MACs add up to the network's, their
    parameters to those of all modules that take part.
    Raises InputError if the network cannot take such an image.
    """
    probe = copy.deepcopy(model).cpu().eval()
    recorder, image = _Recorder(probe), blank_image(probe, input_size)
    with trial(probe, image), recorder:
        probe(image)
    return recorder.layers


def figures(model: nn.Module, input_size: int) -> dict[str, int | None]:
    """Parameters, MACs and receptive field (None where the graph cannot be walked).

    Parameters count trainable or not, one that two layers share once. Raises InputError if the
    network cannot take a 1×`input_size`×`input_size` image.
    """
    try:
        field = last_convolution_field(model, input_size)
    except UnsupportedOperation:
        field = None
    parameters = sum(parameter.numel() for parameter in model.parameters())
    macs = sum(layer.macs for layer in profile(model, input_size))
    return {"parameters": parameters, "macs": macs, "receptive_field": field}


def weights_bytes(model: nn.Module) -> int:
    """Size in bytes of the safetensors file of the network's state dict, without metadata."""
    # Contiguous copies: safetensors takes neither views nor channels_last nor shared memory.
    state = {name: tensor.cpu().contiguous().clone() for name, tensor in model.state_dict().items()}
    return len(safetensors.torch.save(state))


def median_latency_ms(
    model: nn.Module, input_size: int = IMAGE_SIDE, repeats: int = 30, warmup: int = 5
) -> float:
    """Median wall-clock time in milliseconds of one image at batch 1, on one thread of the CPU.

    `warmup` runs come first and do not count. One thread, because small networks gain nothing
    from more and figures stay comparable; the setting holds for the whole process meanwhile, so
    measure where nothing else computes. Raises InputError for `repeats` below 1, and if the
    network cannot take such an image.
    """
    if repeats < 1 or warmup < 0:
        raise InputError(f"repeats: {repeats} after {warmup} warm-up runs; allowed is 1 after 0 up")
    probe = copy.deepcopy(model).cpu().eval()
    image, threads = blank_image(probe, input_size), torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        with trial(probe, image), torch.inference_mode():
            seconds = timeit.repeat(lambda: probe(image), number=1, repeat=warmup + repeats)
    finally:
        torch.set_num_threads(threads)
    return 1000 * statistics.median(seconds[warmup:])


class _Recorder(TorchDispatchMode):
    """Counts MACs as `FlopCounterMode` does, for each module of a private copy, by hooks on it.

    It counts in this thread only, and does not load torch._dynamo, which makes the first use of
    `FlopCounterMode` take seconds.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.layers: list[Layer] = []
        self._running: list[int] = []  # the MACs so far of each running module, the innermost last
        self._seen: set[nn.Parameter] = set()
        for name, module in model.named_modules():
            module.register_forward_pre_hook(lambda *_: self._running.append(0))
            module.register_forward_hook(self._leave(name or type(module).__name__))

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        return False

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        output = func(*args, **kwargs)
        formula = flop_registry.get(func._overloadpacket)
        if formula is not None:
            self._running[-1] += formula(*args, **kwargs, out_val=output) // 2
        return output

    def _leave(self, name: str) -> Callable[[nn.Module, Any, Any], None]:
        def hook(module: nn.Module, _args: Any, output: Any) -> None:
            macs, own = self._running.pop(), set(module.parameters(recurse=False)) - self._seen
            self._seen |= own
            parameters = sum(parameter.numel() for parameter in own)
            if parameters or macs or not any(module.children()):
                shape = tuple(getattr(output, "shape", ()))[1:]
                free = free_name(name, {INPUT, *(layer.name for layer in self.layers)})
                self.layers.append(Layer(free, class_name(module), shape, parameters, macs))

        return hook
