"""The arithmetic of one unit as HTML: what it reads, times its weights, the sum, the activation."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from html import escape

import numpy as np

from mnist_core.evaluation.network import Network
from mnist_core.formatting import short_number, signed_number
from mnist_core.inspection import feature_maps
from mnist_core.inspection.unit import Unit, afterwards
from pages.components.playground import markup

MOST_INPUTS = 12  # products that are listed
MOST_CHANNELS = 24


def arithmetic(
    loaded: Network,
    maps: Mapping[str, np.ndarray],
    one: Unit,
    source: str,
    reads: int,
    first: int = 0,
) -> str:
    """All of it. `source`: what the page calls the layer before; `reads`: of the channels that the
    unit reads, the one whose patch and kernel are written out; `first`: the number of the first of
    them in the layer before."""
    if one.patch.shape[1:] != (1, 1):
        return by_channel(one, source, reads, first) + sums(loaded, maps, one)
    return f'<div class="play-product">{inputs(one, source, maps)}{sums(loaded, maps, one)}</div>'


def sums(loaded: Network, maps: Mapping[str, np.ndarray], one: Unit) -> str:
    """Products, bias, sum, the network's own value, and what the next stages make of it."""
    count = one.products.size
    lines = [
        ("1 product is" if count == 1 else f"{count:,} products add up to", one.products.sum()),
        ("the bias adds", one.bias),
        ("<b>together</b>", one.total),
        ("the network itself computed", one.value),
    ]
    for stage, value in afterwards(loaded.model, maps, one.stage, one.place).items():
        kind = feature_maps.kind_of(loaded.model, stage)
        lines.append((escape(f"after {stage} ({kind})"), value))
    rows = [[words, "", signed_number(value)] for words, value in lines]
    return f'<div class="play-sum">{markup.table(["This unit", "", "value"], rows)}</div>'


def by_channel(one: Unit, source: str, reads: int, first: int) -> str:
    """Patch, kernel and products of one channel that the unit reads, and what each other adds."""
    patch, kernel, products = one.patch[reads], one.kernel[reads], one.products[reads]
    parts = []
    for name, values, sign in (("patch", patch, ""), ("kernel", kernel, "×"), ("", products, "=")):
        words = name or f"sum {signed_number(float(products.sum()))}"
        grid = markup.number_grid(values)
        parts.append(f'<div><span class="play-sign">{sign}</span> {words}{grid}</div>')
    return f'{_channels(one, source, reads, first)}<div class="play-product">{"".join(parts)}</div>'


def _channels(one: Unit, source: str, reads: int, first: int) -> str:
    """A button for each channel that it reads, in the order of what they add."""
    shares = one.by_channel
    if len(shares) == 1:
        return ""
    order = np.abs(shares).argsort()[::-1].tolist()
    listed = order[:MOST_CHANNELS]
    buttons = "".join(
        f'<button type="button" data-reads="{first + at}" aria-pressed="{pressed}">'
        f"<b>{first + at}</b> {signed_number(float(shares[at]))[:-2]}</button>"
        for at in listed
        for pressed in ("true" if at == reads else "false",)
    )
    rest = len(order) - len(listed)
    if rest:
        left = float(shares.sum() - shares[listed].sum())
        buttons += f"<span>the other {rest} add {signed_number(left)}</span>"
    return f'<div class="play-channels">each map of {escape(source)} adds: {buttons}</div>'


def inputs(one: Unit, source: str, maps: Mapping[str, np.ndarray]) -> str:
    """Of a linear layer, or a 1×1 convolution: the inputs that add most, and the rest as a sum."""
    shape = _shape_before(one, maps)
    products = one.products[:, 0, 0]
    order = np.abs(products).argsort()[::-1][:MOST_INPUTS]
    rows = []
    for at in order.tolist():
        numbers = one.patch[at, 0, 0], one.kernel[at, 0, 0], products[at]
        rows.append([_input_name(at, len(products), shape), "", *map(short_number, numbers)])
    rest = len(products) - len(order)
    if rest:
        left = products.sum() - products[order].sum()
        words = "the other one" if rest == 1 else f"the other {rest}"
        rows.append([words, "", "", "", short_number(left)])
    head = [f"From {source}", "", "value", "× weight", "= product"]
    return f'<div class="play-inputs">{markup.table(head, rows)}</div>'


def _shape_before(one: Unit, maps: Mapping[str, np.ndarray]) -> tuple[int, ...]:
    """The shape of the values that the unit reads, before they became one row."""
    names = list(maps)
    before = names[max(0, names.index(one.source) - 1)]
    return maps[before if one.source.startswith("flatten") else one.source].shape


def _input_name(at: int, count: int, shape: tuple[int, ...]) -> str:
    """What the input of this number is, of `count`, in values of this shape."""
    if len(shape) < 3 or shape[1:] == (1, 1):
        return f"unit {at}"
    if count != math.prod(shape):  # a 1×1 convolution: one value of each map
        return f"map {at}"
    channel, row, column = np.unravel_index(at, shape)
    return f"map {channel}, row {row}, column {column}"


def pooled(patch: np.ndarray, kind: str, after: Sequence[tuple[str, float]]) -> str:
    """What a unit of a pooling stage reads, and its value after each stage of its column."""
    rows = [[escape(words), "", signed_number(value)] for words, value in after]
    table = markup.table(["This unit", "", "value"], rows)
    grid = f"<div>{escape(kind)} of{markup.number_grid(patch)}</div>" if patch.size else ""
    return f'<div class="play-product">{grid}</div><div class="play-sum">{table}</div>'
