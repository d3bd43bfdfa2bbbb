"""A network at several times of its training: what it makes of images. Loads without torch.

See runs.snapshots for the times, and runs.image_map for the places of images.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from mnist_core.data.idx import read_part
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.network import Network
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.models import check_config, create_model_for
from mnist_core.paths import data_root
from mnist_core.runs.image_map import NAME, ImageMap, coordinates, read_image_map
from mnist_core.runs.run import Run
from mnist_core.runs.snapshots import Snapshot

if TYPE_CHECKING:
    from torch import nn

IMAGES = 1000  # test images of an image map
BATCH = 100  # images whose values of all stages are in memory at once
SMALLEST = 1e-6  # a spread: of a network that takes all images for the same


def network_at(run: Run, snapshot: Snapshot) -> Network:
    """The run's network with the snapshot's weights. Raises LabError where they do not fit."""
    import torch

    config = check_config(run.config)
    model = create_model_for(config)
    weights = {name: torch.tensor(values).float() for name, values in snapshot.weights.items()}
    floats = {name for name, values in model.state_dict().items() if values.is_floating_point()}
    try:
        if floats != weights.keys():
            raise ValueError("other names")
        model.load_state_dict(weights, strict=False)  # counters are not kept
    except (RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0]
        message = f"The snapshots of {run.id} do not fit {config.model} ({reason})."
        raise LabError(message) from error
    return Network(run, model.eval().requires_grad_(False))


def hidden_stage(model: nn.Module) -> str:
    """The stage whose values the last layer with weights reads, one that feature_maps tells.

    Raises LabError for a network without weights.
    """
    from mnist_core.inspection.stages import walk

    stages = {stage.name: stage for stage in walk(model)}
    for stage in reversed(stages.values()):
        if stage.module is not None and any(True for _ in stage.module.parameters()):
            name = stage.inputs[0]
            while name in stages and stages[name].inactive:
                name = stages[name].inputs[0]
            return name
    raise LabError("This network has no layer with weights.")


def maps_at(network: Network, image: np.ndarray) -> dict[str, np.ndarray]:
    """The output of every stage for one (28, 28) uint8 image (see feature_maps)."""
    import torch

    from mnist_core.data.transforms import to_input

    return feature_maps(network.model, to_input(torch.tensor(image)[None], network.run.config))


def hidden_values(maps: np.ndarray) -> np.ndarray:
    """(..., C) hidden values of a stage: maps, (..., C, H, W), are averaged over their pixels."""
    return maps.mean(axis=(-2, -1)) if maps.ndim > 2 else maps


def values_at(network: Network, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(N, 28, 28) uint8 images -> (N, H) float32 hidden values and (N, classes) logits."""
    import torch

    from mnist_core.data.transforms import to_input
    from mnist_core.inspection.stages import walk

    stage, hidden, logits = hidden_stage(network.model), [], []
    for start in range(0, len(images), BATCH):
        batch = torch.tensor(images[start : start + BATCH])
        stages = walk(network.model, to_input(batch, network.run.config))
        values = next((each.value for each in stages if each.name == stage), None)
        if values is None:  # the last layer reads the image itself
            values = to_input(batch, network.run.config).flatten(1)
        flat = values if values.ndim == 2 else values.flatten(2).mean(2)
        hidden.append(flat.numpy(force=True))
        logits.append(stages[-1].value.numpy(force=True))
    return np.concatenate(hidden), np.concatenate(logits)


def image_map(
    steps: Sequence[int],
    hidden: Sequence[np.ndarray],
    logits: Sequence[np.ndarray],
    index: np.ndarray,
    labels: np.ndarray,
) -> ImageMap:
    """The map of N images from their hidden values (N, H) and logits (N, classes) at each time."""
    centres = np.stack([values.mean(axis=0) for values in hidden])
    centred = [values - centre for values, centre in zip(hidden, centres, strict=True)]
    spread = np.array([max(SMALLEST, np.sqrt((v**2).sum(axis=1).mean())) for v in centred])
    basis = np.linalg.svd(centred[-1], full_matrices=False)[2][:2].T
    places = [values @ basis / size for values, size in zip(centred, spread, strict=True)]
    return ImageMap(
        steps=np.array(steps, np.int64),
        index=index.astype(np.int32),
        labels=labels.astype(np.uint8),
        answers=np.stack([values.argmax(axis=1) for values in logits]).astype(np.uint8),
        points=coordinates(np.stack(places)),
        basis=np.ascontiguousarray(basis, np.float32),
        centre=(centres @ basis).astype(np.float32),
        spread=spread.astype(np.float32),
    )


def chosen_images(labels: np.ndarray, count: int = IMAGES) -> np.ndarray:
    """Indices of up to `count` test images, ascending: the first of each class, as many of each."""
    classes = np.unique(labels)
    each = count // len(classes)
    firsts = [np.flatnonzero(labels == label)[:each] for label in classes]
    return np.sort(np.concatenate(firsts))


def test_images_of(run: Run) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(N, 28, 28) uint8 test images for a map of this run, their indices and their labels.

    Raises LabError where the data set is not there.
    """
    images, labels = read_part(run.config.dataset, data_root(), test=True)
    index = chosen_images(labels)
    return np.array(images[index]), index, labels[index]


def stored_map(run: Run, steps: Sequence[int]) -> ImageMap | None:
    """The map that is kept with the run; None without one, or where it has other steps.

    Raises LabError for a damaged file.
    """
    try:
        found = read_image_map(run.path / NAME, dataset_spec(run.config.dataset).num_classes)
    except NotFound:
        return None
    return found if found.steps.tolist() == list(steps) else None


def keep_map(run: Run) -> ImageMap:
    """Computes the run's map and writes it beside its snapshots. Raises LabError without data."""
    images, index, labels = test_images_of(run)
    snapshots = run.snapshots()
    values = [values_at(network_at(run, snapshot), images) for snapshot in snapshots]
    hidden, logits = zip(*values, strict=True)
    found = image_map([snapshot.step for snapshot in snapshots], hidden, logits, index, labels)
    run.folder.write_beside(NAME, found.to_bytes())
    return found
