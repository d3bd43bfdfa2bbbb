"""Weights in fewer bits, for runs that ship, and back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

SCALE = ".scale"  # is added to a tensor's name
MANY = 100_000  # numbers in a tensor; a smaller one stays in half precision
HIGHEST = 127


def halved(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """All that is not whole numbers in half precision."""
    return {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}


def quantized(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Large tensors as (out, ...) int8 with an (out,) float32 scale, the rest in half precision.

    `restored` multiplies them: the largest number of each output channel is 127 scales.
    """
    result = halved(tensors)
    for name, values in tensors.items():
        if values.is_floating_point() and values.ndim > 1 and values.numel() >= MANY:
            rows = values.float().flatten(1)
            scale = (rows.abs().amax(dim=1) / HIGHEST).clamp(min=1e-30)
            result[name] = (rows / scale[:, None]).round().char().view(values.shape)
            result[name + SCALE] = scale
    return result


def restored(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Undoes `quantized`, up to rounding; other tensors stay as they are. Raises RuntimeError."""
    scales = {k.removesuffix(SCALE): v for k, v in tensors.items() if k.endswith(SCALE)}
    plain = {k: v for k, v in tensors.items() if not k.endswith(SCALE)}
    for name, scale in scales.items():
        values = plain[name]
        plain[name] = (values.float().flatten(1) * scale[:, None]).view(values.shape)
    return plain
