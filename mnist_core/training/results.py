"""What training reports: steps, epochs, and that it diverged. Loads without torch."""

from collections.abc import Callable
from dataclasses import dataclass

from mnist_core.errors import LabError


@dataclass(frozen=True)
class EpochResult:
    """One row of history.csv. Accuracies are fractions, `seconds` includes the validation."""

    epoch: int
    train_loss: float
    train_accuracy: float
    train_top5: float
    validation_loss: float
    validation_accuracy: float
    validation_top5: float
    lr: float
    seconds: float
    images_per_second: float


@dataclass(frozen=True)
class Step:
    """Where training is within an epoch. `loss` is there every `echo_every` steps only."""

    epoch: int
    step: int
    steps: int
    images_per_second: float
    loss: float | None = None


class Diverged(LabError):
    """The loss is no longer finite."""


OnStep = Callable[[Step], None]
