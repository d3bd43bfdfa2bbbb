"""What every layer of a network makes of one image, and pictures of that. Loads without torch.

Nothing here changes a network or leaves anything on it: many visitors share each one.
"""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_core.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import nn

IDLE = ("Dropout", "Dropout1d", "Dropout2d", "AlphaDropout", "FeatureAlphaDropout", "Identity")
WORDS = {
    "AvgPool2d": "average pooling",
    "BatchNorm2d": "batch normalisation",
    "Conv2d": "convolution",
    "Flatten": "flatten",
    "Linear": "linear layer",
    "MaxPool2d": "max pooling",
}


def feature_maps(model: nn.Module, image: torch.Tensor) -> dict[str, np.ndarray]:
    """Each stage's output for one image, in order; the first is the input, the last the logits.

    `image`: (1, channels, S, S) network input. Values: float32 without the batch, (C, H, W) or
    (N,). Keys: "input", then a chain's stages, or for a network with branches those of
    receptive_field.trace_fields. Computed in evaluation mode; stages that then change nothing,
    such as dropout, are left out. Raises InputError for more than one image at once.
    """
    import torch
    from torch import nn

    if image.ndim != 4 or len(image) != 1:
        raise InputError(f"image: (1, channels, S, S) is expected, not {tuple(image.shape)}")
    if model.training:
        model = copy.deepcopy(model).eval()
    maps = {"input": _as_array(image)}
    with torch.inference_mode():
        if not isinstance(model, nn.Sequential):
            return _along_graph(model, image, maps)
        for name, module in model._modules.items():  # named_children leaves repeated ones out
            image = module(image)
            if type(module).__name__ not in IDLE:
                maps[free_name(name, maps)] = _as_array(image)
    return maps


def _as_array(value: torch.Tensor) -> np.ndarray:
    """A copy without the batch: the next stage may work in place."""
    return np.array(value[0].numpy(force=True), dtype=np.float32)


def free_name(name: str, taken: dict[str, Any]) -> str:
    names = (name, *(f"{name}#{number}" for number in range(2, len(taken) + 3)))
    return next(candidate for candidate in names if candidate not in taken)


def _along_graph(
    model: nn.Module, image: torch.Tensor, maps: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Adds the value of every node of the network's graph that is a map."""
    import torch
    from torch import fx

    from mnist_core.inspection.receptive_field import trace_graph

    twin = copy.deepcopy(model)  # tracing touches modules that another thread may be using

    class Recorder(fx.Interpreter):
        def run_node(self, node: fx.Node) -> Any:
            value = super().run_node(node)
            module = twin.get_submodule(node.target) if node.op == "call_module" else None
            idle = type(module).__name__ in IDLE
            if node.op.startswith("call_") and isinstance(value, torch.Tensor) and not idle:
                name = node.target if module else node.name
                maps[free_name(name, maps)] = _as_array(value)
            return value

    Recorder(twin, graph=trace_graph(twin)).run(image)
    return maps


def kind_of(model: nn.Module, stage: str) -> str:
    """What a stage is, in words: "convolution 5×5", "SELU"; for a function its name."""
    if stage == "input":
        return "image"
    path = stage.split("#")[0]
    try:
        return _in_words(model.get_submodule(path))
    except AttributeError:
        return path.rstrip("_0123456789")


def _in_words(module: nn.Module) -> str:
    name = type(module).__name__
    words = WORDS.get(name, name)
    if name == "AdaptiveAvgPool2d":
        return "global average" if _pair(module.output_size) == (1, 1) else "adaptive average"
    if name in ("Conv2d", "MaxPool2d", "AvgPool2d"):
        words += " {}×{}".format(*_pair(module.kernel_size))
    if name == "Conv2d" and _pair(module.stride) != (1, 1):
        words += f", stride {_pair(module.stride)[0]}"
    return words


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def first_kernels(model: nn.Module) -> tuple[str, np.ndarray] | None:
    """The first convolution's name and weights, (channels, kh, kw); None without one.

    One that reads several channels shows their mean.
    """
    for name, module in model.named_modules():
        if type(module).__name__ == "Conv2d":
            return name, module.weight.numpy(force=True).mean(axis=1)
    return None
