"""What every layer of a network makes of one image, in numbers and in words.

Loads without torch. Networks are shared between visitors: nothing here changes one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from mnist_core.errors import InputError

if TYPE_CHECKING:
    import torch
    from torch import nn

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
    (N,). Keys: "input", then the stages of `stages.walk`. Computed in evaluation mode; stages
    that then change nothing, such as dropout, are left out. Raises InputError for more than one
    image at once, and as `walk` does.
    """
    import torch

    from mnist_core.inspection.stages import INPUT, walk

    if image.ndim != 4 or len(image) != 1:
        raise InputError(f"image: (1, channels, S, S) is expected, not {tuple(image.shape)}")
    values = {INPUT: image.clone()}
    for stage in walk(model, image.detach()):
        if isinstance(stage.value, torch.Tensor) and not stage.inactive:
            values[stage.name] = stage.value
    return {name: value[0].float().numpy(force=True) for name, value in values.items()}


def kind_of(model: nn.Module, stage: str) -> str:
    """What a stage is, in words: "convolution 5×5", "SELU"; for a function its name."""
    from mnist_core.inspection.stages import INPUT, module_of

    if stage == INPUT:
        return "image"
    module = module_of(model, stage)
    if module is None:
        return stage.split("#")[0].rstrip("_0123456789")
    kind = type(module).__name__
    words = WORDS.get(kind, kind)
    if kind == "AdaptiveAvgPool2d":
        return "global average" if _pair(module.output_size) == (1, 1) else "adaptive average"
    if kind in ("Conv2d", "MaxPool2d", "AvgPool2d"):
        words += " {}×{}".format(*_pair(module.kernel_size))
    if kind == "Conv2d" and _pair(module.stride) != (1, 1):
        words += f", stride {_pair(module.stride)[0]}"
    return words


def _pair(value: Any) -> tuple[int, int]:
    return tuple(value) if isinstance(value, tuple | list) else (value, value)


def first_kernels(model: nn.Module) -> tuple[str, np.ndarray] | None:
    """The first convolution's name and weights, (channels, kh, kw); None without one.

    One that reads several channels shows their mean.
    """
    from torch import nn

    for name, module in model.named_modules():
        if isinstance(module, nn.Conv2d):
            return name, module.weight.numpy(force=True).mean(axis=1)
    return None
