"""The same network in an order of operations that a CPU is quick at.

A network says what is computed; torch's CPU kernels are slow at some things that small networks
do all day. `lowered` keeps the layers and their parameters and works around them:

- A maximum of 2×2 values is found value by value; four strided slices are compared at once here.
- An activation before max pooling works on four times the values that are left after it. One
  that never falls picks the same maximum before as after, so it may wait.
- Where channels lie last, the gradient comes back through a flattening with channels first, and
  the layers before it mix both. It is put in order at once.
- A strided convolution of one channel has little to share out among a core's lanes. The image is
  folded into four channels of half the size, and the kernel with it; the stride is gone (space to
  depth). With one thread this brings nothing measurable.

Values and gradients are those of the layers as they stand, ties included; to the bit, with two
exceptions. The folded convolution's sums have another order. And ELU, SELU and Tanh round different
values to the same one now and then (Tanh near 4: in one window of 25,000): torch's layers then send
the gradient to the first of these, and this order to the largest.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
from torch import nn
from torch.nn import functional as F

Operation = Callable[[torch.Tensor], torch.Tensor]

# They never fall, and have no weights and no chance of their own (as PReLU and RReLU have).
RISING = (nn.ReLU, nn.LeakyReLU, nn.ELU, nn.SELU, nn.Tanh)


def lowered(model: nn.Module) -> Operation:
    """(N, 1, S, S) images -> (N, classes) logits as `model` gives them, quicker on a CPU.

    The operations hold the model's own layers: what changes there, also by `train()` and
    `eval()`, changes here. On another device, or where the network is no chain, it is the model.
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
    """Channels last where a convolution takes 8 channels or more: 1.1 to 1.4 times faster there."""
    wide = any(isinstance(m, nn.Conv2d) and m.in_channels >= 8 for m in model.modules())
    return torch.channels_last if wide else torch.contiguous_format


def _operations(layers: list[nn.Module]) -> Iterator[Operation]:
    place = 0
    while place < len(layers):
        layer, after = layers[place], layers[place + 1 : place + 2]
        if _can_wait(layer) and after and _halves(after[0]):
            yield max_pool
            yield layer
            place += 1
        elif _halves(layer) and not any(map(_in_place, after)):
            yield max_pool
        elif isinstance(layer, nn.Flatten) and (layer.start_dim, layer.end_dim) == (1, -1):
            yield flatten
        elif _folds(layer):
            yield FoldedConvolution(layer)
        else:
            yield layer
        place += 1


def _can_wait(layer: nn.Module) -> bool:
    """Whether it may come after max pooling."""
    return isinstance(layer, RISING) and not _in_place(layer)


def _in_place(layer: nn.Module) -> bool:
    """Whether it writes over its input, which MaxPool needs for its gradient."""
    return getattr(layer, "inplace", False)


def _halves(layer: nn.Module) -> bool:
    """Whether it is plain 2×2 max pooling."""
    if not isinstance(layer, nn.MaxPool2d) or layer.return_indices or layer.ceil_mode:
        return False
    pairs = _pair(layer.kernel_size), _pair(layer.stride), _pair(layer.padding)
    return pairs == ((2, 2), (2, 2), (0, 0)) and _pair(layer.dilation) == (1, 1)


def _pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return value if isinstance(value, tuple) else (value, value)


