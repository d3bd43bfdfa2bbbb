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
KEPT = {"study", "dataset", "trials", "epochs", "best", "finalists", "fields"}
EPOCHS = 80  # of a run by this recipe, as by LeNet-5's "improved"


def winners(path: Path = PATH) -> Mapping[str, Mapping[str, Any]]:
    """By network: `study`, `dataset`, `trials`, `epochs` of a trial, the config's `fields`, and
    `finalists`, the `id` and `validation_accuracy` (None if diverged) of each long run, and the
    `best` of them, an id.

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
        f"of the {len(winner['finalists'])} best, the one that is best after {EPOCHS} and diverges "
        "with no seed"
    )
    return (Recipe(NAME, title, winner["fields"]),)
