"""Random rotation and shift of whole batches at once."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def rotate_and_shift(
    pixels: torch.Tensor, degrees: torch.Tensor, right: torch.Tensor, down: torch.Tensor
) -> torch.Tensor:
    """(N, 1, S, S) pixels -> float pixels of the same shape, each image moved by its own amounts.

    `degrees` turn counter-clockwise about the centre; then `right` and `down` shift in pixels.
    All three are (N,). Bilinear; what comes in from outside is black (0).
    """
    import torch
    from torch.nn import functional as F

    side = pixels.shape[-1]
    angle = degrees * (math.pi / 180)
    cos, sin = angle.cos(), angle.sin()
    # grid_sample asks, for each output position, where in the input to look: the inverse move
    x, y = right * (2 / side), down * (2 / side)
    rows = [cos, -sin, -cos * x + sin * y, sin, cos, -sin * x - cos * y]
    theta = torch.stack(rows, dim=1).view(-1, 2, 3)
    grid = F.affine_grid(theta, list(pixels.shape), align_corners=False)
    return F.grid_sample(pixels.float(), grid, align_corners=False)


def random_move(pixels: torch.Tensor, rotation: float, shift: float) -> torch.Tensor:
    """Moves each image by up to ±`rotation` degrees and ±`shift` pixels, drawn uniformly."""
    import torch

    if not rotation and not shift:
        return pixels
    draws = torch.rand(3, len(pixels)).mul_(2).sub_(1).to(pixels.device)
    return rotate_and_shift(pixels, draws[0] * rotation, draws[1] * shift, draws[2] * shift)
