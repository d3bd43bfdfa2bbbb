"""What several networks share: the improved recipe, and stages named after their kind."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

from mnist_core.models.registry import Recipe

if TYPE_CHECKING:
    from torch import nn

KINDS = {
    "Conv2d": "conv",
    "MaxPool2d": "pool",
    "AvgPool2d": "pool",
    "AdaptiveAvgPool2d": "average",
    "BatchNorm1d": "norm",
    "BatchNorm2d": "norm",
    "Linear": "fc",
    "Flatten": "flatten",
    "Dropout": "dropout",
}


def improved(lr: float, epochs: int = 40, **fields: Any) -> Recipe:
    """AdamW, one rise and fall of the learning rate, and images that are rotated and shifted.

    `fields` are the network's own, as in its reference's recipe. Where variants were tried, the
    validation accuracy chose among them; test images were not used.

    L. N. Smith, N. Topin: Super-convergence: very fast training of neural networks using large
    learning rates. 2018, arXiv:1708.07120.
    """
    fields |= {"optimizer": "AdamW", "lr": lr, "weight_decay": 0.01, "schedule": "one-cycle"}
    fields |= {"batch_size": 128, "epochs": epochs, "rotation": 10.0, "shift": 2.0}
    title = f"AdamW in one cycle over {epochs} epochs, images turned and shifted at random"
    return Recipe("improved", title, fields)


def named_stages(*blocks: list[nn.Module]) -> dict[str, nn.Module]:
    """The modules of all blocks in order, named after their kind: conv1, act1, pool1, conv2 …

    Each kind is counted from 1; `flatten`, and a `dropout` that is the only one, have no number.
    The last module is the `output`.
    """
    modules = [module for block in blocks for module in block]
    kinds = [KINDS.get(type(module).__name__, "act") for module in modules[:-1]]
    stages, count = {}, Counter[str]()
    for kind, module in zip(kinds, modules, strict=False):
        count[kind] += 1
        without_number = kind in ("flatten", "dropout") and kinds.count(kind) == 1
        stages[kind if without_number else f"{kind}{count[kind]}"] = module
    return {**stages, "output": modules[-1]}
