"""A chain of layers, run in an order of operations that is fast on a CPU.

torch's CPU kernels are slow at some operations that small networks do all the time. `lowered`
keeps the layers and their parameters, and replaces these operations:

- 2×2 max pooling: torch looks for the maximum value by value; here four strided slices are
  compared at once.
- An activation before max pooling: it would compute four times the values that are left after
  pooling. A monotonic activation does not change which value is the maximum, so pooling may come
  first.
- Flattening of channels-last maps: its gradient arrives with the channels first, and the layers
  before it would have to handle both layouts. It is converted at once.
- A convolution of one channel with stride 2: one channel gives a core's vector units little to do.
  Space-to-depth turns the image into four channels of half the size, rearranges the kernel to
  match, and removes the stride. With one thread this brings nothing measurable.

Values and gradients are the same as with the layers as they stand, ties included, to the bit, with
two exceptions. The convolution after space-to-depth sums in another order. And ELU, SELU and Tanh
occasionally round different values to the same one (Tanh near 4: in one window of 25,000): torch's
layers then pass the gradient to the first of these, and this order to the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeGuard

import torch
from torch import nn
from torch.nn import functional as F

from mnist_core.engine.chain import MONOTONIC, pair

Operation = Callable[[torch.Tensor], torch.Tensor]


def lowered(model: nn.Module) -> Operation:
    """(N, 1, S, S) images -> (N, classes) logits as `model` gives them, quicker on a CPU.

    The operations use the model's own layers, so they follow its weights and its `train()` and
    `eval()`. A model that is no chain, or is on a GPU, is returned as it is.
    """
    parameter = next(model.parameters(), None)
    if not isinstance(model, nn.Sequential) or parameter is None or parameter.is_cuda:
        return model
    operations = list(_operations(list(model)))

    def run(x: torch.Tensor) -> torch.Tensor:
        for operation in operations:
            x = operation(x)
        return x

    return run


def memory_format(model: nn.Module) -> torch.memory_format:
    """Channels last if a convolution has 8 input channels or more: 1.1 to 1.4 times faster then."""
    wide = any(isinstance(m, nn.Conv2d) and m.in_channels >= 8 for m in model.modules())
    return torch.channels_last if wide else torch.contiguous_format


def _operations(layers: list[nn.Module]) -> Iterator[Operation]:
    place = 0
    while place < len(layers):
        layer, after = layers[place], layers[place + 1 : place + 2]
        if _may_follow_max_pool(layer) and after and _is_max_pool_2x2(after[0]):
            yield max_pool
            yield layer
            place += 1
        elif _is_max_pool_2x2(layer) and not any(map(_in_place, after)):
            yield max_pool
        elif isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
            yield flatten
        elif _is_strided_one_channel(layer):
            yield SpaceToDepthConvolution(layer)
        else:
            yield layer
        place += 1


def _may_follow_max_pool(layer: nn.Module) -> bool:
    """Whether pooling may come before it instead of after it."""
    return isinstance(layer, MONOTONIC) and not _in_place(layer)


def _in_place(layer: nn.Module) -> bool:
    """Whether it overwrites its input, which MaxPool needs for its gradient."""
    return getattr(layer, "inplace", False)


def _is_max_pool_2x2(layer: nn.Module) -> bool:
    """Whether it is plain 2×2 max pooling."""
    if not isinstance(layer, nn.MaxPool2d) or layer.return_indices or layer.ceil_mode:
        return False
    pairs = pair(layer.kernel_size), pair(layer.stride), pair(layer.padding)
    return pairs == ((2, 2), (2, 2), (0, 0)) and pair(layer.dilation) == (1, 1)


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, C, H // 2, W // 2), as `F.max_pool2d(x, 2)`."""
    height, width = x.shape[2:]
    if not (torch.is_grad_enabled() and x.requires_grad):
        return _maxima(x[:, :, : height // 2 * 2, : width // 2 * 2])[1]
    if height % 2 or width % 2 or not x.is_contiguous():
        return F.max_pool2d(x, 2)  # torch's kernel for channels last is fast
    return MaxPool.apply(x)


def _maxima(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The maxima of horizontal pairs, and of 2×2 blocks."""
    pairs = torch.maximum(x[..., 0::2], x[..., 1::2])
    return pairs, torch.maximum(pairs[:, :, 0::2], pairs[:, :, 1::2])


class MaxPool(torch.autograd.Function):
    """2×2 max pooling of contiguous images with even sides.

    Of equal maxima the first, row by row, gets the gradient, as in torch's own.
    """

    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        pairs, maxima = _maxima(x)
        context.save_for_backward(x, pairs, maxima)
        return maxima

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        x, pairs, maxima = context.saved_tensors
        gradient = gradient.contiguous()
        count, channels, height, width = x.shape
        upper = (pairs[:, :, 0::2] == maxima).to(x.dtype)
        of_pairs = x.new_empty(count, channels, height // 2, 2, width // 2)
        _route(gradient, upper, of_pairs[:, :, :, 0], of_pairs[:, :, :, 1])
        of_pairs = of_pairs.view(count, channels, height, width // 2)
        left = (x[..., 0::2] == pairs).to(x.dtype)
        of_x = x.new_empty(count, channels, height, width // 2, 2)
        _route(of_pairs, left, of_x[..., 0], of_x[..., 1])
        return of_x.view(x.shape)


def _route(
    gradient: torch.Tensor, first: torch.Tensor, to_first: torch.Tensor, to_second: torch.Tensor
) -> None:
    """The gradient goes to `to_first` where `first` is 1, else to `to_second`; the other gets 0."""
    torch.mul(gradient, first, out=to_first)
    torch.sub(gradient, to_first, out=to_second)


def flatten(x: torch.Tensor) -> torch.Tensor:
    """(N, …) -> (N, D), as `x.flatten(1)`."""
    if x.requires_grad and x.ndim == 4 and not x.is_contiguous():
        return Flatten.apply(x)
    return x.flatten(1)


class Flatten(torch.autograd.Function):
    """Flattening whose gradient has the memory layout of its input: channels last."""

    @staticmethod
    def forward(context: Any, x: torch.Tensor) -> torch.Tensor:
        context.shape = x.shape
        return x.flatten(1)

    @staticmethod
    def backward(context: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient.view(context.shape).contiguous(memory_format=torch.channels_last)


def _is_strided_one_channel(layer: nn.Module) -> TypeGuard[nn.Conv2d]:
    """Whether it is a convolution of one channel with stride 2, even kernel and even padding."""
    return (
        isinstance(layer, nn.Conv2d)
        and (layer.in_channels, layer.groups, layer.padding_mode) == (1, 1, "zeros")
        and layer.stride == (2, 2)
        and layer.dilation == (1, 1)
        and isinstance(layer.padding, tuple)
        and not any(side % 2 for side in (*layer.kernel_size, *layer.padding))
    )


class SpaceToDepthConvolution:
    """A convolution of one channel with stride 2, run as one of four channels with stride 1."""

    def __init__(self, layer: nn.Conv2d) -> None:
        self.layer = layer
        self.padding = tuple(int(side) // 2 for side in layer.padding)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if x.requires_grad or x.shape[2] % 2 or x.shape[3] % 2:
            return self.layer(x)
        return F.conv2d(space_to_depth(x), self._weight(), self.layer.bias, padding=self.padding)

    def _weight(self) -> torch.Tensor:
        weight = self.layer.weight
        channels, _, height, width = weight.shape
        blocks = weight.reshape(channels, height // 2, 2, width // 2, 2)
        rearranged = blocks.permute(0, 2, 4, 1, 3).reshape(channels, 4, height // 2, width // 2)
        return rearranged.contiguous(memory_format=torch.channels_last)


def space_to_depth(x: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) float32 images with even sides -> (N, 4, H / 2, W / 2), channels last.

    The channels are the pixels of a 2×2 block, row by row. Two neighbours are copied as one
    float64, which halves the number of values to copy.
    """
    count, _, height, width = x.shape
    pairs = x.contiguous().view(torch.float64).view(count, height // 2, 2, width // 2)
    blocks = pairs.permute(0, 1, 3, 2).contiguous().view(torch.float32)
    return blocks.view(count, height // 2, width // 2, 4).permute(0, 3, 1, 2)
