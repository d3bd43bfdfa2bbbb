"""A network's accuracy on corrupted test images: computed once, stored with the run.

`stored` loads without torch; `compute` runs the network.
"""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.datasets import load
from mnist_core.errors import LabError
from mnist_core.evaluation.network import Network
from mnist_core.evaluation.predict import load_model
from mnist_core.files import is_number, read_json
from mnist_core.imaging.corruptions import CORRUPTIONS, corrupt
from mnist_core.paths import data_root
from mnist_core.runs.run import Run

ROBUSTNESS = "robustness.json"  # in a run's folder
FORMAT = "mnist-lab robustness 1"
STEPS = 1 + sum(len(each.levels) - 1 for each in CORRUPTIONS.values())


@dataclass(frozen=True)
class Robustness:
    """`curves` maps a corruption to pairs: its level, and how many of `images` were right."""

    images: int
    curves: dict[str, list[tuple[float, int]]]


def stored(run: Run) -> Robustness | None:
    """What was computed for these weights, if anything. Raises LabError for a damaged file."""
    path = run.path / ROBUSTNESS
    try:
        found = read_json(path)
        if found["format"] != FORMAT or found["weights_sha256"] != run.summary.weights_sha256:
            return None  # of other weights
        images, curves = found["images"], found["curves"]
        pairs = {kind: [(x, right) for x, right in curves[kind]] for kind in CORRUPTIONS}
        if not (is_number(images) and images > 0):
            raise ValueError("images is not a count")
        for x, right in (pair for curve in pairs.values() for pair in curve):
            if not (is_number(x) and is_number(right) and 0 <= right <= images):
                raise ValueError("a figure is out of range")
        return Robustness(int(images), pairs)
    except FileNotFoundError:
        return None
    except (OSError, KeyError, TypeError, ValueError) as error:
        raise LabError(f"{path} is damaged ({error}); delete it and compute it again.") from error


def compute(run: Run, on_step: Callable[[int], None] = lambda _: None) -> Robustness:
    """Classifies every test image at every level of every corruption.

    `on_step` is called with the number of steps done, of STEPS. Raises LabError without weights,
    or without the data set.
    """
    network, dataset, root = Network(run, load_model(run)), run.config.dataset, data_root()
    images, labels = _test_set(dataset, root)

    def right(corrupted: np.ndarray) -> int:
        return int((network.logits(corrupted).argmax(axis=1) == labels).sum())

    uncorrupted, done = right(images), 1
    on_step(done)
    curves: dict[str, list[tuple[float, int]]] = {}
    for kind, each in CORRUPTIONS.items():
        curves[kind] = []
        for level in each.levels:
            neutral = level == each.neutral
            found = uncorrupted if neutral else right(_corrupted(dataset, root, kind, level))
            curves[kind].append((level, found))
            done += not neutral
            on_step(done)
    return Robustness(len(labels), curves)


@functools.lru_cache(maxsize=1)
def _test_set(dataset: str, root: Path) -> tuple[np.ndarray, np.ndarray]:
    test = load(dataset, root, download=False).test
    return test.images.numpy(), test.labels.numpy()


@functools.lru_cache(maxsize=STEPS)  # of one data set: 300 MB
def _corrupted(dataset: str, root: Path, kind: str, level: float) -> np.ndarray:
    """Cached, as making these images takes longer than a small network needs to classify them."""
    return corrupt(_test_set(dataset, root)[0], kind, level)
