"""How many results a kernel holds in registers at once."""

from __future__ import annotations

LATENCY = 8  # sums that two multiply-add units need at once to be kept busy


def correlation_tile(width: int, outs: int, registers: int) -> tuple[int, int]:
    """Pixels of a row × output channels that make the quickest tile for such an output."""
    return _quickest(width, outs, 8, 28, registers)


def gradient_tile(inner: int, outs: int, registers: int) -> tuple[int, int]:
    """Taps (or input channels, or vectors of inputs) × outputs of a weights' gradient."""
    return _quickest(inner, outs, 8, 16, registers)


def _quickest(width: int, height: int, widest: int, highest: int, registers: int):
    """The tile for a rectangle of results; one row of it is held beside the sums."""
    sizes = [
        (across, down)
        for across in range(1, min(width, widest) + 1)
        for down in range(1, min(height, highest) + 1)
        if across * down + across < registers - 2
    ]
    return min(sizes, key=lambda size: (_cost(width, height, *size), -size[0]))


def _cost(width: int, height: int, across: int, down: int) -> float:
    """Cycles that one tap takes over the whole: full tiles and the smaller ones left over."""
    columns, rows = _parts(width, across), _parts(height, down)
    return sum(m * n * _cycles(p, q) for p, m in columns for q, n in rows)


def _parts(size: int, part: int) -> list[tuple[int, int]]:
    return [(part, size // part), (size % part, 1)] if size % part else [(part, size // part)]


def _cycles(across: int, down: int) -> float:
    """Two products or two loads a cycle, whichever takes longer, and one cycle for the loop."""
    return max(across * down, LATENCY, across + down) / 2 + 1
