"""What all networks read in the drawings: each drawing once, for all visitors who look at it."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from mnist_core.data.drawing_files import Sample
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import image_hash
from mnist_core.dataset_specs import IMAGE_SIDE
from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import labels_of_each
from mnist_core.evaluation.network import Network
from mnist_core.files import signature
from mnist_core.imaging.tiles import png
from mnist_core.runs.run import Run
from pages.components.playground import markup
from pages.components.shared.cache import cached, weights_of

MOST_KEPT = 20_000  # labels of one network


@dataclass(frozen=True, eq=False)
class Drawn:
    """The drawings of a set, the newest last. `images`: (N, 28, 28) uint8 as networks read them;
    `pictures`: the same as sources of <img>. Those that cannot be read are apart."""

    folder: str
    version: tuple[int, ...]
    samples: tuple[Sample, ...]
    images: np.ndarray
    pictures: tuple[str, ...]
    unreadable: tuple[Sample, ...]

    @functools.cached_property
    def hashes(self) -> tuple[str, ...]:
        """Of each drawing what tells its image from others."""
        return tuple(map(image_hash, self.images))

    @property
    def labels(self) -> np.ndarray:
        return np.array([sample.label for sample in self.samples], int)


def drawn(own: Handwriting) -> Drawn:
    """The set as it is now; it is read when it has changed. Raises LabError."""
    return _drawn(own.version(), own)


@cached(lambda version, own: (str(own.folder), version), most=16)
def _drawn(version: tuple[int, ...], own: Handwriting) -> Drawn:
    samples, images, pictures, unreadable = [], [], [], []
    for sample in own.samples():
        try:
            image, picture = _image(own, sample, signature(own.folder / sample.file))
        except (OSError, LabError):
            unreadable.append(sample)
            continue
        samples.append(sample)
        images.append(image)
        pictures.append(picture)
    pixels = np.array(images, np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    kept = tuple(samples), pixels, tuple(pictures), tuple(unreadable)
    return Drawn(str(own.folder), version, *kept)


@cached(lambda own, sample, version: (str(own.folder), sample.file, version), most=5000)
def _image(own: Handwriting, sample: Sample, version: tuple[int, ...]) -> tuple[np.ndarray, str]:
    image = own.image(sample)
    return image, markup.image_source(png(image))


@dataclass
class _Kept:
    """The labels that one network gave, by the drawing's path. Whoever computes holds the lock."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    labels: OrderedDict[str, int] = field(default_factory=OrderedDict)


@cached(weights_of)
def _kept(run: Run) -> _Kept:
    return _Kept()


def answers(networks: Sequence[Network], shown: Drawn) -> np.ndarray:
    """(networks, N) labels that they give."""
    if not networks:
        return np.empty((0, len(shown.samples)), int)
    return np.stack([_answers(one, shown) for one in networks])


def _answers(one: Network, shown: Drawn) -> np.ndarray:
    paths = [f"{shown.folder}/{sample.file}" for sample in shown.samples]
    kept = _kept(one.run)
    with kept.lock:
        new = [at for at, path in enumerate(paths) if path not in kept.labels]
        if new:
            found = labels_of_each([one], shown.images[new])[0].tolist()
            kept.labels.update(zip((paths[at] for at in new), found, strict=True))
        labels = np.array([kept.labels[path] for path in paths], int)
        while len(kept.labels) > MOST_KEPT:
            kept.labels.popitem(last=False)
    return labels
