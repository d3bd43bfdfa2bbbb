"""Image files that anybody may upload: damaged, of odd modes and sizes, bombs, with odd EXIF."""

import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
from PIL import Image, PngImagePlugin

from mnist_core.imaging import photo
from mnist_core.imaging.digits import digits_of
from mnist_core.imaging.image_file import upright_size
from tests.tools.fuzzing.part import part, spoiled

MODES = {
    "PNG": ("1", "L", "LA", "P", "RGB", "RGBA", "I;16"),
    "JPEG": ("L", "RGB", "CMYK"),
    "WEBP": ("RGB", "RGBA"),
    "BMP": ("1", "L", "P", "RGB"),
    "GIF": ("L", "P", "RGB"),
    "TIFF": ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "I;16", "I", "F", "LAB", "YCbCr"),
    "PPM": ("RGB",),  # not among the formats that are read
}
SIDES = (1, 2, 3, 27, 28, 29, 60, 200, 1601)
LONG = (1, 40_000)


def picture(chance: random.Random, size: tuple[int, int], mode: str) -> Image.Image:
    """Noise, one level, a stroke or, where a mode has numbers, odd ones."""
    width, height = size
    draw = np.random.default_rng(chance.randrange(2**32))
    grey = np.full((height, width), chance.choice((0, 1, 128, 255)), np.uint8)
    match chance.randrange(3):
        case 0:
            grey = draw.integers(0, 256, (height, width), np.uint8)
        case 1:
            grey[height // 4 : -(-3 * height // 4), width // 2 : width // 2 + width // 9 + 1] ^= 200
    if mode == "F":
        odd = chance.choice((np.nan, np.inf, -1e30, 1e-30, 1.0))
        values = np.where(grey > 100, grey / 255, odd).astype(np.float32)
        return Image.fromarray(values)
    if mode in ("I", "I;16"):
        scale = chance.choice((1, 257))
        kind = np.int32 if mode == "I" else np.uint16
        return Image.fromarray(grey.astype(kind) * kind(scale))
    image = Image.fromarray(grey)
    if mode == "LAB":
        return Image.merge("LAB", [image] * 3)
    return image if mode == "L" else image.convert("RGB").convert(mode)


def file(chance: random.Random) -> bytes:
    """A valid file of any format, with odd extras."""
    kind = chance.choice([*MODES])
    size = (chance.choice(SIDES), chance.choice(SIDES))
    if chance.random() < 0.05:
        size = LONG if chance.random() < 0.5 else LONG[::-1]
    if kind == "WEBP":  # it holds no longer side
        size = (min(size[0], 16_383), min(size[1], 16_383))
    image, more = picture(chance, size, chance.choice(MODES[kind])), {}
    if kind in ("PNG", "JPEG", "WEBP", "TIFF") and chance.random() < 0.5:
        more["exif"] = exif(chance)
    if kind in ("GIF", "WEBP", "TIFF", "PNG") and chance.random() < 0.2:
        more |= {"save_all": True, "append_images": [image] * chance.randint(1, 3)}
    if kind == "TIFF" and image.mode in ("L", "RGB"):
        more["compression"] = chance.choice((None, "tiff_lzw", "tiff_deflate", "jpeg", "packbits"))
    if kind == "JPEG":
        more |= {"progressive": chance.random() < 0.5, "quality": chance.randint(1, 100)}
    return saved(image, kind, more)


def saved(image: Image.Image, kind: str, more: dict[str, object]) -> bytes:
    """The image as a file; as a plain PNG where Pillow cannot write what was asked for."""
    out = io.BytesIO()
    try:
        image.save(out, kind, **more)
    except Exception:
        out = io.BytesIO()
        image.convert("RGB").save(out, "PNG")
    return out.getvalue()


def exif(chance: random.Random) -> bytes:
    """An EXIF block with any orientation, or a broken one."""
    block = Image.Exif()
    block[0x0112] = chance.choice((0, 1, 3, 5, 6, 8, 9, 65_535))
    block[0x010E] = chance.choice(("x" * 5000, "\x1b[31m", ""))
    content = block.tobytes()
    return content if chance.random() < 0.5 else spoiled(chance, content)[:60_000]


def chunk(name: bytes, content: bytes) -> bytes:
    """A chunk of a PNG, with its checksum."""
    check = struct.pack(">I", zlib.crc32(name + content))
    return struct.pack(">I", len(content)) + name + content + check


def bomb(chance: random.Random) -> bytes:
    """A small file that says that it is large, or is."""
    match chance.randrange(4):
        case 0:  # says that it is huge, and holds nothing
            sides = chance.choice(((2**31 - 1, 2**31 - 1), (100_000, 1), (60_000, 60_000), (0, 9)))
            head = struct.pack(">II5B", *sides, 8, chance.choice((0, 2, 3, 6)), 0, 0, 0)
            data = zlib.compress(bytes(1000))
            return PngImagePlugin._MAGIC + chunk(b"IHDR", head) + chunk(b"IDAT", data)
        case 1:  # as large as allowed, or a little larger
            side = chance.choice((4900, 5100, 7000))
            out = io.BytesIO()
            Image.new(chance.choice(("1", "L")), (side, side), 1).save(out, "PNG")
            return out.getvalue()
        case 2:  # a text that unpacks to 200 MB
            text = b"Comment\0\0" + zlib.compress(bytes(200 * 2**20), 1)
            head = struct.pack(">II5B", 28, 28, 8, 0, 0, 0, 0)
            data = chunk(b"IDAT", zlib.compress(bytes(29 * 28)))
            magic = PngImagePlugin._MAGIC + chunk(b"IHDR", head)
            return magic + chunk(b"zTXt", text) + data + chunk(b"IEND", b"")
        case _:  # a frame that is larger than its file says
            out = io.BytesIO()
            picture(chance, (60, 60), "P").save(out, "GIF")
            found = bytearray(out.getvalue())
            place = found.rfind(b",", 0, len(found) - 20)
            found[place + 5 : place + 9] = struct.pack("<HH", 60_000, chance.choice((60, 60_000)))
            return bytes(found)


@part("pictures")
def read_a_picture(chance: random.Random, _: Path) -> None:
    """What the pages and `predict` read of a picture before any network sees it."""
    content = bomb(chance) if chance.random() < 0.05 else file(chance)
    if chance.random() < 0.5:
        content = spoiled(chance, content)
    read = chance.choice((photo.from_image, photo.from_photo))
    stages = read(content, fill=chance.random() < 0.5)
    upright_size(content)
    for digit in digits_of(stages) if stages else ():
        assert digit.image.shape == (28, 28) and digit.image.dtype == np.uint8
        assert all(0 <= share <= 1 for share in digit.box)
