"""The unit that the visitor chose in the network: its place, its maps, and its arithmetic."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from html import escape
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.formatting import sentence
from mnist_core.imaging import tiles
from mnist_core.inspection.columns import Column, patch_of, strongest_place
from mnist_core.inspection.feature_maps import kind_of
from mnist_core.inspection.unit import Unit, take_apart, weighted_stages
from pages.components.playground import markup
from pages.components.playground.arithmetic import arithmetic, pooled

LINK = "play_unit"
Maps = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Chosen:
    """A unit by its column's first stage, channel, row and column; what is None is the server's
    choice. `reads`: the channel of the layer before whose patch is written out."""

    stage: str
    channel: int
    row: int | None = None
    col: int | None = None
    reads: int | None = None

    @staticmethod
    def read(given: Mapping[str, Any]) -> Chosen | None:
        """What a browser sent or a link holds; None for what is no unit."""
        stage, channel = given.get("stage"), given.get("channel")
        rest = [given.get(name) for name in ("row", "col", "reads")]
        known = isinstance(stage, str) and _whole(channel)
        if not known or not all(at is None or _whole(at) for at in rest):
            return None
        return Chosen(stage, channel, *rest)  # type: ignore[arg-type]

    @staticmethod
    def from_link(text: str) -> Chosen | None:
        """Such as "conv2:3:4:5", channel, row and column."""
        stage, *numbers = text.split(":")
        whole = [int(at) for at in numbers if at.isascii() and at.isdigit() and len(at) < 7]
        if len(whole) != len(numbers) or not 1 <= len(numbers) <= 4:
            return None
        return Chosen(stage, *whole)

    def link(self) -> str:
        """As `from_link` reads it."""
        numbers = (self.channel, self.row, self.col, self.reads)
        return ":".join([self.stage, *(str(at) for at in numbers if at is not None)])


def _whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def remember_unit(key: str) -> None:
    """A click in the component `key`: the unit is kept, also in the address bar."""
    given = st.session_state[key].get("unit")
    choose(Chosen.read(given) if isinstance(given, dict) else None)


def choose(one: Chosen | None) -> None:
    st.session_state[LINK] = one
    if one is None:
        st.query_params.pop(LINK, None)
    else:
        st.query_params[LINK] = one.link()


def follow_unit_link() -> None:
    """Once in a session: the unit that the address bar names."""
    if LINK not in st.session_state:
        st.session_state[LINK] = Chosen.from_link(st.query_params.get(LINK, ""))


def chosen_unit(loaded: Network, found: Sequence[Column], maps: Maps) -> dict[str, Any] | None:
    """The chosen unit as strip.js shows it; None without one, or where this network lacks it."""
    one: Chosen | None = st.session_state.get(LINK)
    at = next((n for n, column in enumerate(found) if one and column.name == one.stage), None)
    if one is None or at is None:
        return None
    column = found[at]
    values = column.values(maps)
    if one.channel >= len(values):
        return None
    row, col = place_of(values[one.channel], one)
    one = replace(one, row=row, col=col)
    source = None if column.source is None else found[column.source]
    html, reads = explain(loaded, maps, column, source, one)
    read = None if source is None or reads is None else _map(source, maps, reads)
    own = None if column.flat else _map(column, maps, one.channel)
    return asdict(replace(one, reads=reads)) | {
        "column": at,
        "html": html,
        "own": own,
        "read": read,
    }


def chosen_channel(column: Column) -> int | None:
    """The channel of the chosen unit, where it is one of this column."""
    one: Chosen | None = st.session_state.get(LINK)
    return one.channel if one and one.stage == column.name else None


def place_of(values: np.ndarray, one: Chosen) -> tuple[int, int]:
    """The chosen row and column, or those of the strongest value."""
    rows, cols = values.shape
    if one.row is not None and one.col is not None and one.row < rows and one.col < cols:
        return one.row, one.col
    row, col = strongest_place(values)
    return row, col


def explain(
    loaded: Network, maps: Maps, column: Column, source: Column | None, one: Chosen
) -> tuple[str, int | None]:
    """The arithmetic as HTML, and the channel of the source whose patch it writes out, if any."""
    place = (one.channel, one.row or 0, one.col or 0)
    if source is None:
        return "", None
    if column.name not in weighted_stages(loaded.model, maps):
        return _unweighted(loaded, maps, column, source, place)
    try:
        unit = take_apart(loaded.model, maps, column.name, place)
    except LabError as error:
        return markup.note(escape(sentence(error))), None
    first = one.channel * column.groups // column.shape[0] * len(unit.by_channel)
    reads = _reads(unit, one, first)
    name = "image" if source.source is None else source.name
    html = arithmetic(loaded, maps, unit, name, reads, first)
    return html, None if source.flat or (column.flat and unit.patch.shape[1:] == (1, 1)) else (
        first + reads
    )


def _reads(unit: Unit, one: Chosen, first: int) -> int:
    """Among the channels that the unit reads the chosen one, or the one that adds most."""
    shares = np.abs(unit.by_channel)
    if one.reads is not None and first <= one.reads < first + len(shares):
        return one.reads - first
    return int(shares.argmax())


def _unweighted(
    loaded: Network, maps: Maps, column: Column, source: Column, place: tuple[int, int, int]
) -> tuple[str, int | None]:
    """Of pooling and the like: what the unit reads of the one map, and what becomes of it."""
    stages = [stage for stage in column.stages if len(maps[stage].shape) == len(column.shape)]
    after = [
        (f"after {stage} ({kind_of(loaded.model, stage)})", float(_at(maps[stage], place)))
        for stage in stages
    ]
    if column.groups != column.shape[0]:
        return pooled(np.zeros((0, 0)), "", after), None
    patch = patch_of(column, source.values(maps)[place[0]], place[1:])
    return pooled(patch, kind_of(loaded.model, column.name), after), place[0]


def _at(values: np.ndarray, place: tuple[int, int, int]) -> float:
    return float(values[place[: values.ndim]])


def _map(column: Column, maps: Maps, channel: int) -> dict[str, Any]:
    """One map of a column as a picture, in the column's colours."""
    values, grey = column.values(maps), column.source is None
    indices, _, _ = tiles.colour_indices(values, grey=grey)
    name = "image" if grey else column.name
    pixels = base64.b64encode(np.ascontiguousarray(indices[channel]).tobytes()).decode()
    height, width = values.shape[1:]
    return {
        "name": name,
        "channel": channel,
        "height": height,
        "width": width,
        "grey": grey,
        "pixels": pixels,
    }
