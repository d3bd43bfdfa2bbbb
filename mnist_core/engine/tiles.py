"""How many results a kernel holds in registers at once."""

from __future__ import annotations

from collections.abc import Callable

LATENCY = 8  # sums that two multiply-add units need at once to be kept busy


def correlation_tile(
    outs: int, registers: int, taps: Callable[[int, int], int], width: int
) -> tuple[int, int]:
    """Pixels of a row × output channels that make the quickest tile for such an output.

    `taps(first, last)` is how many columns of the kernel meet the input for any of these pixels:
    a wide tile at the edge also multiplies zeros.
    """
    return min(
        _sizes(min(width, 8), min(outs, 28), registers),
        key=lambda size: sum(
            taps(x, min(x + size[0], width) - 1)
            * count
            * _cycles(min(size[0], width - x), channels)
            for x in range(0, width, size[0])
            for channels, count in _parts(outs, size[1])
        ),
    )


def gradient_tile(inner: int, outs: int, registers: int) -> tuple[int, int]:
    """Taps (or input channels, or vectors of inputs) × outputs of a weights' gradient."""
    return min(
        _sizes(min(inner, 8), min(outs, 16), registers),
        key=lambda size: sum(
            columns * rows * _cycles(across, down)
            for across, columns in _parts(inner, size[0])
            for down, rows in _parts(outs, size[1])
        ),
    )


def _sizes(widest: int, highest: int, registers: int) -> list[tuple[int, int]]:
    """The tiles that fit into the registers; one row is held beside the sums."""
    return [
        (across, down)
        for across in range(widest, 0, -1)
        for down in range(1, highest + 1)
        if across * down + across < registers - 2
    ]


def _parts(size: int, part: int) -> list[tuple[int, int]]:
    """Whole parts and the rest: their size and number."""
    return [(part, size // part), (size % part, 1)] if size % part else [(part, size // part)]


def _cycles(across: int, down: int) -> float:
    """Two products a cycle; loads run beside them, but some wait for the second cache."""
    return max(across * down, LATENCY) / 2 + 0.15 * (across + down) + 1
