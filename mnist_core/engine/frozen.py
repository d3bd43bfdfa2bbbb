"""A network as it computes in evaluation mode, as layers that do the same in training mode."""

from __future__ import annotations

import torch
from torch import nn

from mnist_core.engine.chain import chain_of

NORMS = (nn.BatchNorm1d, nn.BatchNorm2d)


def frozen(model: nn.Module) -> nn.Sequential:
    """A chain without anything random or that depends on the batch, for any engine to train.

    It shares the parameters of all layers but those of batch normalisation, which become layers
    that scale and shift by constants. Raises ValueError for a model that is not a chain.
    """
    layers = (layer for _, layer in chain_of(model) if type(layer) is not nn.Dropout)
    return nn.Sequential(*map(_frozen, layers))


def _frozen(layer: nn.Module) -> nn.Module:
    if isinstance(layer, nn.RReLU):
        return nn.LeakyReLU((layer.lower + layer.upper) / 2)
    if isinstance(layer, NORMS) and layer.affine and layer.track_running_stats:
        return _scaling(layer)
    return layer


@torch.no_grad()
def _scaling(norm: nn.BatchNorm1d | nn.BatchNorm2d) -> nn.Module:
    """Scales and shifts each channel, as a layer that mixes channels with a diagonal matrix."""
    assert norm.running_mean is not None and norm.running_var is not None
    channels, scale = norm.num_features, norm.weight / (norm.running_var + norm.eps).sqrt()
    layer: nn.Linear | nn.Conv2d
    if isinstance(norm, nn.BatchNorm1d):
        layer = nn.Linear(channels, channels)
    else:
        layer = nn.Conv2d(channels, channels, 1)
    layer.weight.copy_(torch.diag(scale).view_as(layer.weight))
    assert layer.bias is not None
    layer.bias.copy_(norm.bias - norm.running_mean * scale)
    return layer.requires_grad_(False)
