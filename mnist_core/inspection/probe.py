"""What it takes to run a network by itself: a private copy, a blank image, a guarded pass."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import nn

from mnist_core.errors import InputError


def private_copy(model: nn.Module) -> nn.Module:
    """A copy on the CPU in evaluation mode, to be measured while others use the network itself."""
    return copy.deepcopy(model).cpu().eval()


def blank_image(model: nn.Module, input_size: int, channels: int = 1) -> torch.Tensor:
    """Zeros (1, channels, input_size, input_size), on the model's device and in its precision."""
    floats = (p for p in model.parameters() if p.is_floating_point())
    like = next(floats, torch.zeros(()))
    return torch.zeros(1, channels, input_size, input_size, dtype=like.dtype, device=like.device)


@contextmanager
def trial(model: nn.Module, image: torch.Tensor) -> Iterator[None]:
    """Around a forward pass: an InputError if the network cannot take the image.

    Gradients are recorded if the image requires them. The random numbers are a private fork, as
    F.dropout may draw from them in evaluation mode too.
    """
    try:
        with torch.set_grad_enabled(image.requires_grad), torch.random.fork_rng(devices=[]):
            yield
    except (RuntimeError, ValueError, TypeError, LookupError) as error:
        size = "×".join(map(str, image.shape[1:]))
        message = f"{type(model).__name__} cannot take an image of {size}: {first_line(error)}"
        raise InputError(message) from error


def first_line(error: Exception) -> str:
    """What an error says, in one line."""
    return (str(error).strip() or type(error).__name__).splitlines()[0]
