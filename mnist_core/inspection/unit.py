"""The arithmetic of one unit of a network: its patch, its kernel, the products, and their sum.

It is done here with numpy, from the map that the unit's stage reads and from the stage's weights,
and has to give the value that the network itself computed. The network stays as it is.
Loads without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.errors import InputError

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit's arithmetic, in double precision.

    A convolution's patch, kernel and products are (channels, h, w); a linear layer's are
    (inputs, 1, 1). `total` is the sum of the products and `bias`; `value` is what the network
    itself computed there.
    """

    stage: str
    source: str
    place: tuple[int, int, int]
    patch: np.ndarray
    kernel: np.ndarray
    bias: float
    value: float

    @property
    def products(self) -> np.ndarray:
        return self.patch * self.kernel

    @property
    def by_channel(self) -> np.ndarray:
        """(channels,): what each channel of the patch adds."""
        return self.products.sum((1, 2))

    @property
    def total(self) -> float:
        return float(self.products.sum() + self.bias)


def sources(model: nn.Module) -> dict[str, str]:
    """For every stage of feature_maps the stage that it reads (its first input), "" for the image.

    Stages that change nothing, such as dropout, are looked through. Raises as `stages.walk` does.
    """
    from mnist_core.inspection.stages import INPUT, walk

    came_from, seen_as = {INPUT: ""}, {INPUT: INPUT}
    for stage in walk(model):
        before = seen_as[stage.inputs[0]]
        seen_as[stage.name] = before if stage.inactive else stage.name
        if not stage.inactive:
            came_from[stage.name] = before
    return came_from


def weighted_stages(model: nn.Module, maps: Mapping[str, np.ndarray]) -> list[str]:
    """The stages that multiply and sum, convolutions and linear layers: see `take_apart`."""
    from torch import nn

    from mnist_core.inspection.stages import module_of

    return [name for name in maps if isinstance(module_of(model, name), nn.Conv2d | nn.Linear)]


def take_apart(
    model: nn.Module, maps: Mapping[str, np.ndarray], stage: str, place: tuple[int, int, int]
) -> Unit:
    """The arithmetic of one unit of a convolution or a linear stage, for the image of `maps`.

    `maps`: what feature_maps made of that image. `place`: channel, row and column, the last two 0
    for a linear stage. Raises InputError for another kind of stage, or a unit that does not exist,
    and UnsupportedOperation for padding other than zeros.
    """
    from torch import nn

    from mnist_core.inspection.field_rules import Call, convolution
    from mnist_core.inspection.stages import Stage, module_of

    module, before = module_of(model, stage), sources(model).get(stage)
    if not isinstance(module, nn.Conv2d | nn.Linear) or before is None or before not in maps:
        raise InputError(f"stage: {stage!r} was given; allowed is a convolution or a linear layer")
    values = maps[stage].reshape(len(maps[stage]), *(maps[stage].shape[1:] or (1, 1)))
    channel, row, column = place
    if not all(0 <= at < length for at, length in zip(place, values.shape, strict=True)):
        raise InputError(f"unit: {place} was given; {stage} has {values.shape}, counted from 0")
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    weights = module.weight[channel].numpy(force=True).astype(np.float64)
    value = float(values[place])
    if isinstance(module, nn.Linear):
        patch = maps[before].astype(np.float64).reshape(-1, 1, 1)
        return Unit(stage, before, place, patch, weights.reshape(-1, 1, 1), bias, value)
    window = convolution(Call(Stage(stage, "Conv2d", module, (before,)), ()))
    ys, xs = window.reads(0, row), window.reads(1, column)
    group = channel // (module.out_channels // module.groups)
    read = np.split(maps[before].astype(np.float64), module.groups)[group]
    y, x = window.padding
    padded = np.pad(read, [(0, 0), (y, y + 1), (x, x + 1)])  # "same" may need one more at the end
    patch = padded[:, ys.start + y : ys.stop + y : ys.step, xs.start + x : xs.stop + x : xs.step]
    return Unit(stage, before, place, patch, weights, bias, value)


def afterwards(
    model: nn.Module, maps: Mapping[str, np.ndarray], stage: str, place: tuple[int, int, int]
) -> dict[str, float]:
    """The unit's value after each of the next stages, as long as they change values one by one.

    As activations and batch normalisation do. The keys are the stages.
    """
    from mnist_core.inspection.stages import module_of

    came_from, found, last = sources(model), dict[str, float](), stage
    shape, names = maps[stage].shape, list(maps)
    for name in names[names.index(stage) + 1 :]:
        kind = type(module_of(model, name)).__name__
        mixes = "Pool" in kind or kind in ("Conv2d", "Linear", "Flatten")
        if mixes or came_from.get(name) != last or maps[name].shape != shape:
            break
        found[name] = float(maps[name][place[: len(shape)]])
        last = name
    return found
