"""The network from left to right: every layer's maps, and the arithmetic of the unit one clicks.

The browser draws (strip.js); every number comes from here.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import streamlit as st

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.formatting import short_number
from mnist_core.imaging import tiles
from mnist_core.inspection import feature_maps
from mnist_core.inspection.columns import MOST, Column, columns, strongest
from mnist_core.inspection.flip import Maps, flip, most_changed
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.maps import maps_of
from pages.components.playground.networks import network
from pages.components.playground.unit import (
    chosen_channel,
    chosen_unit,
    follow_unit_link,
    remember_unit,
)
from pages.components.shared.cache import cached, weights_of
from pages.components.shared.common import show_errors

HERE = Path(__file__)
HINT = "Click a map, or press Enter on it: it grows, and shows how each of its pixels is computed."
KEY = "play_network"

_component = st.components.v2.component(
    "lab_network_strip",
    html=HERE.with_suffix(".html").read_text("utf-8"),
    css=HERE.with_suffix(".css").read_text("utf-8") + markup.PIECES,
    js=HERE.with_suffix(".js").read_text("utf-8"),
)


@st.fragment
@show_errors
def strip(run: Run, image: np.ndarray | None, before: np.ndarray | None = None) -> None:
    """The network's columns for one (28, 28) image; empty maps without one.

    `before`: the image before the visitor's last stroke; what changed since is marked.
    """
    follow_unit_link()
    loaded = network(run)
    found = columns_of(run)
    maps = None if image is None else maps_of(loaded, image)
    old = None if before is None else maps_of(loaded, before)
    classes = dataset_spec(run.config.dataset).classes
    data = {
        "network": run.id,
        "palette": _coded(tiles.scale_colours(False)),
        "grey": _coded(tiles.scale_colours(True)),
        "empty": maps is None,
        "hint": HINT,
        "flip": _flip(loaded, found, old, maps, classes),
        "columns": [_column(loaded, each, maps, old, classes) for each in found],
        "chosen": None if maps is None else chosen_unit(loaded, found, maps),
    }
    _component(data=data, key=KEY, on_unit_change=lambda: remember_unit(KEY))


@cached(weights_of)
def columns_of(run: Run) -> list[Column]:
    """The columns of the run's network."""
    from mnist_core.inspection.receptive_field import trace_fields
    from mnist_core.inspection.stages import UnsupportedOperation

    loaded = network(run)
    blank = maps_of(loaded, np.zeros((28, 28), np.uint8))
    try:
        fields = trace_fields(loaded.model, run.config.input_size)
    except UnsupportedOperation:
        fields = {}
    return columns(loaded.model, blank, fields)


def _column(
    loaded: Network,
    column: Column,
    maps: Maps | None,
    old: Maps | None,
    classes: tuple[str, ...],
) -> dict[str, Any]:
    """What strip.js needs to know of a column."""
    height, width = column.shape[1:] if len(column.shape) == 3 else (1, 1)
    known: dict[str, Any] = {
        "name": "image" if column.source is None else column.name,
        "kind": column.kind if column.source is not None else f"{height}×{width}",
        "size": "" if column.flat or column.source is None else f"{height}×{width}",
        "of": column.shape[0],
        "height": height,
        "width": width,
        "flat": column.flat,
        "grey": column.source is None,
        "source": column.source,
        "window": _window(column),
        "groups": column.groups,
        "rows": column.rows,
        "cols": column.cols,
    }
    if maps is None:
        shown = list(range(min(column.shape[0], MOST)))
        values: dict[str, Any] = {"ids": shown, "low": 0.0, "high": 1.0, "pixels": ""}
    else:
        changed = None if old is None else most_changed(column, old, maps)
        chosen = chosen_channel(column)
        keep = [at for at in (changed, chosen) if at is not None]
        values = _values(column, column.values(maps), keep) | {"changed": changed}
    if column.flat and column.shape[0] == len(classes):
        known["names"] = [classes[at] for at in values["ids"]]
    return known | values | _kernels(loaded, column, values["ids"])


def _flip(
    loaded: Network,
    found: list[Column],
    old: Maps | None,
    maps: Maps | None,
    classes: tuple[str, ...],
) -> dict[str, Any] | None:
    """What turned the answer, in words, and the unit that did most; None where nothing did."""
    last = found[-1]
    if old is None or maps is None or last.source is None:
        return None
    read = found[last.source]
    try:
        turned = flip(loaded.model, last, read, old, maps)
    except LabError:  # the last layer does not multiply and sum
        return None
    if turned is None:
        return None
    first, second = classes[turned.old], classes[turned.new]
    kind, way = "Map", ""
    if read.flat:
        ends = (float(read.values(m)[turned.channel, 0, 0]) for m in (old, maps))
        kind, way = "Unit", "went from {} to {} and ".format(*map(short_number, ends))
    return {
        "words": f"{first} became {second}. {kind} {turned.channel} of {read.name} did most: it "
        f"{way}gave {short_number(turned.share)} of the {short_number(turned.gain)} by which "
        f"{second} gained on {first}.",
        "button": f"Show {kind.lower()} {turned.channel}",
        "column": last.source,
        "channel": turned.channel,
    }


def _values(column: Column, values: np.ndarray, keep: Sequence[int]) -> dict[str, Any]:
    ids = strongest(values, keep)
    indices, low, high = tiles.colour_indices(values, grey=column.source is None)
    found = {"ids": ids, "low": low, "high": high, "pixels": _coded(indices[ids])}
    if column.flat:
        numbers = [float(f"{v:.5g}") for v in values[ids, 0, 0]]
        low, high = min(0.0, *numbers), max(0.0, *numbers)
        found |= {"numbers": numbers, "low": low, "high": high, "pixels": ""}
    return found


def _window(column: Column) -> list[int] | None:
    window = column.window
    if window is None:
        return None
    return [*window.kernel, *window.stride, *window.padding, *window.dilation]


def _kernels(loaded: Network, column: Column, ids: list[int]) -> dict[str, Any]:
    """The kernels of the first convolution, which read the image: the others read maps."""
    found = feature_maps.first_kernels(loaded.model)
    if found is None or found[0].split(".")[0] != column.name:
        return {}
    _, height, width = found[1].shape
    indices, _, _ = tiles.colour_indices(found[1])
    return {"kernels": {"height": height, "width": width, "pixels": _coded(indices[ids])}}


def _coded(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.uint8).tobytes()).decode()
