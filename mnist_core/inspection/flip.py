"""What changed between two images: in each column the channel that changed most, and the unit that
did most to turn one answer into another.

Loads without torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.inspection.columns import Column
from mnist_core.inspection.unit import take_apart

if TYPE_CHECKING:
    from torch import nn

Maps = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Flip:
    """How an answer changed from class `old` to class `new`.

    The lead is the logit of `new` minus that of `old`; `gain` is how much it grew. Of that, `share`
    comes from `channel` of the column before the last.
    """

    old: int
    new: int
    channel: int
    gain: float
    share: float


def most_changed(column: Column, before: Maps, after: Maps) -> int | None:
    """The channel whose values changed most (by the sum of squares); None where none did."""
    change = column.values(after).astype(np.float64) - column.values(before)
    by_channel = (change**2).sum(axis=(1, 2))
    return int(by_channel.argmax()) if by_channel.any() else None


def flip(model: nn.Module, last: Column, read: Column, before: Maps, after: Maps) -> Flip | None:
    """How the answer changed; None where it did not.

    `last`: the column of the logits, which reads `read`. The lead is a sum over the inputs of the
    last layer, so that each input's part of the change is exact. Raises InputError if the last
    column does not multiply and sum.
    """
    old, new = (int(last.values(maps).argmax()) for maps in (before, after))
    if old == new:
        return None
    lead = _lead(model, last, after, old, new) - _lead(model, last, before, old, new)
    by_channel = lead.reshape(read.shape[0], -1).sum(axis=1)
    channel = int(by_channel.argmax())
    return Flip(old, new, channel, float(lead.sum()), float(by_channel[channel]))


def _lead(model: nn.Module, last: Column, maps: Maps, old: int, new: int) -> np.ndarray:
    """(inputs,): what each input of the last layer adds to the lead, but for the biases."""
    old_unit, new_unit = (take_apart(model, maps, last.name, (at, 0, 0)) for at in (old, new))
    return (new_unit.products - old_unit.products).ravel()
