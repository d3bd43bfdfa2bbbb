"""The runs that ship with their weights: which networks, recipes and seeds. Loads without torch."""

import functools
from dataclasses import dataclass, replace
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.models.frontier_rows import frontier_ids
from mnist_core.models.registry import make_config, model_spec
from mnist_core.models.searched import NAME as SEARCHED
from mnist_core.models.searched import SEEDS as SEARCHED_SEEDS
from mnist_core.models.searched import winners

# How many seeds each network has by its reference's recipe and how many by ours, "improved": more
# for a small network than for a large one. Where the reference's own reaches the published figure,
# or there is no such figure, ours has none.
SEEDS: dict[str, dict[str, tuple[int, int]]] = {
    "lenet5-1998": {"MNIST": (3, 0)},
    "lenet5": {"MNIST": (3, 5), "FashionMNIST": (3, 5), "KMNIST": (3, 5), "QMNIST": (1, 0)},
    "lenet": {"MNIST": (3, 3), "FashionMNIST": (1, 1), "KMNIST": (1, 1)},
    "myfullconvnet": {"MNIST": (3, 3)},
    "mynetv1": {"MNIST": (1, 1)},
    "mynetv2": {"MNIST": (3, 3)},
    "myvggnet": {"MNIST": (1, 1), "FashionMNIST": (1, 1), "KMNIST": (1, 1)},
    "pytorch-example": {"MNIST": (1, 0)},
    "medium": {"MNIST": (3, 3), "FashionMNIST": (1, 3), "KMNIST": (1, 3)},
    "small": {"MNIST": (3, 3), "FashionMNIST": (0, 3), "KMNIST": (0, 3)},
    "ultrasmall": {"MNIST": (3, 3), "FashionMNIST": (0, 3), "KMNIST": (0, 3)},
    "fast": {"MNIST": (3, 0)},
}


@dataclass(frozen=True)
class Row:
    """Runs that differ only by seed: one row of the results table.

    With `epochs`, each extends the recipe's run to that many epochs.
    """

    model: str
    dataset: str
    recipe: str
    seeds: tuple[int, ...]
    epochs: int | None = None

    def configs(self) -> list[RunConfig]:
        changes: dict[str, Any] = {"dataset": self.dataset}
        changes |= {"epochs": self.epochs} if self.epochs else {}
        return [make_config(self.model, self.recipe, seed=seed, **changes) for seed in self.seeds]


def zoo_rows() -> list[Row]:
    """All rows of the zoo, network by network, the reference's recipe first."""
    rows = []
    for model, datasets in SEEDS.items():
        first = model_spec(model).recipes[0].name
        for dataset, counts in datasets.items():
            for recipe, count in zip((first, "improved"), counts, strict=True):
                rows += [Row(model, dataset, recipe, _seeds(count))] if count else []
    for model, winner in winners().items():
        rows.append(Row(model, winner["dataset"], SEARCHED, _seeds(SEARCHED_SEEDS)))
    tutorial = Row("lenet5", "MNIST", "tutorial", _seeds(3))
    return [*rows, tutorial, replace(tutorial, seeds=_seeds(1), epochs=10)]


def _seeds(count: int) -> tuple[int, ...]:
    return tuple(range(1, count + 1))


@functools.cache
def rate_pair() -> tuple[RunConfig, ...]:
    """Two runs of the grid that ship with snapshots: a good learning rate, and one too large."""
    return tuple(make_config("lenet5", "grid", lr=rate) for rate in (0.05, 1.0))


@functools.cache
def shipped_ids() -> frozenset[str]:
    """The ids of all runs that ship in folders of their own."""
    zoo = [config.id for row in zoo_rows() for config in row.configs()]
    return frozenset([*zoo, *(config.id for config in rate_pair())]) | frontier_ids()
