"""The frontier: for each size, the most accurate network that the lab's own searches found.

Layers and settings are those of the studies named after the network, which ship: validation images
alone chose them. They are kept beside the networks, as `reproduce searched` writes them. A size
whose studies are not done has no network yet.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.layers.text import Words
from mnist_core.models.registry import Recipe, register_model
from mnist_core.models.winners import read_winners
from mnist_core.models.written import stages_of

if TYPE_CHECKING:
    from mnist_core.models.registry import Activation, Builder, Stages

PATH = Path(__file__).parent / "frontier.json"
NAME = "frontier"  # of the recipe
SIDE = 28
KEPT = {"studies", "trials", "epochs", "layers", "fields"}


@dataclass(frozen=True)
class Size:
    """A network of at most `limit` parameters for one data set, trained for `epochs`."""

    name: str
    title: str
    limit: int
    epochs: int
    dataset: str = "MNIST"


SIZES = (
    Size("frontier-700", "Frontier 700", 700, 60),
    Size("frontier-1k", "Frontier 1k", 1_000, 60),
    Size("frontier-2k", "Frontier 2k", 2_000, 60),
    Size("frontier-5k", "Frontier 5k", 5_000, 50),
    Size("frontier-8k", "Frontier 8k", 8_000, 40),
    Size("frontier-25k", "Frontier 25k", 25_000, 40),
    Size("frontier-100k", "Frontier 100k", 100_000, 40),
    Size("frontier-fashion", "Frontier Fashion", 100_000, 60, "FashionMNIST"),
    Size("frontier-kmnist", "Frontier KMNIST", 100_000, 60, "KMNIST"),
)


def winners(path: Path = PATH) -> Mapping[str, Mapping[str, Any]]:
    """By network: `studies`, `trials` and their `epochs`, and the winner's `layers` and `fields`.

    None where no study is done. Raises LabError for a damaged file.
    """
    return read_winners(path, KEPT)


def size_of_study(study: str) -> Size | None:
    """The size that a study is for: "frontier-1k-layers" is for the network "frontier-1k"."""
    found = (s for s in SIZES if study == s.name or study.startswith(f"{s.name}-"))
    return next(found, None)


def add_networks(path: Path = PATH) -> None:
    """Registers the networks of all sizes whose studies are done."""
    found = winners(path)
    for size in SIZES:
        winner = found.get(size.name)
        if winner:
            chosen = f"the best of {winner['trials']} settings that searches tried"
            recipe = Recipe(NAME, f"{chosen}, for {size.epochs} epochs", winner["fields"])
            source = f"the lab's own: {chosen}"
            register = register_model(size.name, title=size.title, source=source, recipes=(recipe,))
            register(_builder(winner["layers"], why(size, winner["trials"])))


def why(size: Size, trials: int) -> str:
    """Why the network of this size is as it is, for whoever looks at it."""
    return (
        f"Of the {trials} settings of layers and training with at most {size.limit:,} parameters "
        f"that were tried, the one with the best accuracy on {size.dataset}'s validation images."
    )


def _builder(layers: str, about: str) -> Builder:
    def build(activation: Activation, dropout: float, num_classes: int) -> Stages:
        words = Words(num_classes, getattr(activation, "__name__", ""), dropout)
        return stages_of(layers, words, SIDE)

    build.__doc__ = about
    return build


add_networks()
