"""The config's optimiser, and its learning rate over time."""

from __future__ import annotations

import torch
from torch import nn

from mnist_core.config import RunConfig
from mnist_core.errors import InputError


def make_optimizer(config: RunConfig, model: nn.Module, device: str) -> torch.optim.Optimizer:
    """The config's optimiser; fused into one kernel where torch has one for this device."""
    common = {"lr": config.lr, "weight_decay": config.weight_decay}
    fused = {"fused": device in ("cpu", "cuda")}
    parameters = model.parameters()
    match config.optimizer:
        case "SGD":
            return torch.optim.SGD(parameters, momentum=config.momentum, **common, **fused)
        case "RMSprop":
            return torch.optim.RMSprop(parameters, momentum=config.momentum, **common)
        case "Adam":
            return torch.optim.Adam(parameters, **common, **fused)
        case "AdamW":
            return torch.optim.AdamW(parameters, **common, **fused)
        case "Adadelta":
            return torch.optim.Adadelta(parameters, **common)
    raise InputError(f"optimizer: {config.optimizer!r} is not known")


class Schedule:
    """The learning rate over time: per step for one-cycle, else per epoch."""

    def __init__(self, config: RunConfig, optimizer: torch.optim.Optimizer, steps: int) -> None:
        rates = torch.optim.lr_scheduler
        self.per_step = config.schedule == "one-cycle"
        self.plateau = config.schedule == "plateau"
        match config.schedule:
            case "constant":
                self.torch = rates.LambdaLR(optimizer, lambda _: 1.0)
            case "step":
                self.torch = rates.StepLR(optimizer, config.step_size, config.gamma)
            case "cosine":
                self.torch = rates.CosineAnnealingLR(optimizer, config.epochs, config.min_lr)
            case "one-cycle":
                # the momentum is the config's: cycling it too would hide what was asked for
                self.torch = rates.OneCycleLR(
                    optimizer, config.lr, config.epochs * steps, cycle_momentum=False
                )
            case "plateau":
                self.torch = rates.ReduceLROnPlateau(
                    optimizer, "max", config.gamma, config.patience, min_lr=config.min_lr
                )

    def after_step(self) -> None:
        if self.per_step:
            self.torch.step()

    def after_epoch(self, validation_accuracy: float) -> None:
        if self.plateau:
            self.torch.step(validation_accuracy)
        elif not self.per_step:
            self.torch.step()
