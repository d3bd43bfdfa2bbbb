"""Where a trial's value lies on an axis: a number, its logarithm, or the place of a choice."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_core.formatting import field_name, number, short_count
from mnist_core.sweeps.space import Dimension, Options, Range
from mnist_core.sweeps.table import StudyTable, TrialRow

UNUSED = "not used"  # of a field that the trial's other values leave without effect
GAP = 0.08  # of the axis, between its end and the values that are not used
DECADES = (1, 2, 5)


@dataclass(frozen=True)
class FieldAxis:
    """The axis of one varied field."""

    name: str
    dimension: Dimension

    @property
    def title(self) -> str:
        return field_name(self.name).capitalize()

    @property
    def choices(self) -> tuple[Any, ...]:
        """All values in their order, of a field without a range."""
        if isinstance(self.dimension, Range):
            return ()
        found = self.dimension.options
        numbers = all(isinstance(value, (int, float)) for value in found)
        return tuple(sorted(found)) if numbers else found

    @property
    def log(self) -> bool:
        return isinstance(self.dimension, Range) and self.dimension.log

    def place(self, value: Any) -> float:
        if isinstance(self.dimension, Options):
            return float(self.choices.index(value))
        return math.log10(value) if self.log else float(value)

    @property
    def ends(self) -> tuple[float, float]:
        if isinstance(self.dimension, Range):
            return self.place(self.dimension.low), self.place(self.dimension.high)
        return 0.0, max(len(self.choices) - 1.0, 1.0)

    def share(self, value: Any) -> float:
        """The place from 0 to 1."""
        low, high = self.ends
        return (self.place(value) - low) / (high - low)

    def ticks(self) -> dict[str, list[Any]]:
        low, high = self.ends
        if not isinstance(self.dimension, Range):
            places = [float(place) for place in range(len(self.choices))]
            return {"tickvals": places, "ticktext": [number(value) for value in self.choices]}
        values = _decades(low, high) if self.log else _even(low, high, self.dimension.whole)
        return {
            "tickvals": [self.place(value) for value in values],
            "ticktext": [number(value).replace("e-0", "e-") for value in values],
        }

    def layout(self) -> dict[str, Any]:
        """Of a chart's axis: the field's name, ticks, and room at both ends."""
        low, high = self.ends
        room = 0.5 if self.choices else 0.04 * (high - low)
        return {
            "title": {"text": self.title, "standoff": 4},
            "range": [low - room, high + room],
            "zeroline": False,
            "fixedrange": True,
            **self.ticks(),
        }


def axis_of(table: StudyTable, name: str) -> FieldAxis:
    return FieldAxis(name, table.plan.space.dimensions[name])


def with_values(rows: Iterable[TrialRow], *names: str) -> list[TrialRow]:
    """The trials that have an accuracy, and a value of each of these fields."""
    return [
        row
        for row in rows
        if row.accuracy is not None and all(name in row.values for name in names)
    ]


def count_ticks(counts: Sequence[float]) -> dict[str, list[Any]]:
    """Ticks such as 5k and 10k on a logarithmic axis of counts, a little beyond their ends."""
    low, high = math.log10(min(counts, default=1) / 1.5), math.log10(max(counts, default=10) * 1.5)
    values = _decades(low, high)
    return {"tickvals": values, "ticktext": [_count(value) for value in values]}


def _count(value: float) -> str:
    return short_count(round(value)).replace(".0", "")


def _decades(low: float, high: float) -> list[float]:
    """Round numbers between two powers of ten, few enough to be written side by side."""
    powers = range(math.floor(low), math.ceil(high) + 1)
    digits = DECADES if high - low < 2 else (1,)
    values = [float(f"{digit}e{power}") for power in powers for digit in digits]
    return [value for value in values if low - 1e-9 <= math.log10(value) <= high + 1e-9]


def _even(low: float, high: float, whole: bool) -> list[float]:
    raw = (high - low) / 4
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(s * power for s in (1, 2, 2.5, 5, 10) if s * power >= raw - 1e-12)
    step = max(1.0, round(step)) if whole else step
    places = range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)
    values = [float(f"{place * step:.6g}") for place in places]
    return [int(value) for value in values] if whole else values
