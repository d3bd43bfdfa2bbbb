"""What the part of a page that goes through a run's snapshots shows, as the browser needs it."""

from __future__ import annotations

import base64
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mnist_core.analysis import describe
from mnist_core.data.idx import missing_files
from mnist_core.errors import LabError
from mnist_core.evaluation.metrics import softmax
from mnist_core.evaluation.network import Network
from mnist_core.files import signature
from mnist_core.imaging import tiles
from mnist_core.inspection import over_time
from mnist_core.inspection.columns import Column, columns
from mnist_core.inspection.feature_maps import first_kernels, kind_of
from mnist_core.paths import data_root
from mnist_core.runs.image_map import NAME, ImageMap
from mnist_core.runs.run import Run
from mnist_core.runs.snapshots import SNAPSHOTS, Snapshot
from pages.components.shared.cache import cached

MOST_KERNELS, MOST_MAPS, LAYERS = 32, 6, 3
Maps = dict[str, np.ndarray]


@dataclass(frozen=True, eq=False)
class Timeline:
    """A run's snapshots and the network at each; `hidden` is the stage before the last layer."""

    run: Run
    snapshots: Sequence[Snapshot]
    networks: Sequence[Network]
    hidden: str

    @property
    def steps(self) -> list[int]:
        return [snapshot.step for snapshot in self.snapshots]


def _snapshots_of(run: Run) -> Hashable:
    return run.path, signature(run.path / SNAPSHOTS)


def _map_of(run: Run) -> Hashable:
    path = run.path / NAME
    return _snapshots_of(run), signature(path) if path.is_file() else None, has_images(run)


@cached(_snapshots_of, most=6, spinner="Loading the snapshots …")
def timeline(run: Run) -> Timeline:
    """Raises LabError where the run's snapshots cannot be read."""
    snapshots = run.snapshots()
    networks = [over_time.network_at(run, snapshot) for snapshot in snapshots]
    return Timeline(run, snapshots, networks, over_time.hidden_stage(networks[-1].model))


def has_images(run: Run) -> bool:
    return not missing_files(run.config.dataset, data_root())


@cached(_map_of, most=16, spinner="Reading 1,000 test images at each time …")
def map_of(run: Run) -> ImageMap | None:
    """The run's map of test images: as kept with it, or computed; None without the images."""
    here = timeline(run)
    kept = over_time.stored_map(run, here.steps)
    if kept or not has_images(run):
        return kept
    images, index, labels = over_time.test_images_of(run)
    values = [
        _values((run.path, snapshot.step, run.summary.created), network, images)
        for snapshot, network in zip(here.snapshots, here.networks, strict=True)
    ]
    hidden, logits = zip(*values, strict=True)
    return over_time.image_map(here.steps, hidden, logits, index, labels)


@cached(lambda moment, *_: moment, most=60)
def _values(
    moment: Hashable, network: Network, images: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Kept: of a run in progress, only the newest snapshot is computed."""
    return over_time.values_at(network, images)


def side(run: Run, image: np.ndarray) -> dict[str, Any]:
    """All that watch.js shows of one run, for one (28, 28) uint8 image. Raises LabError."""
    here = timeline(run)
    maps = [over_time.maps_at(network, image) for network in here.networks]
    logits = np.stack([list(values.values())[-1] for values in maps])
    return {
        "run": run.id,
        "title": title_of(run),
        "steps": here.steps,
        "epochs": [snapshot.epoch for snapshot in here.snapshots],
        "image": {"pixels": coded(tiles.colour_indices(image.astype(float), grey=True)[0])},
        "kernels": _kernels(here),
        "maps": [_layer(here, column, maps) for column in _layers(here, maps[-1])],
        "probabilities": softmax(logits).round(4).tolist(),
        **_points(here, maps),
    }


def title_of(run: Run) -> str:
    config = run.config
    return f"{describe.title_of(run)} · {config.optimizer}, learning rate {config.lr:g}"


def _kernels(here: Timeline) -> dict[str, Any] | None:
    found = [first_kernels(network.model) for network in here.networks]
    if not all(found):  # a network without convolutions
        return None
    kernels = np.stack([each[1][:MOST_KERNELS] for each in found if each])
    _, count, height, width = kernels.shape
    indices, _, _ = tiles.colour_indices(kernels)
    about = f"{count} of {height}×{width}, on one scale at all times"
    return _grid("First kernels", about, indices) | {"kernel": True}


def _layers(here: Timeline, maps: Maps) -> list[Column]:
    """The first convolutions and poolings."""
    found = columns(here.networks[-1].model, maps)
    return [column for column in found if column.source is not None and not column.flat][:LAYERS]


def _layer(here: Timeline, column: Column, maps: Sequence[Maps]) -> dict[str, Any]:
    """Some channels of a layer; the same ones at all times, each time on a scale of its own."""
    values = [column.values(each)[:MOST_MAPS] for each in maps]
    indices = np.stack([tiles.colour_indices(each)[0] for each in values])
    channels, height, width = column.shape
    kind = kind_of(here.networks[-1].model, column.name)
    shown = f"{len(indices[0])} of {channels}" if channels > MOST_MAPS else f"{channels}"
    return _grid(column.name, f"{kind}, {shown} maps of {height}×{width}", indices)


def _grid(name: str, about: str, indices: np.ndarray) -> dict[str, Any]:
    """`indices`: (T, channels, height, width) places in the palette."""
    _, count, height, width = indices.shape
    size = {"count": count, "height": height, "width": width}
    return {"name": name, "about": about, "pixels": coded(indices)} | size


def _points(here: Timeline, maps: Sequence[Maps]) -> dict[str, Any]:
    """The test images, and the image at hand as a cross; or why there are none."""
    try:
        found = map_of(here.run)
    except LabError as error:
        return {"map": None, "why": str(error)}
    if found is None:
        why = "The test images as points need the data set, which is not on this machine."
        return {"map": None, "why": why}
    hidden = [over_time.hidden_values(each[here.hidden]) for each in maps]
    points = {
        "points": coded(found.points),
        "answers": coded(found.answers),
        "labels": coded(found.labels),
        "index": found.index.tolist(),
        "cross": found.place(np.stack([each.ravel() for each in hidden])).tolist(),
        "can_open": has_images(here.run),
    }
    return {"map": points}


def coded(values: np.ndarray) -> str:
    return base64.b64encode(np.ascontiguousarray(values, np.uint8).tobytes()).decode()
