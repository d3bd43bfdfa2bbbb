"""Your own handwriting: drawings with their labels, as a folder of PNGs and a CSV.

    handwriting/MNIST/labels.csv        a row for each drawing: file, label, saved
    handwriting/MNIST/20261120-….png    grey, 0 = no ink, 255 = full ink

Networks read a picture of 28×28 as it is; a larger one is ink, and is normalised first. A zip of
the same files exports and imports the drawings. Loads without torch.
"""

import csv
import io
import itertools
import re
import secrets
import time
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from filelock import FileLock
from PIL import Image

from mnist_core.dataset_specs import IMAGE_SIDE, dataset_names, dataset_spec
from mnist_core.errors import InputError, LabError
from mnist_core.files import SMALL_FILE_LIMIT, read_bytes, read_file, to_csv, write_bytes, writing
from mnist_core.imaging.preprocess import from_ink
from mnist_core.imaging.tiles import png
from mnist_core.locks import named_lock

TABLE = "labels.csv"
COLUMNS = ("file", "label", "saved")
FILE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,60}\.png")
MAX_DRAWINGS = 2000  # drawings of one data set
MAX_SIDE = 400  # pixels of one drawing
MAX_PNG = 200_000  # bytes of one drawing
MAX_TABLE = 500_000  # bytes
MAX_COLUMNS = 10  # rows times columns is what takes memory
MAX_ZIP = 32_000_000  # bytes, packed: 16,000 for each drawing, twice a dense scribble
DATASET_FILE = "dataset.txt"  # in the zip: the name of the data set whose classes the labels are
MAX_DATASET_NAME = 100  # bytes
# Compressions that are unpacked piece by piece, so that a size limit holds; others unpack whole.
READ_IN_PIECES = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
DAMAGED_ZIP = (zipfile.BadZipFile, zlib.error, EOFError)


@dataclass(frozen=True)
class Sample:
    """One drawing: its file's name, its label, and when it was saved (UTC)."""

    file: str
    label: int
    saved: str


class Handwriting:
    """The drawings for one data set, below `root`, which is the run store's folder.

    Every call reads the files anew: nothing is cached.
    """

    def __init__(self, root: Path, dataset: str) -> None:
        self.root, self.dataset = root, dataset
        self.folder = root / "handwriting" / dataset
        self.classes = dataset_spec(dataset).num_classes

    def samples(self) -> list[Sample]:
        """All drawings, the newest last. Raises LabError when the table is damaged."""
        content = read_bytes(self.folder / TABLE)
        if content is None:
            return []
        try:
            return read_table(content, self.classes)
        except InputError as error:
            raise LabError(f"{self.folder / TABLE} is damaged: {error}") from error

    def add(self, picture: np.ndarray, label: int) -> Sample:
        """Saves a drawing, (h, w) uint8 ink, with its label. Raises InputError or LabError."""
        if isinstance(label, bool) or not isinstance(label, int) or not 0 <= label < self.classes:
            raise InputError(f"label: {label!r} was given; allowed is 0 to {self.classes - 1}")
        saved = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        sample, content = Sample(new_name(), label, saved), png(_checked_picture(picture))
        with self._lock():
            samples = self.samples()
            if len(samples) >= MAX_DRAWINGS:
                raise InputError(f"The set is full: it holds {MAX_DRAWINGS:,} drawings at most.")
            write_bytes(self.folder / sample.file, content)
            self._write([*samples, sample])
        return sample

    def remove(self, file: str) -> None:
        """Deletes a drawing. Does nothing when it is not there."""
        with self._lock():
            samples = self.samples()
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
        if picture.shape == (IMAGE_SIDE, IMAGE_SIDE):
            return picture
        stages = from_ink(picture, fill=dataset_spec(self.dataset).filled)
        assert stages  # an empty picture has not been read
        return stages.final

    def to_zip(self) -> bytes:
        """A zip file of the table and the pictures, without those that are damaged."""
        (samples, _), file = self.readable(self.samples()), io.BytesIO()
        with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(TABLE, to_csv(map(vars, samples), COLUMNS))
            archive.writestr(DATASET_FILE, self.dataset)
            for sample in samples:
                archive.writestr(
                    sample.file, read_file(self.folder / sample.file, SMALL_FILE_LIMIT)
                )
        return file.getvalue()

    def from_zip(self, content: bytes, room: int | None = None) -> list[str]:
        """Adds the drawings of such a zip, at most `room` new ones; returns the new files' names.

        Every entry is checked before the first is written. Drawings that are here already (with the
        same file name, label and time) are skipped. Raises InputError, also when the zip is of a
        data set with other classes, or LabError.
        """
        given = read_zip(content, self.dataset)
        with self._lock():
            samples = self.samples()
            here = set(samples)
            new = [(sample, data) for sample, data in given if sample not in here]
            if len(samples) + len(new) > MAX_DRAWINGS:
                raise InputError(
                    f"The zip holds {len(new):,} new drawings; with the {len(samples):,} here that "
                    f"is more than {MAX_DRAWINGS:,}."
                )
            if room is not None and len(new) > room:
                raise InputError(f"The zip holds {len(new):,} new drawings; {room:,} are allowed.")
            taken, added = {sample.file for sample in samples}, []
            for sample, data in new:
                name = new_name() if sample.file in taken else sample.file
                taken.add(name)
                added.append(name)
                write_bytes(self.folder / name, data)
                samples.append(Sample(name, sample.label, sample.saved))
            if new:
                self._write(samples)
        return added

    def _write(self, samples: list[Sample]) -> None:
        write_bytes(self.folder / TABLE, to_csv(map(vars, samples), COLUMNS))

    def _lock(self) -> FileLock:
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        return named_lock(self.root, f"handwriting-{self.dataset}")


