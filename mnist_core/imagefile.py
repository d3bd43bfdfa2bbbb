"""Reads image files that strangers upload: kind and size are checked on the header, then it is decoded.

Whatever is no image, damaged or too large is an InputError of one sentence; memory stays bounded.
Needs Pillow and numpy only.
"""

import io

import numpy as np
from PIL import Image, ImageOps

from mnist_core.errors import InputError

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF")
MAX_PIXELS = 50_000_000  # a phone's largest; decoding them takes 150 to 300 MB for a moment
READ_SIDE = 1600  # larger images are shrunk to this as soon as they are decoded


def read_image(data: bytes | Image.Image) -> Image.Image:
    """Decodes an image file to an upright 8-bit image of mode L, RGB or RGBA, 1600 pixels a side at most.

    The first frame of an animation. Raises InputError, one sentence, for what is no image, is cut
    short, is of another format than FORMATS, or has more than MAX_PIXELS.
    """
    image = data if isinstance(data, Image.Image) else _open(data)
    _check_size(image)
    try:
        image.draft(None, (READ_SIDE, READ_SIDE))  # a JPEG is then decoded at 1/2, 1/4 or 1/8
        image.load()
        _check_size(image)  # a GIF's frame can be larger than its header says
        return _upright(shrunk(_eight_bit(image), READ_SIDE))
    except InputError:
        raise
    except Exception as error:  # decoders raise a dozen kinds on damaged files
        raise InputError(
            f"The image is damaged or cut short ({type(error).__name__}); "
            "save it again as PNG or JPEG."
        ) from error


def _open(data: bytes) -> Image.Image:
    """Reads the header only."""
    allowed = f"allowed are {', '.join(FORMATS)}"
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InputError(f"The image is a {type(data).__name__}; give a file's bytes: {allowed}.")
    try:
        return Image.open(io.BytesIO(data), formats=FORMATS)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(_too_large("far more")) from error
    except Exception as error:
        raise InputError(f"The file ({len(data):,} bytes) is not an image; {allowed}.") from error


def _check_size(image: Image.Image) -> None:
    if image.width * image.height > MAX_PIXELS:
        raise InputError(_too_large(f"{image.width:,} × {image.height:,}"))


def _too_large(given: str) -> str:
    return f"The image has {given} pixels; at most {MAX_PIXELS // 10**6} million are allowed."


def _eight_bit(image: Image.Image) -> Image.Image:
    """Mode L, RGB, or RGBA where something is transparent."""
    if image.mode[0] in "IF":
        return _scaled_down(image)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        return image if image.getextrema()[3][0] < 255 else image.convert("RGB")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")


def _scaled_down(image: Image.Image) -> Image.Image:
    """16-bit, 32-bit and floating-point grey to 8 bits, by the fewest bits that hold its brightest value."""
    values = np.nan_to_num(np.asarray(image), posinf=0, neginf=0)
    peak = float(values.max())
    top = 1.0 if peak <= 1 and image.mode == "F" else 2.0 ** max(8, np.ceil(np.log2(peak + 1))) - 1
    return Image.fromarray((values.clip(0) * np.float32(255 / top)).astype(np.uint8))


def _upright(image: Image.Image) -> Image.Image:
    try:
        return ImageOps.exif_transpose(image)
    except Exception:  # a damaged EXIF block must not lose the picture
        return image


def on_white(image: Image.Image) -> Image.Image:
    """Grey, with white paper under whatever is transparent."""
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    return image.convert("L")


def shrunk(image: Image.Image, side: int) -> Image.Image:
    """No side longer than `side` pixels, each pixel the mean of those it covers."""
    image = image.copy()
    image.thumbnail((side, side), Image.Resampling.BOX)
    return image
