"""A network with parts switched off: silenced channels, and noise on the weights of a layer."""

from __future__ import annotations

import copy
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypeGuard

import numpy as np
import torch
from torch import nn

from mnist_core.errors import InputError
from mnist_core.files import is_number
from mnist_core.inspection.chain_data import ChainData, Layer

MOST_NOISE = 2.0  # times the standard deviation of a layer's weights
REFUSED = "The request was refused: "


@dataclass(frozen=True)
class Ablation:
    """By the layer's name, the channels whose output is zero, and the noise on its weights.

    Noise is normally distributed; its standard deviation is given as a share of the weights' own.
    """

    silenced: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    noise: Mapping[str, float] = field(default_factory=dict)
    seed: int = 1

    @property
    def channels(self) -> int:
        """How many are silenced."""
        return sum(map(len, self.silenced.values()))


def checked_ablation(given: Any, chain: ChainData) -> Ablation:
    """What a browser asks for, which may come from anybody.

    `given`: {"silenced": {layer: [channel, …]}, "noise": {layer: level}, "seed": whole number}.
    Raises InputError for anything that does not fit the chain.
    """
    if not isinstance(given, Mapping):
        raise InputError(f"{REFUSED}it does not say what to switch off.")
    layers = {layer["name"]: layer for layer in chain.layers}
    silenced, noise, seed = (given.get(name) for name in ("silenced", "noise", "seed"))
    for part in (silenced, noise):
        if not isinstance(part, Mapping) or not set(part) <= set(layers):
            raise InputError(f"{REFUSED}it names a layer that the network does not have.")
    assert isinstance(silenced, Mapping) and isinstance(noise, Mapping)
    if not _is_whole(seed, 2**31):
        raise InputError(f"{REFUSED}the seed is not a whole number below 2³¹.")
    return Ablation(
        {name: _channels(layers[name], channels) for name, channels in silenced.items()},
        {name: _level(layers[name], level) for name, level in noise.items()},
        seed,
    )


def _channels(layer: Layer, given: Any) -> tuple[int, ...]:
    count = layer["to"][0]
    if not isinstance(given, list) or not all(_is_whole(each, count) for each in given):
        raise InputError(f"{REFUSED}{layer['name']} has the channels 0 to {count - 1} only.")
    return tuple(sorted(set(given)))


def _level(layer: Layer, given: Any) -> float:
    if "spread" not in layer:
        raise InputError(f"{REFUSED}{layer['name']} has no weights to add noise to.")
    if not is_number(given) or not 0 <= given <= MOST_NOISE:
        raise InputError(f"{REFUSED}noise is from 0 to {MOST_NOISE:g}.")
    return float(given)


def _is_whole(value: Any, end: int) -> TypeGuard[int]:
    return type(value) is int and 0 <= value < end


def ablated(model: nn.Module, chain: ChainData, ablation: Ablation) -> nn.Sequential:
    """A copy of the chain in which the parts are switched off; `chain` describes `model`."""
    stages: OrderedDict[str, nn.Module] = OrderedDict()
    for name, layer in copy.deepcopy(model).named_children():
        stages[name] = layer
        if channels := ablation.silenced.get(name):
            stages[f"{name} silenced"] = Silence(channels)
    found = nn.Sequential(stages).eval()
    with torch.no_grad():
        for each in chain.layers:
            if level := ablation.noise.get(each["name"]):
                weight = found.get_parameter(f"{each['name']}.weight")
                places = np.arange(each["weight"], each["weight"] + each["count"])
                noise = level * each["spread"] * normal(ablation.seed, places)
                weight.add_(torch.tensor(noise, dtype=weight.dtype).reshape(weight.shape))
    return found


class Silence(nn.Module):
    """Sets some channels to zero."""

    def __init__(self, channels: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = list(channels)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = x.clone()
        x[:, self.channels] = 0
        return x


def normal(seed: int, places: np.ndarray) -> np.ndarray:
    """Normally distributed numbers, one for each of these whole numbers.

    noise.js of the Playground draws the same. G. E. P. Box, M. E. Muller: A note on the generation
    of random normal deviates. Annals of Mathematical Statistics 29(2), 1958.
    """
    radius = np.sqrt(-2 * np.log(_uniform(seed, 2 * places) + 2.0**-33))
    return radius * np.cos(2 * np.pi * _uniform(seed, 2 * places + 1))


def _uniform(seed: int, counts: np.ndarray) -> np.ndarray:
    """From 0 to below 1: the generator "mulberry32" by Tommy Ettinger, whose state counts up."""
    mixed = (seed + (counts.astype(np.uint64) + 1) * 0x6D2B79F5).astype(np.uint32)
    mixed = (mixed ^ (mixed >> 15)) * (mixed | np.uint32(1))
    mixed ^= mixed + (mixed ^ (mixed >> 7)) * (mixed | np.uint32(61))
    return (mixed ^ (mixed >> 14)) / 2.0**32
