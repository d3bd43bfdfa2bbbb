"""Checks a data set's IDX files before anyone reads them: header, length, and whose they are.

The format: two zero bytes, a type code, the number of dimensions, each dimension as a
big-endian 32-bit number, then the values (http://yann.lecun.com/exdb/mnist/).
"""

import hashlib
import math
import struct
from dataclasses import dataclass
from pathlib import Path

from mnist_core.dataset_specs import dataset_spec
from mnist_core.errors import LabError

UINT8, INT32 = 8, 12
ITEM_BYTES = {UINT8: 1, INT32: 4}

# MD5 of the published image files. They tell whether a figure was measured on the images that
# everybody else uses, and catch one data set lying in another's folder.
PUBLISHED = {
    ("MNIST", "train-images-idx3-ubyte"): "6bbc9ace898e44ae57da46a324031adb",
    ("MNIST", "t10k-images-idx3-ubyte"): "2646ac647ad5339dbf082846283269ea",
    ("FashionMNIST", "train-images-idx3-ubyte"): "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    ("FashionMNIST", "t10k-images-idx3-ubyte"): "8181f5470baa50b63fa0f6fddb340f0a",
    ("KMNIST", "train-images-idx3-ubyte"): "92be26ec9822e900ac425d0a0aa84ced",
    ("KMNIST", "t10k-images-idx3-ubyte"): "bf305b8cd328700fbc17f5acbc2856d2",
}


@dataclass(frozen=True)
class IdxFile:
    """A file that has passed its checks: its MD5, and what is odd about it, if anything."""

    digest: str
    note: str = ""


def file_names(name: str) -> tuple[str, ...]:
    """The four files of a data set: images and labels for training, then for testing."""
    return dataset_spec(name).files


def check_file(path: Path, dataset: str) -> IdxFile:
    """Raises LabError: which file, what is wrong with it, what to do."""
    try:
        content = path.read_bytes()
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror})") from error
    wrong = _what_is_wrong(content, path.name)
    if wrong:
        raise LabError(f"{path} {wrong}; delete it and it will be downloaded again")
    digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
    for (owner, name), published in PUBLISHED.items():
        if digest == published and (owner, name) != (dataset, path.name):
            raise LabError(
                f"{path} holds {owner}'s {name}; delete it and put {dataset}'s own file there"
            )
    expected = PUBLISHED.get((dataset, path.name), digest)
    return IdxFile(digest, "" if digest == expected else f"{path.name} is not the published file")


def _what_is_wrong(content: bytes, name: str) -> str:
    """What keeps these bytes from being the IDX file of that name; empty when nothing does."""
    if len(content) < 4:
        return f"is cut short: {len(content)} bytes"
    if content[:2] == b"\x1f\x8b":
        return "is still compressed (gzip)"
    kind, dimensions = content[2], content[3]
    expected = (UINT8, 3) if "images" in name else (INT32, 2) if "idx2" in name else (UINT8, 1)
    if content[:2] != b"\0\0" or (kind, dimensions) != expected:
        return f"is not an IDX file of this kind (it starts with {content[:4].hex(' ')})"
    header = 4 + 4 * dimensions
    if len(content) < header:
        return f"is cut short: {len(content)} bytes"
    shape = struct.unpack(f">{dimensions}I", content[4:header])
    if dimensions == 3 and shape[1:] != (28, 28):
        return f"holds images of {shape[1]}×{shape[2]} pixels instead of 28×28"
    size = header + math.prod(shape) * ITEM_BYTES[kind]
    if len(content) < size:
        return f"is cut short: {len(content):,} of {size:,} bytes"
    if len(content) > size:
        return f"is too long: {len(content):,} instead of {size:,} bytes"
    return ""
