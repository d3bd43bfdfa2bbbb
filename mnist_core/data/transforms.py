"""Images to a network's input: resized, scaled and normalised."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import DatasetSpec, dataset_spec
from mnist_core.errors import InputError

if TYPE_CHECKING:
    import torch

PART = 4096  # images resized at a time: a float copy of 60,000 at once would take 250 MB


def resize(images: torch.Tensor, input_size: int, fit: str) -> torch.Tensor:
    """(N, H, W) uint8 or float -> (N, 1, input_size, input_size), padded with black or resized.

    uint8 images stay uint8: resizing rounds to whole grey levels. Float images are not rounded, so
    that gradients pass. Raises InputError for another shape or type.
    """
    import torch
    from torch.nn import functional as F

    whole = images.dtype == torch.uint8
    if images.ndim != 3 or not (whole or images.is_floating_point()):
        given = f"{tuple(images.shape)} {images.dtype}"
        raise InputError(f"images: (N, H, W) uint8 or float is expected, not {given}")
    images = images[:, None]
    border = input_size - images.shape[-1]
    if border == 0:
        return images
    if fit == "pad":
        return F.pad(images, (border // 2, border - border // 2) * 2)
    size = (input_size, input_size)
    parts = (F.interpolate(part.float(), size=size, mode="bilinear") for part in images.split(PART))
    return torch.cat([part.round().byte() if whole else part for part in parts])


def scale_and_offset(spec: DatasetSpec, scaling: str) -> tuple[float, float]:
    """(a, b) such that a · pixel + b is the network's input, for pixels from 0 to 255."""
    mean, std = (spec.mean, spec.std) if scaling == "standard" else (0.5, 0.5)
    return 1 / (255 * std), -mean / std


def normalise(batch: torch.Tensor, spec: DatasetSpec, scaling: str) -> torch.Tensor:
    """uint8 or float pixels from 0 to 255 -> float32 network input of the same shape."""
    import torch

    scale, offset = scale_and_offset(spec, scaling)
    return batch.to(torch.float32, copy=True).mul_(scale).add_(offset)


def to_input(images: torch.Tensor, config: RunConfig) -> torch.Tensor:
    """(N, H, W) uint8 or float images -> this config's network input, (N, 1, S, S) float32.

    Gradients flow back to float images.
    """
    sized = resize(images, config.input_size, config.fit)
    return normalise(sized, dataset_spec(config.dataset), config.scaling)
