"""Drawings with their labels, as a folder of PNGs and a CSV: everybody's, or a group's own set.

    handwriting/MNIST/labels.csv        a row for each drawing: file, label, saved, author, owner
    handwriting/MNIST/20261120-….png    grey, 0 = no ink, 255 = full ink

Networks read a picture of 28×28 as it is; a larger one is ink, and is normalised first. A zip of
the same files exports and imports the drawings. Loads without torch.
"""

import io
import secrets
import time
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np

from mnist_core.data import drawing_files
from mnist_core.data.drawing_files import (
    COLUMNS,
    DATASET_FILE,
    IN_ZIP,
    TABLE,
    Sample,
    checked_author,
    checked_picture,
    read_png,
    read_table,
    read_zip,
    readable_rows,
)
from mnist_core.data.drawing_sets import (
    BUSY,
    PATIENCE,
    all_sets,
    check_takes_drawings,
    drawings_lock,
    set_folder,
)
from mnist_core.dataset_specs import IMAGE_SIDE, dataset_names, dataset_spec
from mnist_core.errors import InputError, LabError
from mnist_core.files import (
    SMALL_FILE_LIMIT,
    read_bytes,
    read_file,
    signature,
    to_csv,
    write_bytes,
    writing,
)
from mnist_core.imaging.preprocess import from_ink
from mnist_core.imaging.tiles import png
from mnist_core.locks import held


