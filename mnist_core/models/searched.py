"""The recipe "searched": the best setting of a search that ships. Loads without torch.

The settings are kept beside the networks, as figures.json is: `python -m mnist_core reproduce
searched` takes them from the studies in the run store.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mnist_core.models.registry import Recipe
from mnist_core.models.winners import read_winners

PATH = Path(__file__).parent / "searched.json"
NAME = "searched"
KEPT = {"study", "dataset", "trials", "epochs", "best", "passed_over", "fields"}
# Of a run by this recipe. With 80, each of seven of LeNet-5's best settings on FashionMNIST was
# worse on the validation images than in its trial of 5: without moved images they overfit.
EPOCHS = 15
SEEDS = 5  # that its run is repeated with, on the data set that it was found on


def winners(path: Path = PATH) -> Mapping[str, Mapping[str, Any]]:
    """By network: `study`, `dataset`, `trials`, `epochs` of a trial, the config's `fields`, and
    `best`, the id of its run at length with the first seed, and `passed_over`, those of the trials
    that were better and diverge with another seed.

    None where no search ships. Raises LabError for a damaged file.
    """
    return read_winners(path, KEPT)


def searched(model: str, path: Path = PATH) -> tuple[Recipe, ...]:
    """The network's recipe, if a search for it ships."""
    winner = winners(path).get(model)
    if winner is None:
        return ()
    title = (
        f"{winner['trials']} settings tried on {winner['dataset']} for {winner['epochs']} epochs; "
        f"the best that diverges with none of {SEEDS} seeds, trained for {EPOCHS}"
    )
    return (Recipe(NAME, title, winner["fields"]),)
