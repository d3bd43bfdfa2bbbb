"""One unit taken apart: what it sees, its kernel, the products, their sum, the activation."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import numpy as np
import streamlit as st

from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.formatting import short_number, signed_number
from mnist_core.imaging import tiles
from mnist_core.inspection import feature_maps
from mnist_core.inspection.unit import Unit, afterwards, take_apart, weighted_stages
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.playground.layers import maps_of
from pages.components.playground.networks import network
from pages.components.shared.common import SAME_WEIGHTS, show_errors

if TYPE_CHECKING:
    from mnist_core.inspection.receptive_field import Field

MAP_SIDE = 198  # pixels of the two maps
MOST_INPUTS = 12  # products that are listed


@st.fragment
@show_errors
def unit(run: Run, image: np.ndarray) -> None:
    """Choose a stage, a channel and a pixel; see real numbers add up to the pixel shown."""
    loaded = network(run)
    maps = maps_of(loaded, image)
    one = take_apart(loaded.model, maps, *choose(loaded, maps))
    with st.container(horizontal=True, gap="medium"):
        show_field(run, maps, one)
        show_map(maps, one)
        show_sum(loaded, maps, one)
    show_arithmetic(one)


def choose(loaded: Network, maps: dict[str, np.ndarray]) -> tuple[str, tuple[int, int, int]]:
    """The unit: by default the one of the first stage that answers most strongly."""
    with st.container(horizontal=True, gap="medium"):
        stage = st.selectbox(
            "Stage",
            weighted_stages(loaded.model, maps),
            format_func=lambda name: f"{name} · {feature_maps.kind_of(loaded.model, name)}",
            key=f"play_unit_stage_{loaded.run.config.model}",
            persist_state="session",
            help="The stages that multiply and sum: convolutions and linear layers.",
            width=220,
        )
        values = maps[stage].reshape(len(maps[stage]), *(maps[stage].shape[1:] or (1, 1)))
        key = f"play_unit_{loaded.run.config.model}_{stage}"
        channel = _whole("Channel", len(values), f"{key}_channel", _strongest(values)[0])
        _, row, column = _strongest(values[channel : channel + 1])
        # Another channel begins at its own strongest place.
        row = _whole("Row", values.shape[1], f"{key}_{channel}_row", row)
        column = _whole("Column", values.shape[2], f"{key}_{channel}_column", column)
    return stage, (channel, row, column)


def _strongest(values: np.ndarray) -> tuple[int, ...]:
    return tuple(int(at) for at in np.unravel_index(np.abs(values).argmax(), values.shape))


def _whole(label: str, count: int, key: str, value: int) -> int:
    """A number from 0 to count - 1; 0 without a choice where there is only one."""
    if count == 1:
        return 0
    return st.number_input(
        label,
        min_value=0,
        max_value=count - 1,
        value=value,
        key=key,
        width=130,
        help=f"From 0 to {count - 1}; starts at the strongest.",
    )


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=SAME_WEIGHTS)
def _fields(run: Run) -> dict[str, Field]:
    from mnist_core.inspection.receptive_field import trace_fields

    return trace_fields(network(run).model, run.config.input_size)


def show_field(run: Run, maps: dict[str, np.ndarray], one: Unit) -> None:
    """The image with the part of it that the unit can see."""
    size = maps["input"].shape[-1]
    try:
        field = _fields(run)[one.stage]
        flat = len(field.shape) == 1
        box = field.box(0, 0) if flat else field.box(*one.place[1:])
        words = f"Sees {box[2] - box[0]}×{box[3] - box[1]} of {size}×{size} pixels"
    except LabError:
        box, words = (0, 0, size, size), "Its receptive field is not known"
    picture = tiles.outlined(maps["input"][0], box, MAP_SIDE, grey=True)
    st.image(
        picture, caption=f"**Receptive field** {words}", alt="The image with the receptive field"
    )


def show_map(maps: dict[str, np.ndarray], one: Unit) -> None:
    """The channel with the unit marked."""
    values = maps[one.stage]
    if values.ndim != 3:
        return
    channel, row, column = one.place
    picture = tiles.outlined(values[channel], (row, column, row + 1, column + 1), MAP_SIDE)
    st.image(
        picture,
        caption=f"**{one.stage}, channel {channel}** the pixel in row {row}, column {column}",
        alt=f"Channel {channel} of {one.stage} with the unit",
    )


def show_sum(loaded: Network, maps: dict[str, np.ndarray], one: Unit) -> None:
    """Products, bias, sum, the network's own value, and what the next stages make of it."""
    lines = [
        (f"{one.products.size:,} products add up to", one.products.sum()),
        ("the bias adds", one.bias),
        ("<b>together</b>", one.total),
        ("the network itself computed", one.value),
    ]
    for stage, value in afterwards(loaded.model, maps, one.stage, one.place).items():
        kind = feature_maps.kind_of(loaded.model, stage)
        lines.append((escape(f"after {stage} ({kind})"), value))
    rows = [[words, "", signed_number(value)] for words, value in lines]
    with st.container(width=330):
        st.html(markup.table(["This unit", "", "value"], rows))


def show_arithmetic(one: Unit) -> None:
    """Patch, kernel and products of one channel that the unit reads, as numbers."""
    shares = one.by_channel
    if one.patch.shape[1:] == (1, 1):
        return show_inputs(one)
    reads = 0
    if len(shares) > 1:
        order = np.abs(shares).argsort()[::-1].tolist()
        st.markdown(f"What each of the {len(shares)} channels of **{one.source}** contributes")
        st.html(markup.number_grid(tiles.in_rows(shares, 12)))
        reads = st.selectbox(
            f"Channel of {one.source}",
            order,
            format_func=lambda at: f"{at} · contributes {signed_number(float(shares[at]))}",
            key=f"play_unit_{one.stage}_{one.place[0]}_{len(shares)}_reads",
            width=220,
            help="The one that contributes most comes first.",
        )
    patch, kernel, products = one.patch[reads], one.kernel[reads], one.products[reads]
    parts = (("Patch", patch, ""), ("Kernel", kernel, "×"), ("Products", products, "="))
    with st.container(horizontal=True, gap="medium"):
        for name, values, sign in parts:
            total = f" · sum {signed_number(float(values.sum()))}" if name == "Products" else ""
            with st.container(width="content"):
                st.markdown(f"{sign} **{name}**{total}")
                st.html(markup.number_grid(values))


def show_inputs(one: Unit) -> None:
    """Of a linear layer, or a 1×1 convolution: the inputs that add most, and the rest as a sum."""
    products = one.products[:, 0, 0]
    order = np.abs(products).argsort()[::-1][:MOST_INPUTS]
    rows = []
    for at in order.tolist():
        numbers = one.patch[at, 0, 0], one.kernel[at, 0, 0], products[at]
        rows.append([f"{at}", "", *map(short_number, numbers)])
    rest = len(products) - len(order)
    if rest:
        left = products.sum() - products[order].sum()
        rows.append([f"the other {rest}", "", "", "", short_number(left)])
    head = [f"Input of {one.source}", "", "value", "× weight", "= product"]
    st.html(markup.table(head, rows))
