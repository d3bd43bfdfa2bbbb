"""One IDX file: its array, after the header and the size have been checked. Without torch.

The format: two zero bytes, a type code, the number of dimensions, each dimension as a
big-endian 32-bit number, then the values (http://yann.lecun.com/exdb/mnist/). Images stay on disk
and are mapped into memory, so that one image costs no more than its own 784 bytes. A file that is
still compressed is unpacked in memory, once for each process.
"""

import functools
import gzip
import math
import struct
import zlib
from pathlib import Path

import numpy as np

from mnist_core.dataset_specs import IMAGE_SHAPE, DatasetSpec
from mnist_core.errors import LabError

# The types that occur in these data sets, by their code.
KINDS: dict[int, np.dtype] = {8: np.dtype(np.uint8), 12: np.dtype(">i4")}
IMAGES, LABELS, WIDE_LABELS = (8, 3), (8, 1), (12, 2)  # type code and number of dimensions
HEADER = 16  # bytes: the longest that tells a file's type and shape
LARGEST = 2**30  # bytes that a compressed file is unpacked to: a million images have 0.8 · 2**30
GZIP = b"\x1f\x8b"


def content_of(path: Path) -> bytes:
    """All bytes of a file, unpacked. Raises OSError, EOFError or zlib.error."""
    if path.suffix != ".gz":
        return path.read_bytes()
    status = path.stat()
    return _unpacked(path, (status.st_mtime_ns, status.st_size))


def remedy(spec: DatasetSpec) -> str:
    return "it will be downloaded again" if spec.downloadable else "put a good one in its place"


def read_array(path: Path, spec: DatasetSpec, of_images: bool) -> np.ndarray:
    """The array in a file, mapped into memory unless it is compressed. Raises LabError."""
    content = None
    try:
        if path.suffix == ".gz":
            content = content_of(path)
            header, size = content[:HEADER], len(content)
        else:
            size = path.stat().st_size
            with path.open("rb") as file:
                header = file.read(HEADER)
    except (OSError, EOFError, zlib.error) as error:
        reason = getattr(error, "strerror", None) or error
        raise LabError(f"{path} cannot be read ({reason})") from error
    wrong = _what_is_wrong(header, size, of_images)
    if wrong:
        raise LabError(f"{path} {wrong}; delete it and {remedy(spec)}")
    shape, kind = _shape(header), KINDS[header[2]]
    start = 4 + 4 * len(shape)
    if content is not None:
        return np.frombuffer(content, kind, offset=start).reshape(shape)
    try:
        return np.memmap(path, kind, "r", offset=start, shape=shape)
    except (OSError, ValueError) as error:
        raise LabError(f"{path} cannot be read ({error})") from error


@functools.lru_cache(maxsize=4)
def _unpacked(path: Path, version: tuple[int, int]) -> bytes:  # noqa: ARG001 - for the cache
    """What a gzip file holds, up to one byte more than its header promises.

    `version`: when the file was changed, and its size.
    """
    with gzip.open(path) as file:
        header = file.read(HEADER)
        if len(header) < 4 or header[2] not in KINDS or len(header) < 4 + 4 * header[3]:
            return header
        return header + file.read(min(_whole(header), LARGEST) + 1 - len(header))


def _whole(header: bytes) -> int:
    """How many bytes a file that begins so has."""
    shape = _shape(header)
    return 4 + 4 * len(shape) + math.prod(shape) * KINDS[header[2]].itemsize


def _shape(header: bytes) -> tuple[int, ...]:
    dimensions = header[3]
    return struct.unpack(f">{dimensions}I", header[4 : 4 + 4 * dimensions])


def _what_is_wrong(header: bytes, size: int, of_images: bool) -> str:
    """What keeps a file of `size` bytes that begins so from being a data set's; empty if nothing.

    `header`: its first 16 bytes.
    """
    if len(header) < 4:
        return f"is cut short: {size} bytes"
    if header[:2] == GZIP:
        return "is compressed (gzip), but its name does not end in .gz"
    kind = header[2], header[3]
    if header[:2] != b"\0\0" or kind not in ([IMAGES] if of_images else [LABELS, WIDE_LABELS]):
        return f"is not an IDX file of this kind (it starts with {header[:4].hex(' ')})"
    start = 4 + 4 * kind[1]
    if len(header) < start:
        return f"is cut short: {size} bytes"
    shape, (height, width) = _shape(header), IMAGE_SHAPE[1:]
    if of_images and shape[1:] != (height, width):
        return f"holds images of {shape[1]}×{shape[2]} pixels instead of {height}×{width}"
    if 0 in shape:
        return "holds nothing"
    whole = _whole(header)
    if size < whole:
        return f"is cut short: {size:,} of {whole:,} bytes"
    return f"is too long: {size:,} instead of {whole:,} bytes" if size > whole else ""
