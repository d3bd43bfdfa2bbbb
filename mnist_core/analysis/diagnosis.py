"""What a run's curves show, in a sentence, with the setting to try next. Loads without torch."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.dataset_specs import dataset_spec
from mnist_core.formatting import percent, setting
from mnist_core.models.grid import AXES
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState

RISE = 1.1  # a validation loss this many times its minimum has risen
STILL_FALLING = 0.85  # an epoch that leaves at most this share of the error still helped much


@dataclass(frozen=True)
class Diagnosis:
    """`kind` is diverged, stuck, overfit or unfinished; `changes` are fields to try.

    What an unfinished run needs is more of the same: it has no changes.
    """

    kind: str
    sentence: str
    changes: Mapping[str, Any]

    @property
    def advice(self) -> str:
        """The changes in words: "try learning rate 0.1"."""
        return f"try {', '.join(setting(name, value) for name, value in self.changes.items())}"


def diagnose(run: Run) -> Diagnosis | None:
    """What a finished run suffers from, if anything. Raises LabError for a damaged history."""
    if run.state == RunState.DIVERGED:
        sentence = "The loss is no longer a finite number: its steps are too large."
        return Diagnosis("diverged", sentence, {"lr": smaller_rate(run.config.lr)})
    rows = run.history
    if run.state != RunState.DONE or not rows:
        return None
    return _stuck(run.config, rows) or _overfit(run.config, rows) or _unfinished(rows)


def smaller_rate(lr: float) -> float:
    """A tenth, at the nearest stop of the slider that is no larger: the next one rarely helps."""
    return max((rate for rate in AXES["lr"] if rate <= 0.101 * lr), default=float(f"{lr / 10:.1g}"))


def larger_rate(lr: float) -> float:
    """Ten times as much, at the nearest stop of the slider that is no smaller."""
    return min((rate for rate in AXES["lr"] if rate >= 9.9 * lr), default=min(10 * lr, 10.0))


def learned(accuracy: float, dataset: str) -> bool:
    """Whether an accuracy is clearly more than what guessing reaches."""
    chance = 1 / dataset_spec(dataset).num_classes
    return accuracy >= min(2 * chance, (1 + chance) / 2)  # of two classes, halfway from chance to 1


def _stuck(config: RunConfig, rows: Sequence[Mapping[str, float]]) -> Diagnosis | None:
    best = max(row["validation_accuracy"] for row in rows)
    if learned(best, config.dataset):
        return None
    falling = rows[-1]["train_loss"] < 0.995 * rows[0]["train_loss"]
    rate = larger_rate(config.lr) if falling and config.lr < 0.01 else smaller_rate(config.lr)
    why = "too small to get going" if rate > config.lr else "too large to settle"
    sentence = f"Its steps look {why}: {percent(best, 1)} is about what guessing reaches."
    return Diagnosis("stuck", sentence, {"lr": rate})


def _overfit(config: RunConfig, rows: Sequence[Mapping[str, float]]) -> Diagnosis | None:
    losses = [row["validation_loss"] for row in rows]
    turn = losses.index(min(losses))
    rising = losses[-1] > RISE * losses[turn]
    falling = rows[-1]["train_loss"] < rows[turn]["train_loss"]
    gap = 1 - rows[-1]["train_accuracy"] < (1 - rows[-1]["validation_accuracy"]) / 2
    if not (rising and falling and gap):
        return None
    sentence = (
        f"Overfits: from epoch {turn + 1:.0f} on the validation loss rises while the training "
        "loss falls."
    )
    more = min((share for share in AXES["dropout"] if share > config.dropout), default=None)
    changes = {"rotation": max(10.0, config.rotation), "shift": max(2.0, config.shift)}
    return Diagnosis("overfit", sentence, {"dropout": more} if more else changes)


def _unfinished(rows: Sequence[Mapping[str, float]]) -> Diagnosis | None:
    if len(rows) < 2:
        return None
    before, last = (1 - row["validation_accuracy"] for row in rows[-2:])
    if last > STILL_FALLING * before or last <= 0:
        return None
    sentence = f"Still learning: error {100 * before:.1f} → {percent(last, 1)} in the last epoch."
    return Diagnosis("unfinished", sentence, {})
