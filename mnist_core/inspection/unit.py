"""One unit of a network taken apart: what it looks at, its kernel, the products, and their sum.

The arithmetic is done here with numpy, from the map that the unit's stage reads and from the
stage's weights; it has to come out as the value that the network itself computed. Nothing is done
to the network.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.errors import InputError
from mnist_core.inspection.feature_maps import IDLE, free_name

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True, eq=False)
class Unit:
    """One unit's arithmetic, in double precision.

    A convolution's patch, kernel and products are (channels, h, w); a linear layer's are
    (inputs, 1, 1). `total` is the sum of the products and `bias`; `value` is what the network
    itself computed there. `top`, `left` say where the patch begins in the map that is read,
    negative in padding.
    """

    stage: str
    source: str
    place: tuple[int, int, int]
    patch: np.ndarray
    kernel: np.ndarray
    bias: float
    value: float
    top: int = 0
    left: int = 0

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


@dataclass(frozen=True)
class After:
    """What becomes of a unit's value in the next stage, as long as that works value by value."""

    stage: str
    kind: str
    value: float


def sources(model: nn.Module) -> dict[str, str]:
    """For every stage of feature_maps the stage that it reads (its first input)."""
    from torch import nn

    if isinstance(model, nn.Sequential):
        return _chain(model)
    return _graph(model)


def weighted_stages(model: nn.Module, maps: Mapping[str, np.ndarray]) -> list[str]:
    """The stages that multiply and sum, and so can be taken apart: convolutions and linear ones."""
    from torch import nn

    return [name for name in maps if isinstance(_module(model, name), nn.Conv2d | nn.Linear)]


def take_apart(
    model: nn.Module,
    maps: Mapping[str, np.ndarray],
    stage: str,
    channel: int,
    row: int = 0,
    column: int = 0,
) -> Unit:
    """The arithmetic of one unit of a convolution or a linear stage, for the image of `maps`.

    `maps`: what feature_maps made of that image. Raises InputError for another kind of stage, or
    a unit that is not there.
    """
    from torch import nn

    module, before = _module(model, stage), sources(model).get(stage)
    if not isinstance(module, nn.Conv2d | nn.Linear) or before not in maps:
        raise InputError(f"stage: {stage!r} was given; allowed is a convolution or a linear layer")
    values = maps[stage].reshape(len(maps[stage]), *(maps[stage].shape[1:] or (1, 1)))
    place = (channel, row, column)
    if not all(0 <= at < length for at, length in zip(place, values.shape, strict=True)):
        raise InputError(f"unit: {place} was given; {stage} has {values.shape}, counted from 0")
    bias = 0.0 if module.bias is None else float(module.bias[channel].detach())
    weights = module.weight[channel].numpy(force=True).astype(np.float64)
    value = float(values[place])
    if isinstance(module, nn.Linear):
        patch = maps[before].astype(np.float64).reshape(-1, 1, 1)
        return Unit(stage, before, place, patch, weights.reshape(-1, 1, 1), bias, value)
    patch, top, left = _patch(module, maps[before], channel, row, column)
    return Unit(stage, before, place, patch, weights, bias, value, top, left)


def afterwards(
    model: nn.Module, maps: Mapping[str, np.ndarray], stage: str, place: tuple[int, int, int]
) -> list[After]:
    """The stages right after `stage` that change each value by itself: activation, batch norm."""
    came_from, found = sources(model), []
    shape, names = maps[stage].shape, list(maps)
    for name in names[names.index(stage) + 1 :]:
        kind = type(_module(model, name)).__name__
        same = came_from.get(name) == (found[-1].stage if found else stage)
        if not same or maps[name].shape != shape or kind in ("Conv2d", "Linear", "Flatten"):
            break
        if "Pool" in kind:
            break
        value = maps[name][place] if len(shape) == 3 else maps[name][place[0]]
        found.append(After(name, kind, float(value)))
    return found


def _module(model: nn.Module, stage: str) -> nn.Module | None:
    try:
        return model.get_submodule(stage.split("#")[0])
    except AttributeError:
        return None


def _patch(
    module: nn.Conv2d, values: np.ndarray, channel: int, row: int, column: int
) -> tuple[np.ndarray, int, int]:
    """(channels of the group, kh, kw) of a map (C, H, W), zeros in padding; its top and left."""
    per_group = values.shape[0] // module.groups
    first = channel // (module.out_channels // module.groups) * per_group
    values = values[first : first + per_group].astype(np.float64)
    (top, ys), (left, xs) = (_reach(module, axis, at) for axis, at in enumerate((row, column)))
    inside_y, inside_x = (ys >= 0) & (ys < values.shape[1]), (xs >= 0) & (xs < values.shape[2])
    patch = np.zeros((per_group, len(ys), len(xs)))
    patch[np.ix_(range(per_group), inside_y, inside_x)] = values[
        np.ix_(range(per_group), ys[inside_y], xs[inside_x])
    ]
    return patch, top, left


def _reach(module: nn.Conv2d, axis: int, at: int) -> tuple[int, np.ndarray]:
    """Where the kernel begins along an axis, and the places that it reads."""
    reach = module.dilation[axis] * (module.kernel_size[axis] - 1)
    padding = module.padding
    if isinstance(padding, str):
        padding = [reach // 2 if padding == "same" else 0] * 2
    if module.padding_mode != "zeros":
        raise InputError(f"padding: {module.padding_mode!r} is not known here; allowed is zeros")
    start = at * module.stride[axis] - padding[axis]
    places = start + module.dilation[axis] * np.arange(module.kernel_size[axis])
    return start, places


def _chain(model: nn.Sequential) -> dict[str, str]:
    came_from: dict[str, str] = {"input": ""}
    last = "input"
    for name, module in model._modules.items():
        if type(module).__name__ not in IDLE:
            name = free_name(name, came_from)
            came_from[name], last = last, name
    return came_from


def _graph(model: nn.Module) -> dict[str, str]:
    """By the network's graph; stages that change nothing, such as dropout, are looked through."""
    from torch import fx

    from mnist_core.inspection.receptive_field import trace_graph

    twin = copy.deepcopy(model)
    came_from: dict[str, str] = {"input": ""}
    names: dict[fx.Node, str] = {}
    for node in trace_graph(twin).nodes:
        before = next((names[a] for a in node.all_input_nodes if a in names), "input")
        module = twin.get_submodule(node.target) if node.op == "call_module" else None
        if node.op == "placeholder" or type(module).__name__ in IDLE:
            names[node] = before
        elif node.op.startswith("call_"):
            names[node] = free_name(node.target if module else node.name, came_from)
            came_from[names[node]] = before
    return came_from
