"""The drawings that a network is fine-tuned on: where they come from, and what tells them apart.

Loads without torch.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from mnist_core.data.drawing_files import MAX_ZIP, Sample, read_png, read_zip
from mnist_core.data.drawing_sets import KEY, find_set
from mnist_core.data.handwriting import Handwriting, as_read
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.files import read_file
from mnist_core.formatting import counted
from mnist_core.tuning import FEWEST_DRAWINGS, MOST_DRAWINGS

EVERYBODY, SET, FILE = "everybody", "set", "file"
KINDS = (EVERYBODY, SET, FILE)
FEWEST_OF_EACH = 2  # drawings of a class, where no image of the data set is at hand


@dataclass(frozen=True)
class Source:
    """Everybody's drawings, those of the set with the key `name`, or those of the zip file there.

    Raises ValueError for another kind.
    """

    kind: str
    name: str = ""

    def __post_init__(self) -> None:
        if self.kind not in KINDS or bool(self.name) != (self.kind != EVERYBODY):
            raise ValueError("this is no source of drawings")

    @property
    def set_key(self) -> str | None:
        """The key of the set; None for everybody's drawings, and for a file."""
        return self.name if self.kind == SET else None


@dataclass(frozen=True, eq=False)
class TuningSet:
    """Drawings for a data set: their files' names, (N, 28, 28) uint8 as networks read them, and
    (N,) int64 labels. Their order follows from what they show, not from their names."""

    dataset: str
    source: Source
    files: tuple[str, ...]
    images: np.ndarray
    labels: np.ndarray

    def __len__(self) -> int:
        return len(self.files)

    @functools.cached_property
    def fingerprint(self) -> str:
        """16 hexadecimal digits: the same for the same drawings with the same labels."""
        digest = hashlib.sha256(self.labels.astype("<i8").tobytes())
        digest.update(np.ascontiguousarray(self.images).tobytes())
        return digest.hexdigest()[:16]

    @functools.cached_property
    def hashes(self) -> tuple[str, ...]:
        """Of each drawing what tells its image from others (see `image_hash`)."""
        return tuple(map(image_hash, self.images))

    def only(self, files: Collection[str]) -> TuningSet:
        """Those of them that have these names."""
        kept = [place for place, file in enumerate(self.files) if file in files]
        names = tuple(self.files[place] for place in kept)
        return TuningSet(self.dataset, self.source, names, self.images[kept], self.labels[kept])


def image_hash(image: np.ndarray) -> str:
    """16 hexadecimal digits: the same for the same (28, 28) uint8 image, whatever its label."""
    return hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest()[:16]


def tuning_set(
    dataset: str, source: Source, samples: Sequence[Sample], images: np.ndarray
) -> TuningSet:
    """Of (N, 28, 28) uint8 `images`, which the `samples` name."""
    keys = [(sample.label, image.tobytes()) for sample, image in zip(samples, images, strict=True)]
    order = sorted(range(len(keys)), key=keys.__getitem__)
    labels = np.array([samples[place].label for place in order], np.int64)
    files = tuple(samples[place].file for place in order)
    return TuningSet(dataset, source, files, images[order], labels)


def read_tuning_set(root: Path, dataset: str, source: Source) -> TuningSet:
    """The drawings that the source has for the data set; there may be none.

    Raises NotFound for a set that is gone, InputError for a bad file, LabError for what is damaged.
    """
    if source.kind == FILE:
        return _from_file(dataset, source)
    own = Handwriting(root, dataset, source.set_key)
    if source.set_key:
        find_set(root, source.set_key)
    return tuning_set(dataset, source, *own.readable(own.samples()))


def _from_file(dataset: str, source: Source) -> TuningSet:
    try:
        content = read_file(Path(source.name), MAX_ZIP)
    except OSError as error:
        raise InputError(f"digits: {source.name} cannot be read ({error.strerror})") from error
    except ValueError as error:
        raise InputError(f"digits: {source.name} cannot be read ({error})") from error
    found = read_zip(content, dataset)
    images = [as_read(read_png(picture), dataset) for _, picture in found]
    pixels = np.array(images, np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)
    return tuning_set(dataset, source, [sample for sample, _ in found], pixels)


def source_of(text: str) -> Source:
    """What a person names: "everybody", a set's key, or a zip file. Raises InputError."""
    if text == EVERYBODY:
        return Source(EVERYBODY)
    if text and Path(text).is_file():
        return Source(FILE, str(Path(text).resolve()))
    if KEY.fullmatch(text):
        return Source(SET, text)
    raise InputError(
        f"digits: {text[:80]!r} was given; allowed is {EVERYBODY} (what My digits shows without a "
        "set), the key in a set's link, or a zip file of drawings"
    )


def check_enough(root: Path, drawings: TuningSet, *, guarded: bool) -> None:
    """Raises InputError where something is `lacking`."""
    if reason := lacking(root, drawings, guarded=guarded):
        raise InputError(f"digits: {reason}")


def lacking(root: Path, drawings: TuningSet, *, guarded: bool) -> str:
    """Why a network would learn nothing from these drawings, or harm; "" where it would.

    `guarded`: images of the data set are mixed in, so that the network does not forget them.
    """
    count, dataset = len(drawings), drawings.dataset
    if not count:
        return _nothing_there(root, drawings)
    there = f"there {'is' if count == 1 else 'are'} {counted(count, 'drawing')}"
    if not FEWEST_DRAWINGS <= count <= MOST_DRAWINGS:
        return f"{there}; a network needs {FEWEST_DRAWINGS} to {MOST_DRAWINGS:,}"
    if (different := len(set(drawings.hashes))) < FEWEST_DRAWINGS:
        return (
            f"{there}, but only {different} different; a network needs at least {FEWEST_DRAWINGS}"
        )
    classes = dataset_spec(dataset).classes
    counts = np.bincount(drawings.labels, minlength=len(classes))
    rare = [name for name, n in zip(classes, counts, strict=True) if n < FEWEST_OF_EACH]
    if rare and not guarded:
        return (
            f"without {dataset}'s images on this machine, at least {FEWEST_OF_EACH} drawings of "
            f"each class are needed, or the network would forget the others; there are too few of "
            f"{_list(rare)}"
        )
    return ""


def _list(names: Iterable[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _nothing_there(root: Path, drawings: TuningSet) -> str:
    """Says for which data set there are drawings, if for any: the network may be the wrong one."""
    source, dataset = drawings.source, drawings.dataset
    if source.kind != FILE:
        for other in dataset_names():
            there = len(Handwriting(root, other, source.set_key).samples())
            if there:
                return (
                    f"there are no drawings for {dataset}, but {there:,} for {other}; "
                    f"choose a network that was trained on {other}"
                )
    return f"there are no drawings for {dataset}; draw some on the Playground first"
