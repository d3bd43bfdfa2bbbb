"""The pictures of a data set of one's own, one after the other: below a folder, or in a zip.

Whatever is read may come from anybody: no more than one picture is in memory, and no more of it
than LARGEST, whatever its headers say.
"""

import zipfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

from mnist_core.data.drawing_files import (
    DAMAGED_ZIP,
    DATASET_FILE,
    MAX_DATASET_NAME,
    MAX_ZIP,
    READ_IN_PIECES,
    TABLE,
    read_png,
    read_zip,
)
from mnist_core.data.handwriting import as_read
from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import InputError
from mnist_core.files import read_file
from mnist_core.imaging.image_file import PICTURES
from mnist_core.imaging.tiles import png

LARGEST = 2**26  # bytes of one picture
MOST = 200_000  # pictures
PARTS = {"train": False, "training": False, "test": True, "testing": True}
IN_DIRECTORY = b"PK\x01\x02"  # before each entry in a zip's directory
PIECE = 2**22  # bytes


def pictures(source: Path) -> Iterator[tuple[str, bool | None, str, bytes]]:
    """Of each picture: its class; whether it is for the test, None where its folder does not say;
    its name; its bytes. Raises InputError."""
    count = 0
    for where, content in _files(source):
        folders = PurePosixPath(where).parts[:-1]
        if not folders:
            raise InputError(
                f"{source}: {shown(where)} lies in no folder; put it into its class's folder"
            )
        parts = [PARTS[folder.lower()] for folder in folders[:-1] if folder.lower() in PARTS]
        count += 1
        if count > MOST:
            raise InputError(f"{source}: it has more than {MOST:,} pictures")
        yield folders[-1], parts[-1] if parts else None, where, content
    if not count:
        raise InputError(f"{source}: no pictures in folders were found ({', '.join(PICTURES)})")


def _files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The pictures below a folder, or in a zip: their names in it, and their bytes."""
    if source.is_dir():
        for path in sorted(source.rglob("*")):
            where = path.relative_to(source).as_posix()
            if _is_picture(where) and path.is_file():
                yield where, _content(path, shown(where))
        return
    try:
        _check_entries(source)
        with zipfile.ZipFile(source) as archive:
            if TABLE in archive.namelist():
                yield from _drawings(source, archive)
                return
            for entry in sorted(archive.infolist(), key=lambda entry: entry.filename):
                if _is_picture(entry.filename):
                    yield entry.filename, _unpacked(archive, entry)
    except OSError as error:
        raise InputError(f"{source}: it cannot be read ({error.strerror or error})") from error
    except (*DAMAGED_ZIP, RuntimeError) as error:  # RuntimeError: encrypted, or packed unusually
        raise InputError(f"{source}: it is neither a folder nor a zip that can be read") from error


def shown(where: str) -> str:
    """A file's name as it can be printed."""
    return where if where.isprintable() else ascii(where)[1:-1]


def _content(path: Path, where: str) -> bytes:
    try:
        return read_file(path, LARGEST)
    except OSError as error:
        raise InputError(f"{where}: it cannot be read ({error.strerror or error})") from error
    except ValueError as error:
        raise InputError(f"{where}: {error}") from error


def _check_entries(source: Path) -> None:
    """Raises InputError for a zip with so many entries that their list would fill the memory."""
    if not source.is_file():
        return  # what is not there, or is a device, is told when it is opened
    count, rest = 0, b""
    with source.open("rb") as file:
        while piece := file.read(PIECE):
            piece = rest + piece
            count += piece.count(IN_DIRECTORY)
            rest = piece[1 - len(IN_DIRECTORY) :]
    if count > 2 * MOST:
        raise InputError(f"{source}: it has more than {MOST:,} pictures")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    where = shown(entry.filename)
    if entry.compress_type not in READ_IN_PIECES:
        raise InputError(f"{where}: it is packed in another way than zip files commonly are")
    with archive.open(entry) as file:
        content = file.read(LARGEST + 1)
    if len(content) > LARGEST:
        raise InputError(f"{where}: it is larger than a picture can be")
    return content


def _drawings(source: Path, archive: zipfile.ZipFile) -> Iterator[tuple[str, bytes]]:
    """Those of a set of drawings that was downloaded on the Playground, as networks read them."""
    kind = "MNIST"
    if DATASET_FILE in archive.namelist():
        with archive.open(DATASET_FILE) as file:
            kind = file.read(MAX_DATASET_NAME).decode("ascii", "replace")
    classes = dataset_spec(kind).classes
    with source.open("rb") as file:
        packed = file.read(MAX_ZIP + 1)
    for sample, content in read_zip(packed, kind):
        image = as_read(read_png(content), kind)
        yield f"{classes[sample.label]}/{sample.file}", png(image)


def _is_picture(where: str) -> bool:
    parts = PurePosixPath(where).parts
    hidden = any(part.startswith((".", "__MACOSX")) for part in parts)
    return where.lower().endswith(PICTURES) and not hidden
