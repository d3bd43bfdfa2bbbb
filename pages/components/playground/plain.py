"""The network's maps as plain pictures, and one unit by number fields.

For browsers in which the network's own part of the page does not run.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import streamlit as st

from mnist_core.evaluation.network import Network
from mnist_core.formatting import number_range
from mnist_core.imaging import tiles
from mnist_core.inspection import feature_maps
from mnist_core.inspection.columns import Column
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.maps import maps_of
from pages.components.playground.networks import network
from pages.components.playground.strip import columns_of
from pages.components.playground.unit import Chosen, choose, explain, follow_unit_link, place_of
from pages.components.shared.common import show_errors
from pages.components.shared.terms import see

OWN, SHARED = "own", "shared"


@st.fragment
@show_errors
def plain(run: Run, image: np.ndarray) -> None:
    """One picture for each stage of the network, with what it is, its shape and its scale."""
    one = network(run)
    maps = maps_of(one, image)
    scale = st.segmented_control(
        "Colour scale",
        [OWN, SHARED],
        default=OWN,
        format_func=lambda scale: "one per stage" if scale == OWN else "one for all",
        key="play_scale",
        required=True,
        persist_state="session",
        help="One per stage shows what is in each; one for all shows which are strong."
        + see("feature map"),
    )
    limit = None
    if scale == SHARED:  # the image has its own grey
        limit = max(float(np.abs(maps[name]).max()) for name in maps if name != "input")
    pictures = [stage_figure(one, name, values, limit) for name, values in maps.items()]
    st.html(markup.figures([*pictures, *kernels_figure(one)]))
    unit(one, columns_of(run), maps)


def stage_figure(one: Network, name: str, values: np.ndarray, limit: float | None) -> str:
    """A stage's maps as one picture."""
    grey, kind = name == "input", feature_maps.kind_of(one.model, name)
    picture = tiles.tile(values, 256, 256, grey=grey, limit=None if grey else limit)
    shape = " × ".join(map(str, values.shape))
    what = f"<b>{name}</b> · {kind}" if kind != name else f"<b>{name}</b>"
    caption = f"{what}<br>{shape} · {number_range(values.min(), values.max())}"
    width = picture.indices.shape[1]
    return markup.figure(picture.png(), width, caption, f"Output of stage {name}, {shape}")


def kernels_figure(one: Network) -> list[str]:
    """What the first convolution looks for."""
    found = feature_maps.first_kernels(one.model)
    if found is None:
        return []
    name, kernels = found
    count, height, width = kernels.shape
    picture = tiles.tile(kernels, 340, 200)
    caption = f"<b>{name}</b> {count} kernels of {height}×{width}"
    side = picture.indices.shape[1]
    return [markup.figure(picture.png(), side, caption, f"Kernels of {name}")]


def unit(one: Network, found: list[Column], maps: Mapping[str, np.ndarray]) -> None:
    """A unit by its numbers, and its arithmetic."""
    follow_unit_link()
    by_name = {column.name: column for column in found[1:]}
    kept = st.session_state.get("play_unit")
    names = list(by_name)
    with st.container(horizontal=True, gap="medium"):
        name = st.selectbox(
            "Layer",
            names,
            index=names.index(kept.stage) if kept and kept.stage in names else 0,
            key=f"play_plain_layer_{network_of(one.run.config)}",
            help="Its units follow: one number, or a map of them, for each channel.",
            width=220,
        )
        column = by_name[name]
        values = column.values(maps)
        start = kept if kept and kept.stage == name else Chosen(name, 0)
        channel = _whole("Channel", len(values), f"{name}_channel", start.channel)
        row, col = place_of(values[channel], start)
        row = _whole("Row", values.shape[1], f"{name}_row_{channel}", row)
        col = _whole("Column", values.shape[2], f"{name}_column_{channel}", col)
    chosen = Chosen(name, channel, row, col)
    choose(chosen)
    source = found[column.source] if column.source is not None else None
    st.html(explain(one, maps, column, source, chosen)[0])


def _whole(label: str, count: int, key: str, value: int) -> int:
    """A number from 0 to count - 1; 0 without a choice where there is only one."""
    if count == 1:
        return 0
    return st.number_input(
        label,
        min_value=0,
        max_value=count - 1,
        value=min(value, count - 1),
        key=f"play_plain_{key}",
        width=130,
        help=f"From 0 to {count - 1}.",
    )