class Handwriting:
    """The drawings for one data set, below `root`, which is the run store's folder.

    Everybody's drawings, or with the key of a set those of one group (see data.drawing_sets). Every
    call reads the files anew. Raises NotFound for what is no key.
    """

    def __init__(self, root: Path, dataset: str, set_key: str | None = None) -> None:
        self.root, self.dataset, self.set_key = root, dataset, set_key
        home = root / "handwriting" if set_key is None else set_folder(root, set_key)
        self.folder = home / dataset
        self.classes = dataset_spec(dataset).num_classes

    def samples(self) -> list[Sample]:
        """All drawings, the newest last. Raises LabError when the table is damaged."""
        content = read_bytes(self.folder / TABLE)
        try:
            return [] if content is None else list(read_table(content, self.classes))
        except InputError as error:
            raise LabError(
                f"{self.folder / TABLE} is damaged ({error}). The next drawing that is saved sets "
                "it aside and keeps the rows that can be read."
            ) from error

    def version(self) -> tuple[int, ...]:
        """Tells one state of the drawings from the next, without reading them."""
        try:
            return signature(self.folder / TABLE)
        except OSError:
            return ()

    def last_change(self) -> float:
        """When the drawings last changed, in seconds of time.time; 0 where there are none."""
        version = self.version()
        return version[0] / 1e9 if version else 0.0

    def add(self, picture: np.ndarray, label: int, author: str = "", owner: str = "") -> Sample:
        """Saves a drawing, (h, w) uint8 ink, with its label. Raises InputError or LabError."""
        if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < self.classes:
            raise InputError(f"label: {label!r} was given; allowed is 0 to {self.classes - 1}")
        saved = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sample = Sample(new_name(), label, saved, checked_author(author), owner)
        content = png(checked_picture(picture))
        with self._adding() as samples:
            most = drawing_files.MAX_DRAWINGS
            if len(samples) >= most:
                raise InputError(f"The set is full: it holds {most:,} drawings at most.")
            write_bytes(self.folder / sample.file, content)
            self._write([*samples, sample])
        return sample

    def remove(self, file: str) -> None:
        """Deletes a drawing. Does nothing when it is not there."""
        with self._alone():
            samples = self._samples_to_change()
            kept = [sample for sample in samples if sample.file != file]
            if len(kept) < len(samples):
                self._write(kept)  # now it is deleted; a picture that is left over does no harm
                with suppress(OSError):
                    (self.folder / file).unlink()

    def readable(self, samples: list[Sample]) -> tuple[list[Sample], np.ndarray]:
        """The drawings whose pictures can be read, and (N, 28, 28) uint8 as networks read them."""
        kept, images = [], []
        for sample in samples:
            with suppress(LabError):
                images.append(self.image(sample))
                kept.append(sample)
        return kept, np.array(images, np.uint8).reshape(-1, IMAGE_SIDE, IMAGE_SIDE)

    def image(self, sample: Sample) -> np.ndarray:
        """(28, 28) uint8: the drawing as a network reads it. Raises LabError."""
        path = self.folder / sample.file
        try:
            picture = read_png(read_file(path, SMALL_FILE_LIMIT))
        except (OSError, ValueError) as error:  # which an InputError is, too
            raise LabError(f"{path} cannot be read ({error}).") from error
        return as_read(picture, self.dataset)

    def to_zip(self) -> bytes:
        """A zip file of the table and the pictures, without those that are damaged."""
        (samples, _), file = self.readable(self.samples()), io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            rows = ({name: getattr(sample, name) for name in IN_ZIP} for sample in samples)
            archive.writestr(TABLE, to_csv(rows, IN_ZIP))
            archive.writestr(DATASET_FILE, self.dataset)
            for sample in samples:
                archive.writestr(
                    sample.file, read_file(self.folder / sample.file, SMALL_FILE_LIMIT)
                )
        return file.getvalue()

    def from_zip(self, content: bytes, room: int | None = None, owner: str = "") -> list[str]:
        """Adds the drawings of such a zip, at most `room` new ones; returns the new files' names.

        Every entry is checked before the first is written. Drawings that are here already (with the
        same file name, label and time) are skipped. Raises InputError, also when the zip is of a
        data set with other classes, or LabError.
        """
        given = read_zip(content, self.dataset)
        with self._adding() as samples:
            here = {_identity(sample) for sample in samples}
            new = [(sample, data) for sample, data in given if _identity(sample) not in here]
            self._check_room(len(samples), len(new), room)
            taken, added = {sample.file for sample in samples}, []
            for sample, data in new:
                name = new_name() if sample.file in taken else sample.file
                taken.add(name)
                added.append(name)
                write_bytes(self.folder / name, data)
                samples.append(replace(sample, file=name, owner=owner))
            if new:
                self._write(samples)
        return added

    def _check_room(self, here: int, new: int, room: int | None) -> None:
        most = drawing_files.MAX_DRAWINGS
        if here + new > most:
            raise InputError(
                f"The zip holds {new:,} new drawings; with the {here:,} here that is more than "
                f"{most:,}."
            )
        if room is not None and new > room:
            raise InputError(f"The zip holds {new:,} new drawings; {room:,} are allowed.")

    def _write(self, samples: list[Sample]) -> None:
        write_bytes(self.folder / TABLE, to_csv(map(vars, samples), COLUMNS))

    def _samples_to_change(self) -> list[Sample]:
        """All drawings. A damaged table is set aside: what can be read of it goes on."""
        path = self.folder / TABLE
        content = read_bytes(path)
        try:
            return [] if content is None else list(read_table(content, self.classes))
        except InputError:
            assert content is not None
            write_bytes(path.with_name(f"damaged-{new_name()}.csv"), content)
            return readable_rows(content, self.classes)

    @contextmanager
    def _alone(self) -> Iterator[None]:
        """Nobody else changes the drawings meanwhile."""
        lock = drawings_lock(self.root, self.set_key or self.dataset)
        with held(lock, BUSY, PATIENCE):
            yield

    @contextmanager
    def _adding(self) -> Iterator[list[Sample]]:
        """Alone, with the drawings that there are; raises LabError for a set that takes none."""
        with self._alone():
            if self.set_key is not None:
                check_takes_drawings(self.root, self.set_key)
            with writing(self.folder):
                self.folder.mkdir(parents=True, exist_ok=True)
            yield self._samples_to_change()


def as_read(picture: np.ndarray, dataset: str) -> np.ndarray:
    """(28, 28) uint8: a saved drawing, which is not empty, as a network reads it."""
    if picture.shape == (IMAGE_SIDE, IMAGE_SIDE):
        return picture
    stages = from_ink(picture, fill=dataset_spec(dataset).filled)
    assert stages  # an empty picture has not been read
    return stages.final


def _identity(sample: Sample) -> tuple[str, int, str]:
    return sample.file, sample.label, sample.saved


def new_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}.png"


def all_drawings(root: Path) -> list[Handwriting]:
    """Of all data sets, everybody's and each group's."""
    keys = [None, *(one.key for one in all_sets(root))]
    found = (Handwriting(root, name, key) for key in keys for name in dataset_names())
    return [each for each in found if each.folder.is_dir()]


def people(samples: Iterable[Sample]) -> int:
    """How many drew these: visitors, and of one visitor the tags. No tag is a person only where
    the same visitor used no other."""
    tags = defaultdict(set)
    for sample in samples:
        tags[sample.owner].add(sample.author.casefold())
    return sum(max(1, len(used - {""})) for used in tags.values())
