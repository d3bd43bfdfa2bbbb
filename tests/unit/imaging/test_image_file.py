"""Image files of every kind that people have, and of those that they should not."""

import struct
import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from mnist_core.errors import InputError
from mnist_core.imaging.image_file import MAX_PIXELS, READ_SIDE, read_image, turned
from mnist_core.imaging.photo import from_image, from_photo
from mnist_core.imaging.preprocess import from_ink
from tests.drawing import alike, encode, ink_mask, placed_strokes


def scan(digit: int = 5, side: int = 240) -> Image.Image:
    """Black on white, mode L."""
    return ImageOps.invert(ink_mask(*placed_strokes(digit, side, size=0.9), side))


def modes() -> dict[str, bytes]:
    page = scan()
    animation = {"save_all": True, "append_images": [Image.new("L", page.size, 128)]}
    wide = np.asarray(page, np.uint16) * 257
    return {
        "JPEG": encode(page, "JPEG"),
        "CMYK JPEG": encode(page.convert("CMYK"), "JPEG"),
        "16 bits": encode(Image.fromarray(wide)),
        "12 of 16 bits": encode(Image.fromarray(wide >> 4)),
        "float TIFF": encode(Image.fromarray(np.asarray(page, np.float32) / 255), "TIFF"),
        "1 bit": encode(page.convert("1")),
        "palette": encode(page.convert("RGB").quantize(8)),
        "grey and alpha": encode(page.convert("LA")),
        "animated GIF": encode(page, "GIF", **animation),
        "animated WEBP": encode(page, "WEBP", **animation),
        "BMP": encode(page, "BMP"),
    }


@pytest.mark.parametrize("kind", modes())
def test_every_kind_of_file(kind):
    data = modes()[kind]
    clean = from_ink(np.asarray(ImageOps.invert(scan()))).final
    assert alike(from_image(data).final, clean) > 0.95
    assert alike(from_photo(data).final, clean) > 0.95
    assert read_image(data).mode in ("L", "RGB", "RGBA")


def test_exif_rotation():
    usual = from_photo(encode(scan(7), "JPEG")).final
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn it by 270 degrees
    turned = encode(scan(7).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    assert alike(from_photo(turned).final, usual) > 0.95


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, pixels: bytes, *extra: bytes) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    data = chunk(b"IDAT", zlib.compress(pixels, 9))
    return b"\x89PNG\r\n\x1a\n" + header + b"".join(extra) + data + chunk(b"IEND", b"")


def claimed_jpeg(width: int, height: int) -> bytes:
    data = bytearray(encode(Image.new("L", (16, 16)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(data)


def many_scans(count: int) -> bytes:
    """A progressive JPEG whose last scan is there again and again."""
    data = encode(Image.new("L", (64, 64)), "JPEG", progressive=True)
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * count + data[-2:]


NOISE = Image.effect_noise((200, 200), 90)
REFUSED = {
    "0 bytes": (b"", "0 bytes"),
    "renamed PDF": (b"%PDF-1.7\n1 0 obj\n<<>>\nendobj\n", "cannot be read as an image"),
    "PostScript": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "cannot be read"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "allowed are PNG, JPEG"),
    "icon": (encode(Image.new("L", (16, 16)), "ICO"), "cannot be read"),
    "20,000 a side, PNG": (png(20_000, 20_000, b""), "at most 25 million"),
    "6,000 a side, PNG": (png(6000, 6000, b""), "6,000 × 6,000"),
    "20,000 a side, JPEG": (claimed_jpeg(20_000, 20_000), "pixels; at most"),
    "9,000 a side, JPEG": (claimed_jpeg(9000, 9000), "at most 50 million"),
    "2 billion a side": (png(2**31 - 1, 2**31 - 1, b""), "pixels; at most"),
    "no height": (png(5, 0, b""), "cannot be read"),
    "text bomb": (
        png(9, 9, b"\0" * 90, chunk(b"zTXt", b"a\0\0" + zlib.compress(b"x" * 10**8, 1))),
        "cannot be read",
    ),
    "truncated PNG": (encode(NOISE)[:4000], "cut short"),
    "a JPEG of 400 scans": (many_scans(400), "far too many scans"),
    "truncated JPEG": (encode(NOISE, "JPEG")[:4000], "cut short"),
    "a path": ("digit.png", "give a file's bytes"),
}


@pytest.mark.filterwarnings("ignore::PIL.Image.DecompressionBombWarning")
@pytest.mark.parametrize("name", REFUSED)
def test_refused_with_one_sentence(name):
    data, words = REFUSED[name]
    tracemalloc.start()
    for read in (from_image, from_photo):
        with pytest.raises(InputError) as caught:
            read(data)
        text = str(caught.value)
        assert words in text and text.endswith(".") and "\n" not in text
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_more_data_than_pixels_is_left_packed():
    """50 MB of zeros behind the 784 pixels of a 28×28 image."""
    data = png(28, 28, bytes(50_000_000))
    tracemalloc.start()
    assert from_image(data) is None
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20e6


def test_largest_allowed_picture():
    side = int(MAX_PIXELS**0.5)
    data = png(side, side, bytes((side + 1) * side))
    assert max(read_image(data).size) == READ_SIDE
    assert from_image(data) is None


@pytest.mark.parametrize("size", [(1, 1), (1, 2000), (2000, 1), (3, 3), (28, 27)])
def test_tiny_and_narrow_pictures(size):
    assert from_photo(encode(Image.new("RGB", size, "white"))) is None
    from_image(encode(Image.effect_noise(size, 100)))


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_damaged_files_never_surprise(data):
    kind = data.draw(st.sampled_from(("PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP")))
    file = bytearray(encode(scan(1, 40), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        stages = from_image(bytes(file[: data.draw(st.integers(1, len(file)))]))
    except InputError:
        return
    assert stages is None or stages.final.shape == (28, 28)


def test_a_picture_is_turned_to_the_right():
    image = Image.fromarray(np.arange(6, dtype=np.uint8).reshape(2, 3))
    for turns in range(5):
        assert (np.asarray(turned(image, turns)) == np.rot90(np.asarray(image), -turns)).all()
