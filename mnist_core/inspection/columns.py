"""A network as columns from left to right, as it is drawn: what each shows, and what it reads.

A column begins with a stage that mixes values (a convolution, pooling, a linear layer) and takes
in the stages after it that change values one by one, such as activations.
Loads without torch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.inspection.feature_maps import kind_of
from mnist_core.inspection.unit import afterwards, sources

if TYPE_CHECKING:
    from torch import nn

    from mnist_core.inspection.field_rules import Window
    from mnist_core.inspection.receptive_field import Field

MOST = 16  # channels of a column that are drawn
Span = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Column:
    """Some stages in a row, drawn as one.

    `name` is its first stage, `shown` the one whose values are drawn: its last, but for flatten.
    `source` is the place of the column that it reads, None for the image. `window` slides over the
    maps of the source; without one a unit reads all of a map. `groups`: a channel reads this part
    of the source's channels (1: all of them, `channels`: only its own). `rows` and `cols`: the
    pixels of the image that each row and column of units can depend on, empty where not known.
    """

    name: str
    stages: tuple[str, ...]
    shown: str
    kind: str
    shape: tuple[int, ...]
    source: int | None
    window: Window | None
    groups: int
    rows: Sequence[Span] = ()
    cols: Sequence[Span] = ()

    @property
    def flat(self) -> bool:
        """Whether each channel is a single number."""
        return self.shape[1:] in ((), (1, 1))

    def values(self, maps: Mapping[str, np.ndarray]) -> np.ndarray:
        """(channels, rows, columns) float32: what is drawn; of a flat column one row and column."""
        return as_maps(maps[self.shown])


def as_maps(values: np.ndarray) -> np.ndarray:
    """(N,) -> (N, 1, 1); maps stay as they are."""
    return values.reshape(len(values), *(values.shape[1:] or (1, 1)))


def columns(
    model: nn.Module, maps: Mapping[str, np.ndarray], fields: Mapping[str, Field] | None = None
) -> list[Column]:
    """The network's columns in order; the first is the image.

    `maps`: what feature_maps made of any image. `fields`: those of receptive_field.trace_fields.
    Raises as `stages.walk` does.
    """
    came_from = sources(model)
    found, place, taken = list[Column](), dict[str, int](), set[str]()
    for name in maps:
        if name in taken:
            continue
        rest = [name, *afterwards(model, maps, name, (0,) * 3)]
        flat = _flattened(model, maps, came_from, rest[-1])
        source = place.get(came_from[name]) if came_from[name] else None
        taken.update([*rest, *flat])
        place.update(dict.fromkeys([*rest, *flat], len(found)))
        channels = len(maps[found[source].shown]) if source is not None else 0
        field = (fields or {}).get(rest[-1])
        rows, cols = field.edges() if field else ((), ())
        found.append(
            Column(
                name=name,
                stages=(*rest, *flat),
                shown=rest[-1],
                kind=", ".join(kind_of(model, each) for each in rest),
                shape=maps[rest[-1]].shape,
                source=source,
                window=_window(model, name),
                groups=_groups(model, name, len(maps[name]), channels),
                rows=rows,
                cols=cols,
            )
        )
    return found


def _flattened(
    model: nn.Module, maps: Mapping[str, np.ndarray], came_from: Mapping[str, str], last: str
) -> list[str]:
    """The stages right after `last` that only give its values another shape."""
    names = list(maps)
    after = names[names.index(last) + 1 :][:1]
    same = [n for n in after if came_from[n] == last and kind_of(model, n) == "flatten"]
    return same


def _window(model: nn.Module, stage: str) -> Window | None:
    from mnist_core.inspection.field_rules import WINDOWS, Call
    from mnist_core.inspection.stages import Stage, UnsupportedOperation, class_name, module_of

    module = module_of(model, stage)
    if module is None:
        return None
    rule = WINDOWS.get(class_name(module).lower())
    try:
        return rule(Call(Stage(stage, class_name(module), module, ()), ())) if rule else None
    except UnsupportedOperation:
        return None


def _groups(model: nn.Module, stage: str, channels: int, read: int) -> int:
    """Into how many parts the source's channels fall, of which each channel reads one."""
    from torch import nn

    from mnist_core.inspection.stages import module_of

    module = module_of(model, stage)
    if isinstance(module, nn.Conv2d):
        return module.groups
    return channels if channels == read and not isinstance(module, nn.Linear) else 1


def strongest(values: np.ndarray, keep: Iterable[int] = (), most: int = MOST) -> list[int]:
    """The channels of (channels, rows, columns) with the largest absolute value, in their order.

    `keep`: channels that are among them in any case.
    """
    peaks = np.abs(values).max(axis=(1, 2))
    peaks[[at for at in keep if at < len(peaks)]] = np.inf
    return sorted(np.argsort(-peaks, kind="stable")[:most].tolist())


def strongest_place(values: np.ndarray) -> tuple[int, ...]:
    """Where the largest absolute value is."""
    return tuple(int(at) for at in np.unravel_index(np.abs(values).argmax(), values.shape))


def patch_of(column: Column, values: np.ndarray, place: Sequence[int]) -> np.ndarray:
    """(h, w): what the column's window reads of one map of its source at (row, column).

    NaN where it lies in padding; all of the map without a window.
    """
    if column.window is None:
        return values
    patch = []
    for axis, length in enumerate(values.shape):
        patch.append(
            [at if 0 <= at < length else -1 for at in column.window.reads(axis, place[axis])]
        )
    padded = np.pad(values.astype(np.float64), (0, 1), constant_values=np.nan)
    return padded[np.ix_(*patch)]
