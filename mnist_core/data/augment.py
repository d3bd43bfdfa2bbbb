"""Random moves of training images, whole batches at once."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING

from mnist_core.config import RunConfig

if TYPE_CHECKING:
    import torch

# The fields of a config that move pixels to other places, and all that change an image.
MOVES = ("rotation", "shift", "zoom", "shear")
AUGMENTATIONS = (*MOVES, "elastic", "flip", "cutout")
SMOOTHNESS = 4.0  # of elastic distortion: the deviation of its Gaussian, in pixels
SPACING, MARGIN = 4, 12  # of the random arrows that are smoothed, and how far they go beyond


def changes_images(config: RunConfig) -> bool:
    """Whether training sees other images than those of the data set."""
    return any(getattr(config, name) for name in AUGMENTATIONS)


def augment(pixels: torch.Tensor, config: RunConfig) -> torch.Tensor:
    """(N, 1, S, S) pixels -> as many, each changed at random as the config says.

    Draws from torch's generator for the CPU, and nothing at all for what the config leaves out.
    The result has float pixels where images were moved or bent.
    """
    pixels = mirrored(pixels, config.flip)
    moves = random_moves(len(pixels), pixels.shape[-1], config)
    field = random_field(len(pixels), pixels.shape[-1], config.elastic)
    if moves is not None or field is not None:
        pixels = sampled(pixels, moves, field)
    return cut_out(pixels, config.cutout)


def mirrored(pixels: torch.Tensor, share: float) -> torch.Tensor:
    """Each image mirrored left to right with this probability."""
    import torch

    if not share:
        return pixels
    chosen = (torch.rand(len(pixels)) < share).to(pixels.device)
    return torch.where(chosen[:, None, None, None], pixels.flip(3), pixels)


def random_moves(count: int, side: int, config: RunConfig) -> torch.Tensor | None:
    """`affine` matrices for so many images, drawn evenly between ± the config's MOVES."""
    import torch

    if not any(getattr(config, name) for name in MOVES):
        return None
    turn, right, down = torch.rand(3, count).mul_(2).sub_(1)
    degrees, right, down = turn * config.rotation, right * config.shift, down * config.shift
    if not (config.zoom or config.shear):
        return affine(side, degrees, right, down)
    zoom, slant = torch.rand(2, count).mul_(2).sub_(1)
    return affine(side, degrees, right, down, 1 + zoom * config.zoom, slant * config.shear)


def affine(
    side: int,
    degrees: torch.Tensor,
    right: torch.Tensor,
    down: torch.Tensor,
    size: torch.Tensor | None = None,
    slant: torch.Tensor | None = None,
) -> torch.Tensor:
    """(N, 2, 3) matrices that tell, of each place in the result, where in the image it lies.

    An image of side×side pixels is first made `size` times as large, then slanted by `slant`
    degrees (its top goes to the right), turned by `degrees` counter-clockwise, all about its
    centre, and shifted by `right` and `down` pixels. All of these are (N,). Places go from -1 to 1,
    as `sampled` takes them.
    """
    import torch

    x, y = right * (2 / side), down * (2 / side)
    angle = degrees * (math.pi / 180)
    a, b, c, d = angle.cos(), -angle.sin(), angle.sin(), angle.cos()
    if slant is not None:
        lean = (slant * (math.pi / 180)).tan()
        a, b = a + lean * c, b + lean * d
    if size is not None:
        a, b, c, d = a / size, b / size, c / size, d / size
    rows = [a, b, -a * x - b * y, c, d, -c * x - d * y]
    return torch.stack(rows, dim=1).view(-1, 2, 3)


def random_field(count: int, side: int, pixels: float) -> torch.Tensor | None:
    """(count, side, side, 2) arrows, right and down, whose deviation is `pixels`; None for 0.

    They are random numbers smoothed by a Gaussian, so that neighbours move alike. The numbers
    stand SPACING apart, which a Gaussian as wide as this one does not show.

    P. Y. Simard, D. Steinkraus, J. C. Platt: Best practices for convolutional neural networks
    applied to visual document analysis. ICDAR 2003.
    """
    import torch

    if not pixels:
        return None
    smooth = _smoothing(side)
    draws = torch.randn(count, 2, smooth.shape[1], smooth.shape[1])
    return (smooth @ draws @ smooth.T).mul_(pixels).permute(0, 2, 3, 1)


@functools.cache
def _smoothing(side: int) -> torch.Tensor:
    """(side, points) weights that keep the deviation of what they smooth at 1."""
    import torch

    points = torch.arange(-MARGIN, side + MARGIN, SPACING)
    apart = torch.arange(side)[:, None] - points[None]
    weights = (-(apart.double() ** 2) / (2 * SMOOTHNESS**2)).exp()
    return (weights / weights.norm(dim=1, keepdim=True)).float()


def sampled(
    pixels: torch.Tensor, moves: torch.Tensor | None, field: torch.Tensor | None
) -> torch.Tensor:
    """(N, 1, S, S) pixels -> float pixels from where `moves` and `field` say they lie.

    A place's arrow of `field` is added to it after its move. Bilinear; what comes in from outside
    is black (0).
    """
    import torch
    from torch.nn import functional as F

    if moves is None:
        moves = torch.eye(2, 3).expand(len(pixels), 2, 3)
    grid = F.affine_grid(moves.to(pixels.device), list(pixels.shape), align_corners=False)
    if field is not None:
        grid = grid.add(field.to(pixels.device), alpha=2 / pixels.shape[-1])
    return F.grid_sample(pixels.float(), grid, align_corners=False)


def cut_out(pixels: torch.Tensor, side: int) -> torch.Tensor:
    """Each image with a black square of `side` pixels, whose centre is any pixel of the image.

    T. DeVries, G. W. Taylor: Improved regularization of convolutional neural networks with cutout.
    2017, arXiv:1708.04552.
    """
    import torch

    if not side:
        return pixels
    places = torch.arange(pixels.shape[-1])
    first = torch.randint(0, len(places), (2, len(pixels), 1)) - side // 2
    rows, columns = (places >= first) & (places < first + side)
    hole = (rows[:, None, :, None] & columns[:, None, None, :]).to(pixels.device)
    return pixels.masked_fill(hole, 0)
