"""What computes a training step: torch's layers, or code that is compiled for the network."""

from typing import Protocol

import torch
from torch import nn

from mnist_core.config import Execution, RunConfig
from mnist_core.data.transforms import normalise, scale_and_offset
from mnist_core.dataset_specs import IMAGE_SHAPE, dataset_spec
from mnist_core.engine.compiler import EngineUnavailable
from mnist_core.engine.lowering import lowered
from mnist_core.engine.network import NativeNetwork
from mnist_core.engine.source import supports
from mnist_core.errors import InputError
from mnist_core.evaluation.predict import logits_of
from mnist_core.models import create_model_for
from mnist_core.training.batches import largest_batch
from mnist_core.training.setup import choose_device


class Engine(Protocol):
    """Computes gradients and logits of one network."""

    name: str  # as in Execution.engine

    def step(
        self, batch: torch.Tensor, labels: torch.Tensor, seed: int
    ) -> tuple[torch.Tensor | float, torch.Tensor]:
        """Forward and backward pass in training mode; gradients are in `.grad` afterwards.

        (B, 1, S, S) uint8 or float pixels and (B,) labels -> the mean loss and (B, classes)
        logits. `seed`, 64 bits wide, must differ from step to step.
        """

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        """(N, 1, S, S) uint8 pixels -> (N, classes) logits in evaluation mode."""


class TorchEngine:
    """torch's layers, in an order that a CPU is fast at; draws from torch's generator."""

    name = "torch"

    def __init__(self, model: nn.Module, config: RunConfig) -> None:
        self.model, self.config, self.spec = model, config, dataset_spec(config.dataset)
        self.forward = lowered(model)
        self.loss = nn.CrossEntropyLoss(label_smoothing=config.label_smoothing)

    def step(
        self, batch: torch.Tensor, labels: torch.Tensor, seed: int
    ) -> tuple[torch.Tensor, torch.Tensor]:
        logits = self.forward(normalise(batch, self.spec, self.config.scaling))
        loss = self.loss(logits, labels)
        self.model.zero_grad()  # the optimiser's own takes several times as long
        loss.backward()
        return loss.detach(), logits.detach()

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        return logits_of(self.model, pixels, self.config)


class NativeEngine:
    """C code that is compiled for the network. Raises EngineUnavailable."""

    name = "native"

    def __init__(self, model: nn.Module, config: RunConfig, threads: int) -> None:
        self.smoothing = config.label_smoothing
        self.network = NativeNetwork(model, _input_shape(config), largest_batch(config), threads)
        spec = dataset_spec(config.dataset)
        self.scale, self.offset = scale_and_offset(spec, config.scaling)

    def step(
        self, batch: torch.Tensor, labels: torch.Tensor, seed: int
    ) -> tuple[float, torch.Tensor]:
        return self.network.step(
            batch,
            labels,
            scale=self.scale,
            offset=self.offset,
            label_smoothing=self.smoothing,
            seed=seed,
        )

    def logits(self, pixels: torch.Tensor) -> torch.Tensor:
        return self.network.forward(pixels, scale=self.scale, offset=self.offset)


def _input_shape(config: RunConfig) -> tuple[int, int, int]:
    return IMAGE_SHAPE[0], config.input_size, config.input_size


def choose_engine(model: nn.Module, config: RunConfig, execution: Execution) -> tuple[Engine, str]:
    """The engine for `model`, which is on its device, and a note for people, "" if there is none.

    Left to choose, it takes the native engine for each network that this can compute; the note
    says why it could not be used for such a network after all. Raises InputError when the native
    engine is asked for and cannot be used.
    """
    asked = execution.engine
    if asked == "torch" or (asked == "auto" and supports(model, _input_shape(config))):
        return TorchEngine(model, config), ""
    try:
        return NativeEngine(model, config, execution.threads), ""
    except EngineUnavailable as error:
        if asked == "native":
            raise InputError(
                f"engine: 'native' was given; allowed here is auto or torch. {error}"
            ) from error
        return TorchEngine(model, config), f"{error} Training uses torch, which takes longer."


def check_engine(config: RunConfig, execution: Execution) -> None:
    """Raises InputError when the engine that is asked for cannot be used."""
    model = create_model_for(config).to(choose_device(execution.device))
    choose_engine(model, config, execution.replace(threads=1))