def read_zip(content: bytes, dataset: str) -> list[tuple[Sample, bytes]]:
    """The drawings of a zip that may come from anybody, each checked. Raises InputError.

    A zip of another data set must have the same classes. Names are looked up in the archive and
    never used as paths; no more is unpacked than is allowed, whatever the archive's headers say.
    """
    if len(content) > MAX_ZIP:
        raise InputError(f"The zip has {len(content):,} bytes; {MAX_ZIP:,} are allowed.")
    # Entries are counted by their signature: listing too many of them would fill the memory.
    if content.count(b"PK\x01\x02") > 2 * MAX_DRAWINGS:
        raise InputError(f"The zip has far more than {MAX_DRAWINGS:,} entries.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            _check_kind(archive, dataset)
            classes = dataset_spec(dataset).num_classes
            samples = read_table(_unpacked(archive, TABLE, MAX_TABLE), classes)
            # Encoded again, so that nothing but a picture's pixels is kept.
            return [(s, png(read_png(_unpacked(archive, s.file, MAX_PNG)))) for s in samples]
    except InputError:
        raise
    except (*DAMAGED_ZIP, OSError, ValueError, RuntimeError, MemoryError) as error:
        # RuntimeError: an encrypted archive; NotImplementedError: an unknown compression
        raise InputError(f"This is no zip of drawings, or a damaged one ({error}).") from error


def _check_kind(archive: zipfile.ZipFile, dataset: str) -> None:
    if DATASET_FILE not in archive.namelist():
        return  # a zip made by hand
    kind = _unpacked(archive, DATASET_FILE, MAX_DATASET_NAME).decode("ascii", "replace")
    if kind not in dataset_names() or dataset_spec(kind).classes != dataset_spec(dataset).classes:
        raise InputError(f"The zip holds drawings for {kind!a}; choose a network trained on that.")


def _unpacked(archive: zipfile.ZipFile, name: str, limit: int) -> bytes:
    try:
        if archive.getinfo(name).compress_type not in READ_IN_PIECES:
            raise InputError(f"{name} is packed in another way than zip files commonly are.")
        with archive.open(name) as file:
            content = file.read(limit + 1)
    except KeyError:
        raise InputError(f"The zip lacks {name}.") from None
    if len(content) > limit:
        raise InputError(f"{name} in the zip has more than {limit:,} bytes.")
    return content


def read_png(content: bytes) -> np.ndarray:
    """(h, w) uint8 of a PNG; its size is checked before it is decoded. Raises InputError."""
    try:
        image = Image.open(io.BytesIO(content), formats=("PNG",))
        if max(image.size) > MAX_SIDE:
            given = f"A drawing has {image.width:,} × {image.height:,} pixels"
            raise InputError(f"{given}; at most {MAX_SIDE} a side are allowed.")
        return _checked_picture(np.array(image.convert("L")))
    except InputError:
        raise
    except Exception as error:  # decoders raise a dozen kinds on damaged files
        raise InputError(f"A drawing is no PNG, or damaged ({type(error).__name__}).") from error


def read_table(content: bytes, classes: int) -> list[Sample]:
    """The rows of labels.csv, whose labels are below `classes`. Raises InputError for a bad row."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        if len(reader.fieldnames or ()) > MAX_COLUMNS:
            raise InputError(f"{TABLE} has more than {MAX_COLUMNS} columns.")
        rows = list(itertools.islice(reader, MAX_DRAWINGS + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{TABLE} is no CSV in UTF-8 ({error}).") from error
    if len(rows) > MAX_DRAWINGS:
        raise InputError(f"{TABLE} has more than {MAX_DRAWINGS:,} rows.")
    samples = [_sample(number, row, classes) for number, row in enumerate(rows, start=2)]
    if len({sample.file for sample in samples}) < len(samples):
        raise InputError(f"{TABLE} names a file twice.")
    return samples


def _sample(number: int, row: dict, classes: int) -> Sample:
    file, label = str(row.get("file") or ""), str(row.get("label") or "")
    line = f"{TABLE}, line {number}"
    if not FILE_NAME.fullmatch(file):
        raise InputError(f"{line}: the file is {file[:60]!r}; allowed is a name such as 7-a.png")
    if not re.fullmatch(r"[0-9]{1,3}", label) or int(label) >= classes:
        raise InputError(f"{line}: the label is {label[:60]!r}; allowed is 0 to {classes - 1}")
    saved = str(row.get("saved") or "")
    return Sample(file, int(label), saved if re.fullmatch(r"[0-9T:Z-]{0,20}", saved) else "")


def new_name() -> str:
    return f"{time.strftime('%Y%m%d-%H%M%S', time.gmtime())}-{secrets.token_hex(4)}.png"


def _checked_picture(picture: np.ndarray) -> np.ndarray:
    right = picture.ndim == 2 and picture.dtype == np.uint8 and picture.size
    if not right or max(picture.shape) > MAX_SIDE:
        raise InputError(f"A drawing has the shape {picture.shape}, {picture.dtype}.")
    if not picture.any():
        raise InputError("A drawing is empty.")
    return picture
