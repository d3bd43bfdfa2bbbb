"""Networks trained with images that are turned and shifted at random, beside the same without."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from mnist_core.config import RunConfig
from mnist_core.evaluation.ensemble import rank
from mnist_core.models import network_of
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState

MOVES = {"rotation": 10.0, "shift": 2.0}  # degrees and pixels, as in the recipe "improved"
NOT_COMPARED = {"rotation", "shift", "seed", "model", "dataset"}


@dataclass(frozen=True, eq=False)
class Pair:
    """Two runs of a network: one without rotation or shift in training, one with both."""

    still: Run
    moved: Run

    @property
    def differing(self) -> list[str]:
        """The other fields of the config in which they differ, but for the seed."""
        a, b = self.still.config, self.moved.config
        names = (name for name in RunConfig.names() if name not in NOT_COMPARED)
        return [name for name in names if getattr(a, name) != getattr(b, name)]


def is_moved(config: RunConfig) -> bool:
    """Whether its training images are turned and shifted, both."""
    return bool(config.rotation and config.shift)


def with_moves(config: RunConfig) -> RunConfig:
    """The same config with images that are turned and shifted."""
    return config.replace(**MOVES)


def pairs(runs: Iterable[Run], dataset: str) -> list[Pair]:
    """One for each network that has both, by the moved run's validation accuracy, best first.

    Two runs that differ in nothing else come before the best of either kind.
    """
    by_network: dict[str, list[Run]] = {}
    for run in sorted(runs, key=rank):
        usual = run.state == RunState.DONE and not run.config.tuning
        if run.config.dataset == dataset and run.has_weights and usual:
            by_network.setdefault(network_of(run.config), []).append(run)
    found = [pair for own in by_network.values() if (pair := _pair(own))]
    return sorted(found, key=lambda pair: rank(pair.moved))


def _pair(runs: list[Run]) -> Pair | None:
    """Of one network's runs, the best first."""
    moved = [run for run in runs if is_moved(run.config)]
    still = [run for run in runs if not run.config.rotation and not run.config.shift]
    every = [Pair(a, b) for b in moved for a in still]
    return next((pair for pair in every if not pair.differing), every[0] if every else None)
