"""Data sets of one's own: each a folder that `from_pictures` has made, with a `dataset.json`.

Every start of the lab reads them, so this loads no Pillow.
"""

from pathlib import Path

from mnist_core.dataset_specs import DATASETS, DatasetSpec, register_dataset
from mnist_core.errors import LabError
from mnist_core.files import read_json

NAME = "dataset.json"


def register_own(root: Path) -> None:
    """Registers what `add_own` has made below `root`; what is damaged, or has a name that is taken,
    is left out."""
    for path in sorted(root.glob(f"*/{NAME}")):
        if path.parent.name.lower() in DATASETS:
            continue
        try:
            register_dataset(_spec(path.parent.name, read_json(path)))
        except (LabError, OSError, KeyError, TypeError, ValueError):
            continue


def _spec(name: str, about: dict) -> DatasetSpec:
    train, test = map(int, about["images"])
    mean, std = float(about["mean"]), float(about["std"])
    if not (0 <= mean <= 1 and 0 < std <= 1):
        raise ValueError("mean and std are of pixels from 0 to 1")
    classes = tuple(str(label) for label in about["classes"])
    return DatasetSpec(name, classes, mean, std, str(about["about"]), images=(train, test))
