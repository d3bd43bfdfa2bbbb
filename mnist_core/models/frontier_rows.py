"""The frontier's rows: sizes, networks, seeds and searches; and what others published. No torch."""

import functools
from dataclasses import dataclass
from typing import NamedTuple

from mnist_core.config import RunConfig
from mnist_core.models.frontier import NAME, SIZES, winners
from mnist_core.models.registry import make_config

SMALL = 8_000  # parameters; networks up to it have MANY seeds, larger ones FEW
MANY, FEW = 10, 5
FIRST = 1  # the seed whose run ships with snapshots and logits


@dataclass(frozen=True)
class FrontierRow:
    """Runs of one network that differ by seed, of at most `limit` parameters.

    `studies` are the searches on validation images that chose its layers and settings.
    """

    limit: int
    model: str
    dataset: str = "MNIST"
    studies: tuple[str, ...] = ()
    recipe: str = NAME

    @property
    def seeds(self) -> tuple[int, ...]:
        count = MANY if self.limit <= SMALL else FEW
        return tuple(range(FIRST, FIRST + count))

    def configs(self) -> list[RunConfig]:
        return [
            make_config(self.model, self.recipe, dataset=self.dataset, seed=seed)
            for seed in self.seeds
        ]


def frontier_rows() -> list[FrontierRow]:
    """All of them, the smallest network of a data set first."""
    found = winners()
    return [
        FrontierRow(size.limit, size.name, size.dataset, tuple(found[size.name]["studies"]))
        for size in SIZES
        if size.name in found
    ]


@functools.cache
def frontier_ids() -> frozenset[str]:
    """The ids of all its runs."""
    return frozenset(config.id for row in frontier_rows() for config in row.configs())


class Published(NamedTuple):
    """A test accuracy that others reached, in per cent; `least` where it is "more than" that."""

    dataset: str
    accuracy: float
    parameters: int | None
    selection: str
    least: bool = False


BEST_OF_MANY = "the best on the test set of some 700 networks"
BEST_EPOCH = "the best epoch on the test set"
PUBLISHED = (
    Published("MNIST", 98.0, 575, "not known"),
    Published("MNIST", 99.03, 697, BEST_OF_MANY),
    Published("MNIST", 99.13, 1_936, "the best of its saved epochs on the test set"),
    Published("MNIST", 99.07, 4_862, "not known"),
    Published("MNIST", 99.54, 6_188, BEST_EPOCH),
    Published("MNIST", 99.4, 7_070, BEST_EPOCH, least=True),
    Published("MNIST", 99.75, None, "the last epoch, median of three; networks of any size"),
    Published("FashionMNIST", 92.5, None, "not known; reported by its author, under 100,000"),
    Published("KMNIST", 99.18, None, "not known; networks of any size"),
)
