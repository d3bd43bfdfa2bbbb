"""Accuracy over two fields of a config, all others unchanged. Loads without torch."""

import functools
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from itertools import product
from typing import Any

from mnist_core.analysis.describe import used_fields
from mnist_core.analysis.diagnosis import learned
from mnist_core.config import ACTIVATIONS, RunConfig
from mnist_core.data.augment import AUGMENTATIONS
from mnist_core.errors import InputError
from mnist_core.models.grid import AXES
from mnist_core.runs.run import Run

# The fields of a config that can be an axis of a landscape.
FIELDS = (
    *(*AXES, "momentum", "weight_decay", "label_smoothing"),
    *(*AUGMENTATIONS, "warmup", "ema", "seed"),
)
MOST_MORE = 12  # values on an axis that its slider does not have


@dataclass(frozen=True)
class Cell:
    """A config with certain values of the two fields; `run` is None when it was not trained."""

    config: RunConfig
    run: Run | None

    @property
    def accuracy(self) -> float | None:
        """The best validation accuracy; None without a finished epoch."""
        return self.run.summary.validation_accuracy if self.run else None


@dataclass(frozen=True)
class Landscape:
    """The cells of two fields, `x` and `y`, by their values.

    There is a cell for each value in `xs` and each in `ys` that together make a valid config.
    """

    x: str
    y: str
    xs: tuple[Any, ...]
    ys: tuple[Any, ...]
    cells: dict[tuple[Any, Any], Cell]

    @functools.cached_property
    def best(self) -> Cell | None:
        """The cell of the highest validation accuracy; None where no run has learned anything."""
        return _best(self.cells.values())

    def best_of_row(self, y: Any) -> Cell | None:
        """The same among the cells with this value of the second field."""
        return _best(cell for (_, value), cell in self.cells.items() if value == y)


def _best(cells: Iterable[Cell]) -> Cell | None:
    able = [cell for cell in cells if learned(cell.accuracy or 0.0, cell.config.dataset)]
    return max(able, key=lambda cell: cell.accuracy or 0.0, default=None)


def landscape(config: RunConfig, runs: Iterable[Run], x: str, y: str) -> Landscape:
    """The runs that differ from `config` in the fields `x` and `y` only."""
    others = _others(config, x, y)
    found = {
        (getattr(run.config, x), getattr(run.config, y)): run
        for run in runs
        if (run.config.model, run.config.dataset) == (config.model, config.dataset)
        and _others(run.config, x, y) == others
    }
    best = sorted(found, key=lambda point: found[point].summary.validation_accuracy or 0.0)[::-1]
    xs, ys = (
        _values(field, getattr(config, field), [point[axis] for point in best])
        for axis, field in enumerate((x, y))
    )
    cells = {}
    for a, b in product(xs, ys):
        with suppress(InputError):  # a plateau's lowest rate may lie above a smaller one
            cells[a, b] = Cell(config.replace(**{x: a, y: b}), found.get((a, b)))
    return Landscape(x, y, xs, ys, cells)


@functools.lru_cache(maxsize=20_000)  # each rerun of a page asks for all runs again
def _others(config: RunConfig, x: str, y: str) -> frozenset[tuple[str, Any]]:
    return frozenset((k, v) for k, v in used_fields(config).items() if k not in (x, y))


def _values(field: str, here: Any, present: Iterable[Any]) -> tuple[Any, ...]:
    """The slider's values and the present one, and those of the runs, in order.

    `present`: the runs' values, those of the best runs first. A search may have tried hundreds: of
    those that the slider does not have, the first MOST_MORE are taken.
    """
    known = {*AXES.get(field, ()), here}
    more = [value for value in dict.fromkeys(present) if value not in known]
    values = {*known, *more[:MOST_MORE]}
    return tuple(sorted(values, key=ACTIVATIONS.index if field == "activation" else None))