def max_pool(x: torch.Tensor) -> torch.Tensor:
    """(N, C, H, W) -> (N, C, H // 2, W // 2), as `F.max_pool2d(x, 2)`."""
    height, width = x.shape[2:]
    if not (torch.is_grad_enabled() and x.requires_grad):
        return _maxima(x[:, :, : height // 2 * 2, : width // 2 * 2])[1]
    if height % 2 or width % 2 or not x.is_contiguous():
        return F.max_pool2d(x, 2)  # channels last have a quick kernel
    return MaxPool.apply(x)


def _maxima(x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """The maxima of pairs in a row, and of 2×2."""
    pairs = torch.maximum(x[..., 0::2], x[..., 1::2])
    return pairs, torch.maximum(pairs[:, :, 0::2], pairs[:, :, 1::2])


class MaxPool(torch.autograd.Function):
    """2×2 max pooling of contiguous images with even sides. The gradient goes to the first of
    equal maxima, row by row, as torch's own sends it."""

    @staticmethod
    def forward(context, x):
        pairs, maxima = _maxima(x)
        context.save_for_backward(x, pairs, maxima)
        return maxima

    @staticmethod
    def backward(context, gradient):
        x, pairs, maxima = context.saved_tensors
        gradient = gradient.contiguous()
        count, channels, height, width = x.shape
        upper = (pairs[:, :, 0::2] == maxima).to(x.dtype)
        of_pairs = x.new_empty(count, channels, height // 2, 2, width // 2)
        _split(gradient, upper, of_pairs[:, :, :, 0], of_pairs[:, :, :, 1])
        of_pairs = of_pairs.view(count, channels, height, width // 2)
        left = (x[..., 0::2] == pairs).to(x.dtype)
        of_x = x.new_empty(count, channels, height, width // 2, 2)
        _split(of_pairs, left, of_x[..., 0], of_x[..., 1])
        return of_x.view(x.shape)


def _split(
    gradient: torch.Tensor, first: torch.Tensor, to_first: torch.Tensor, to_second: torch.Tensor
) -> None:
    """The gradient goes to where `first` is 1, and else to the second; 0 to the other."""
    torch.mul(gradient, first, out=to_first)
    torch.sub(gradient, to_first, out=to_second)


def flatten(x: torch.Tensor) -> torch.Tensor:
    """(N, …) -> (N, D), as `x.flatten(1)`."""
    if x.requires_grad and x.ndim == 4 and not x.is_contiguous():
        return Flatten.apply(x)
    return x.flatten(1)


class Flatten(torch.autograd.Function):
    """Flattening whose gradient has the layout of what was flattened."""

    @staticmethod
    def forward(context, x):
        context.shape = x.shape
        return x.flatten(1)

    @staticmethod
    def backward(context, gradient):
        return gradient.view(context.shape).contiguous(memory_format=torch.channels_last)


def _folds(layer: nn.Module) -> bool:
    """Whether it is a convolution of one channel in steps of two that has even sides."""
    return (
        isinstance(layer, nn.Conv2d)
        and (layer.in_channels, layer.groups, layer.padding_mode) == (1, 1, "zeros")
        and layer.stride == (2, 2)
        and layer.dilation == (1, 1)
        and isinstance(layer.padding, tuple)
        and not any(side % 2 for side in (*layer.kernel_size, *layer.padding))
    )


class FoldedConvolution:
    """A convolution of one channel in steps of two, as one of four channels in steps of one."""

    def __init__(self, layer: nn.Conv2d) -> None:
        self.layer = layer
        self.padding = tuple(side // 2 for side in layer.padding)

    def __call__(self, x: torch.Tensor) -> torch.Tensor:
        if x.requires_grad or x.shape[2] % 2 or x.shape[3] % 2:
            return self.layer(x)
        return F.conv2d(fold(x), self._weight(), self.layer.bias, padding=self.padding)

    def _weight(self) -> torch.Tensor:
        weight = self.layer.weight
        channels, _, height, width = weight.shape
        blocks = weight.reshape(channels, height // 2, 2, width // 2, 2)
        folded = blocks.permute(0, 2, 4, 1, 3).reshape(channels, 4, height // 2, width // 2)
        return folded.contiguous(memory_format=torch.channels_last)


def fold(x: torch.Tensor) -> torch.Tensor:
    """(N, 1, H, W) float32 images with even sides -> (N, 4, H / 2, W / 2), channels last.

    The channels are the pixels of a 2×2 block, row by row. Two neighbours move as one double:
    half as many values are copied.
    """
    count, _, height, width = x.shape
    pairs = x.contiguous().view(torch.float64).view(count, height // 2, 2, width // 2)
    blocks = pairs.permute(0, 1, 3, 2).contiguous().view(torch.float32)
    return blocks.view(count, height // 2, width // 2, 4).permute(0, 3, 1, 2)
