"""A private copy of a network, to be measured while others use the network itself."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from mnist_core.errors import InputError


def twin_and_image(
    model: nn.Module, input_size: int, channels: int = 1
) -> tuple[nn.Module, torch.Tensor]:
    """A copy on the CPU in evaluation mode, and a blank image (1, channels, size, size) for it."""
    twin = copy.deepcopy(model).cpu().eval()
    dtype = next((p.dtype for p in twin.parameters() if p.is_floating_point()), torch.float32)
    return twin, torch.zeros(1, channels, input_size, input_size, dtype=dtype)


@contextmanager
def trial(model: nn.Module, image: torch.Tensor) -> Iterator[None]:
    """Around a forward pass: no gradient, and an InputError if the network cannot take the image.

    On an own fork of the random numbers, as F.dropout may draw from them in evaluation mode too.
    """
    try:
        with torch.no_grad(), torch.random.fork_rng(devices=[]):
            yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        size = "×".join(map(str, image.shape[1:]))
        message = f"{type(model).__name__} cannot take an image of {size}: {first_line(error)}"
        raise InputError(message) from error


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
