"""What training reports: steps, epochs, and that it diverged. Loads without torch."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

from mnist_core.errors import LabError
from mnist_core.files import is_number


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

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """From `asdict`, without what a newer version has added.

        Raises ValueError, TypeError or KeyError for anything but finite numbers.
        """
        result = cls(**{f.name: values[f.name] for f in fields(cls)})
        if not all(map(is_number, vars(result).values())):
            raise ValueError("a figure is not a finite number")
        return result


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
