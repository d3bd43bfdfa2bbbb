"""The space of a search on the page: which settings vary, and between which values."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from mnist_core.config import ACTIVATIONS, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.formatting import field_name, number
from mnist_core.models.grid import AXES
from mnist_core.sweeps.space import Dimension, Options, Range
from pages.components.train.landscape import LAYERS_NAME


@dataclass(frozen=True)
class Choices:
    """Some of these values; all of them at first, or those of `first`."""

    values: Sequence[Any]
    first: Sequence[Any] = ()

    def control(self, label: str, **options: Any) -> Dimension | None:
        chosen = st.pills(
            label,
            self.values,
            selection_mode="multi",
            default=list(self.first or self.values),
            format_func=number,
            wrap=True,
            **options,
        )
        return Options(tuple(value for value in self.values if value in chosen)) if chosen else None


@dataclass(frozen=True)
class Between:
    """A range on an even scale."""

    low: float
    high: float
    step: float
    first: tuple[float, float]

    def control(self, label: str, **options: Any) -> Dimension | None:
        low, high = st.slider(label, self.low, self.high, self.first, self.step, **options)
        return Range(low, high) if low < high else Options((low,))


@dataclass(frozen=True)
class Decades:
    """A range on a logarithmic scale, between two of 1, 2, 5 times powers of ten."""

    powers: tuple[int, int]  # of ten: the lowest and the highest
    first: tuple[float, float]

    def control(self, label: str, **options: Any) -> Dimension | None:
        powers = range(self.powers[0], self.powers[1])
        stops = [float(f"{digit}e{power}") for power in powers for digit in (1, 2, 5)]
        stops.append(10.0 ** self.powers[1])
        low, high = st.select_slider(label, stops, value=self.first, format_func=number, **options)
        return Range(low, high, log=True) if low < high else Options((low,))


FIELDS: dict[str, Choices | Between | Decades] = {
    "lr": Decades((-5, 1), (0.001, 1.0)),
    "batch_size": Choices((16, 32, 64, 128, 256, 512, 1024), AXES["batch_size"]),
    "activation": Choices(ACTIVATIONS),
    "dropout": Between(0.0, 0.9, 0.05, (0.0, 0.5)),
    "optimizer": Choices(OPTIMIZERS),
    "momentum": Between(0.0, 0.99, 0.01, (0.0, 0.99)),
    "weight_decay": Decades((-6, -1), (1e-5, 0.01)),
    "schedule": Choices(SCHEDULES, ("constant", "cosine", "one-cycle")),
    "label_smoothing": Between(0.0, 0.5, 0.01, (0.0, 0.2)),
    "rotation": Between(0.0, 30.0, 1.0, (0.0, 15.0)),
    "shift": Between(0.0, 4.0, 0.5, (0.0, 3.0)),
    "zoom": Between(0.0, 0.3, 0.05, (0.0, 0.2)),
    "shear": Between(0.0, 30.0, 1.0, (0.0, 15.0)),
    "elastic": Between(0.0, 3.0, 0.25, (0.0, 1.5)),
    "flip": Between(0.0, 0.5, 0.1, (0.0, 0.5)),
    "cutout": Choices((0, 4, 6, 8, 10, 12), (0, 6, 10)),
    "warmup": Between(0.0, 5.0, 0.5, (0.0, 2.0)),
    "ema": Choices((0.0, 0.9, 0.99, 0.995, 0.999, 0.9995), (0.0, 0.99, 0.999)),
}


def choose_dimensions(config: RunConfig) -> dict[str, Dimension]:
    """The chosen fields and their values, by name; a field with one value only is fixed."""
    fields = [name for name in FIELDS if not (config.layers and name in LAYERS_NAME)]
    names = st.pills(
        "Settings that vary",
        fields,
        selection_mode="multi",
        default=[name for name in AXES if name in fields],
        format_func=lambda name: field_name(name).capitalize(),
        wrap=True,
        key="search_over_own" if config.layers else "search_over",
        persist_state="session",
        help="All other settings are those of the controls.",
    )
    place = st.grid(2, min_column_width=240)
    found: dict[str, Dimension] = {}
    for name in [name for name in fields if name in names]:
        with place.container():
            label = field_name(name).capitalize()
            help = RunConfig.metadata(name)["help"]
            dimension = FIELDS[name].control(
                label, key=f"search_{name}", persist_state="session", help=help
            )
        if dimension is None:
            dimension = Options((getattr(config, name),))
        found[name] = dimension
    return found
