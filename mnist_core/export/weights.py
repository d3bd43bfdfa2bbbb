"""A run's network and its weights, for all kinds of export."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mnist_core.evaluation.predict import load_model
from mnist_core.runs.run import Run

if TYPE_CHECKING:
    from torch import nn

WEIGHTS = "weights.safetensors"


def model_of(run: Run) -> nn.Module:
    """The run's network in evaluation mode, its values in the usual order. Raises LabError."""
    import torch

    return load_model(run).to(memory_format=torch.contiguous_format)


def weights_file(run: Run) -> bytes:
    """The weights in single precision as a safetensors file. Raises LabError."""
    from safetensors.torch import save

    return save({name: value.contiguous() for name, value in model_of(run).state_dict().items()})
