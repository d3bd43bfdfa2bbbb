"""Reads image files that strangers upload: kind and size are checked before anything is decoded.

What is no image, damaged or too large is an InputError of one sentence; memory stays bounded.
Needs Pillow and numpy only.
"""

import io
import threading

import numpy as np
from PIL import Image, ImageOps
from PIL.Image import Transpose

from mnist_core.errors import InputError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")  # their names' ends
MAX_PIXELS = 25_000_000  # decoded whole, these take up to 400 MB for a moment
MAX_JPEG_PIXELS = 50_000_000  # a phone's largest photographs: a JPEG can be decoded smaller
MAX_SCANS = 100  # of a JPEG; a progressive one has ten, and each costs a pass over all pixels
READ_SIDE = 1600  # larger images are shrunk to this as soon as they are decoded
_one_at_a_time = threading.Lock()  # or many visitors' large uploads would add up
ORIENTATION, SIDEWAYS = 0x0112, (5, 6, 7, 8)  # an EXIF tag, and its values for a quarter turn


def read_image(data: bytes) -> Image.Image:
    """An image file, upright, 8 bits, of mode L, RGB or RGBA, shrunk to 1600 pixels a side at most.

    Of an animation, its first frame. Raises InputError, one sentence, for what is no image, is cut
    short, is of another format than FORMATS or has too many pixels.
    """
    image = _open(data)
    try:
        with _one_at_a_time:
            image.load()
            _check_size(image)  # a GIF's frame can be larger than its header says
            return _upright(_eight_bit(image))
    except InputError:
        raise
    except Exception as error:  # decoders raise a dozen kinds on damaged files
        raise InputError(
            f"The image is damaged or cut short ({type(error).__name__}); "
            "save it again as PNG or JPEG."
        ) from error


def upright_size(data: bytes) -> tuple[int, int]:
    """(width, height) in pixels of an image file that `read_image` reads, upright, not shrunk."""
    image = Image.open(io.BytesIO(data), formats=FORMATS)
    width, height = image.size
    try:
        sideways = image.getexif().get(ORIENTATION, 1) in SIDEWAYS
    except Exception:  # damaged: `read_image` leaves the picture as it lies
        sideways = False
    return (height, width) if sideways else (width, height)


def on_white(image: Image.Image) -> Image.Image:
    """Mode L or RGB, with white paper under whatever is transparent."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
        return image.convert("RGB")
    return image


def turned(image: Image.Image, turns: int) -> Image.Image:
    """Turned to the right by so many quarters."""
    ways = (None, Transpose.ROTATE_270, Transpose.ROTATE_180, Transpose.ROTATE_90)
    way = ways[turns % 4]
    return image if way is None else image.transpose(way)


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """No side longer than `side` pixels, each pixel the mean of those it covers."""
    factor = side / max(image.size)
    if factor >= 1:
        return image
    size = [max(1, round(length * factor)) for length in image.size]
    return image.resize(size, Image.Resampling.BOX)


def _open(data: bytes) -> Image.Image:
    """Reads the header only."""
    allowed = f"allowed are {', '.join(FORMATS)}"
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"The image is a {type(data).__name__}; give a file's bytes: {allowed}.")
    try:
        image = Image.open(io.BytesIO(data), formats=FORMATS)
        _check_size(image)
        if image.format in ("JPEG", "MPO") and bytes(data).count(b"\xff\xda") > MAX_SCANS:
            raise InputError("The image has far too many scans; save it again as PNG or JPEG.")
        image.draft(None, (READ_SIDE, READ_SIDE))  # a JPEG is then decoded at 1/2, 1/4 or 1/8
        return image
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_large("far too many")) from error
    except Exception as error:
        raise InputError(
            f"The file ({len(data):,} bytes) cannot be read as an image; {allowed}."
        ) from error


def _check_size(image: Image.Image) -> None:
    limit = MAX_JPEG_PIXELS if image.format in ("JPEG", "MPO") else MAX_PIXELS
    if image.width * image.height > limit:
        raise InputError(_too_large(f"{image.width:,} × {image.height:,}", limit))


def _too_large(given: str, limit: int = MAX_PIXELS) -> str:
    return f"The image has {given} pixels; at most {limit // 10**6} million are allowed."


def _eight_bit(image: Image.Image) -> Image.Image:
    """Mode L, RGB, or RGBA where something is transparent; shrunk."""
    if image.mode.startswith(("I", "F")):
        return _fewer_bits(shrunk(image, READ_SIDE))
    if image.has_transparency_data:
        image = shrunk(image.convert("RGBA"), READ_SIDE)
        return image if np.asarray(image)[..., 3].min() < 255 else image.convert("RGB")
    return shrunk(image.convert("L" if image.mode in ("1", "L") else "RGB"), READ_SIDE)


def _fewer_bits(image: Image.Image) -> Image.Image:
    """16 or 32 bits or floating point to 8: full scale is what the brightest pixel's bits hold."""
    values = np.nan_to_num(np.asarray(image, np.float32), posinf=0, neginf=0).clip(0)
    peak = float(values.max())
    full = 1 if image.mode == "F" and peak <= 1 else 2 ** max(8, int(np.log2(peak + 1) + 0.999)) - 1
    return Image.fromarray((values * np.float32(255 / full)).clip(0, 255).astype(np.uint8))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block must not lose the picture
        return image
