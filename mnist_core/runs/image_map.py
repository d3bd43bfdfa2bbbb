"""An image map: where test images lie in the plane at each snapshot of a run. Loads without torch.

The plane is spanned by the two main directions (PCA) of the last hidden layer at the last
snapshot; the same two serve at all times. At each time the values are centred and scaled to the
same spread, because activations grow during training.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save as tensors_to_bytes

from mnist_core.errors import LabError
from mnist_core.files import read_tensors_file

NAME = "image_map.safetensors"
REACH = 2.0  # points farther from the centre, in units of the spread, are drawn at this distance
STEPS = 255  # of a coordinate in the file
KINDS: dict[str, type[np.generic]] = {
    **{"steps": np.int64, "index": np.int32},
    **dict.fromkeys(("labels", "answers", "points"), np.uint8),
    **dict.fromkeys(("basis", "centre", "spread"), np.float32),
}


@dataclass(frozen=True, eq=False)
class ImageMap:
    """N test images at T snapshots, by a network of H hidden values and up to 256 classes.

    `steps`: (T,) int64, of the snapshots; `index`: (N,) int32 places in the test set; `labels`:
    (N,) uint8 true classes; `answers`: (T, N) uint8 predicted classes; `points`: (T, N, 2) uint8
    coordinates from -REACH to REACH. `basis` (H, 2), `centre` (T, 2) and `spread` (T,), float32,
    give a further image its place.
    """

    steps: np.ndarray
    index: np.ndarray
    labels: np.ndarray
    answers: np.ndarray
    points: np.ndarray
    basis: np.ndarray
    centre: np.ndarray
    spread: np.ndarray

    def place(self, hidden: np.ndarray) -> np.ndarray:
        """(T, H) hidden values of one image, at each snapshot -> (T, 2) uint8 coordinates."""
        return coordinates((hidden @ self.basis - self.centre) / self.spread[:, None])

    def accuracy(self) -> np.ndarray:
        """(T,) shares of these images that are predicted correctly."""
        return np.asarray((self.answers == self.labels).mean(axis=1))

    def confusion(self, classes: int) -> np.ndarray:
        """(T, classes, classes) counts at each snapshot; the true class gives the row."""
        counts = np.zeros((len(self.steps), classes, classes), np.int64)
        for at, answers in enumerate(self.answers):
            np.add.at(counts[at], (self.labels, answers), 1)
        return counts

    def to_bytes(self) -> bytes:
        return tensors_to_bytes({name: getattr(self, name) for name in KINDS})


def coordinates(places: np.ndarray) -> np.ndarray:
    """Places in the plane, in units of the spread -> uint8 coordinates."""
    share = (places.clip(-REACH, REACH) + REACH) / (2 * REACH)
    return np.rint(share * STEPS).astype(np.uint8)


def read_image_map(path: Path, classes: int) -> ImageMap:
    """Raises NotFound, or LabError when the file is damaged or not of so many classes."""
    found = read_tensors_file(path)
    if not _is_whole(found, classes):
        raise LabError(f"{path} is damaged: it is no image map of {classes} classes.")
    return ImageMap(**found)


def _is_whole(found: Mapping[str, np.ndarray], classes: int) -> bool:
    if {name: values.dtype for name, values in found.items()} != KINDS:
        return False
    times, count = found["steps"].shape, found["index"].shape
    shapes = {"steps": times, "index": count, "labels": count, "answers": times + count}
    shapes |= {"points": times + count + (2,), "centre": times + (2,), "spread": times}
    shapes["basis"] = (*found["basis"].shape[:1], 2)
    if len(times) != 1 or len(count) != 1 or not times[0] * count[0]:
        return False
    if any(found[name].shape != shape for name, shape in shapes.items()):
        return False
    numbers = all(np.isfinite(found[name]).all() for name in ("basis", "centre", "spread"))
    known = max(found["labels"].max(), found["answers"].max()) < classes
    return bool(numbers and known and (found["spread"] > 0).all() and (found["index"] >= 0).all())
