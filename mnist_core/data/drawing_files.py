"""Drawings as files: a table of labels, a PNG for each drawing, and a zip of both.

Whatever is read here may come from anybody: each value is checked. Loads without torch.
"""

import csv
import functools
import io
import itertools
import re
import unicodedata
import zipfile
import zlib
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from PIL import Image

from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.files import is_text
from mnist_core.imaging.tiles import png

TABLE = "labels.csv"
COLUMNS = ("file", "label", "saved", "author", "owner")
IN_ZIP = COLUMNS[:-1]  # who saved a drawing is for this lab alone
FILE_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,60}\.png")
OWNER = re.compile(r"[0-9a-z]{0,40}")
LONGEST_AUTHOR = 24  # characters
IN_AUTHOR = " .'’-_"  # besides letters, their marks, and numbers
MAX_DRAWINGS = 2000  # drawings of one data set, in one set
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
    """One drawing: its file's name, its label, and when it was saved (UTC).

    `author` is the tag that a person gave; `owner` the key of the visitor who saved it, "" for
    whoever sits at the machine itself.
    """

    file: str
    label: int
    saved: str
    author: str = ""
    owner: str = ""


def checked_author(text: Any) -> str:
    """A tag as it is kept; "" for none. Raises InputError.

    Nothing but letters, numbers and a few signs: a spreadsheet takes a cell that begins with "="
    for a formula.
    """
    tag = " ".join(unicodedata.normalize("NFC", text).split()) if is_text(text) else "?"
    odd = not tag[:1].isalnum() if tag else False
    odd = odd or not all(map(_is_in_words, tag))
    if odd or len(tag) > LONGEST_AUTHOR:
        raise InputError(
            f"tag: {repr(text)[:60]} was given; allowed are up to {LONGEST_AUTHOR} letters and "
            "numbers"
        )
    return tag


def _is_in_words(letter: str) -> bool:
    return letter in IN_AUTHOR or unicodedata.category(letter)[0] in "LMN"


def read_zip(content: bytes, dataset: str) -> list[tuple[Sample, bytes]]:
    """The drawings of a zip that may come from anybody, each checked. Raises InputError.

    A zip of another data set must have the same classes. Names are looked up in the archive and
    never used as paths; no more is unpacked than is allowed, whatever the archive's headers say.
    Nobody owns what is in a zip.
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
            return [
                (replace(s, owner=""), png(read_png(_unpacked(archive, s.file, MAX_PNG))))
                for s in samples
            ]
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
        return checked_picture(np.array(image.convert("L")))
    except InputError:
        raise
    except Exception as error:  # decoders raise a dozen kinds on damaged files
        raise InputError(f"A drawing is no PNG, or damaged ({type(error).__name__}).") from error


def checked_picture(picture: np.ndarray) -> np.ndarray:
    right = picture.ndim == 2 and picture.dtype == np.uint8 and picture.size
    if not right or max(picture.shape) > MAX_SIDE:
        raise InputError(f"A drawing has the shape {picture.shape}, {picture.dtype}.")
    if not picture.any():
        raise InputError("A drawing is empty.")
    return picture


@functools.lru_cache(maxsize=32)
def read_table(content: bytes, classes: int) -> tuple[Sample, ...]:
    """The rows of labels.csv, whose labels are below `classes`. Raises InputError for a bad row."""
    samples = tuple(_sample(*row, classes) for row in _rows(content))
    if len({sample.file for sample in samples}) < len(samples):
        raise InputError(f"{TABLE} names a file twice.")
    return samples


def readable_rows(content: bytes, classes: int) -> list[Sample]:
    """What can be read of a damaged table; of rows that name the same file, the first."""
    found: dict[str, Sample] = {}
    with suppress(InputError):
        for row in _rows(content.decode("utf-8-sig", "replace").encode()):
            with suppress(InputError):
                sample = _sample(*row, classes)
                found.setdefault(sample.file, sample)
    return list(found.values())


def _rows(content: bytes) -> list[tuple[int, dict]]:
    """Rows with the numbers of their lines."""
    try:
        reader = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
        if len(reader.fieldnames or ()) > MAX_COLUMNS:
            raise InputError(f"{TABLE} has more than {MAX_COLUMNS} columns.")
        rows = list(itertools.islice(reader, MAX_DRAWINGS + 1))
    except (UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{TABLE} is no CSV in UTF-8 ({error}).") from error
    if len(rows) > MAX_DRAWINGS:
        raise InputError(f"{TABLE} has more than {MAX_DRAWINGS:,} rows.")
    return list(enumerate(rows, start=2))


def _sample(number: int, row: dict, classes: int) -> Sample:
    file, label = str(row.get("file") or ""), str(row.get("label") or "")
    line = f"{TABLE}, line {number}"
    if not FILE_NAME.fullmatch(file):
        raise InputError(f"{line}: the file is {file[:60]!r}; allowed is a name such as 7-a.png")
    if not re.fullmatch(r"[0-9]{1,3}", label) or int(label) >= classes:
        raise InputError(f"{line}: the label is {label[:60]!r}; allowed is 0 to {classes - 1}")
    saved, owner = str(row.get("saved") or ""), str(row.get("owner") or "")
    if not OWNER.fullmatch(owner):
        raise InputError(f"{line}: the owner is {owner[:60]!r}, which is no visitor's key")
    try:
        author = checked_author(str(row.get("author") or ""))
    except InputError as error:
        raise InputError(f"{line}: {error}") from None
    known = re.fullmatch(r"[0-9T:Z-]{0,20}", saved)
    return Sample(file, int(label), saved if known else "", author, owner)
