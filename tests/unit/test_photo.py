"""Photographs, scans and clean pictures: what is found on them, and what hostile files can do."""

import io
import struct
import tracemalloc
import zlib
from time import perf_counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageOps
from scipy import ndimage

from mnist_core.errors import InputError
from mnist_core.imagefile import MAX_PIXELS, READ_SIDE, read_image
from mnist_core.photo import from_image, from_photo, is_bright_on_dark, otsu
from mnist_core.preprocess import from_canvas, from_ink
from mnist_core.regions import closing, components, dilate
from tests.drawing import draw, encode, enlarge, ink_mask, photograph, placed_strokes


def mask_of(digit: int, canvas: int = 300, **placing) -> Image.Image:
    return ink_mask(*placed_strokes(digit, canvas, size=0.9, **placing), canvas)


def alike(a: np.ndarray, b: np.ndarray) -> float:
    """Correlation, at the best of nine shifts: noise may round a centre of mass the other way."""
    shifts = [np.roll(a, (y, x), (0, 1)) for y in (-1, 0, 1) for x in (-1, 0, 1)]
    return max(np.corrcoef(shifted.ravel(), b.ravel())[0, 1] for shifted in shifts)


def scan(digit: int = 5, size: tuple[int, int] = (240, 240)) -> Image.Image:
    """Black on white, mode L."""
    return ImageOps.invert(mask_of(digit).resize(size))


# Photographs


@pytest.mark.parametrize("digit", range(10))
def test_photographs_show_the_digit(digit):
    rng = np.random.default_rng(digit)
    clean = from_ink(np.asarray(mask := mask_of(digit, stroke=rng.uniform(0.06, 0.16)))).final
    for side, least in ((90, 0.7), (150, 0.8), (400, 0.8), (900, 0.8)):  # at 90 a pen is one pixel
        assert alike(from_photo(photograph(mask, rng, side, tilt=0)).final, clean) > least, side


def test_a_large_photograph():
    data = photograph(mask_of(2), np.random.default_rng(0), 2000, tilt=0)
    assert alike(from_photo(data).final, from_ink(np.asarray(mask_of(2))).final) > 0.8


def paper(digit: int | None = 4, side: int = 400) -> Image.Image:
    """Light grey paper with a digit in dark ink in its middle, mode L."""
    page = Image.new("L", (side, side), 215)
    if digit is not None:
        mask = mask_of(digit, side // 2)
        page.paste(45, (side // 4, side // 4), mask)
    return page


def grainy(page: Image.Image, sigma: float = 3.0) -> bytes:
    noise = np.random.default_rng(0).normal(0, sigma, page.size[::-1])
    return encode(Image.fromarray((np.asarray(page) + noise).clip(0, 255).astype(np.uint8)))


def shaded(page: Image.Image, factor: np.ndarray) -> Image.Image:
    return Image.fromarray((np.asarray(page) * factor).astype(np.uint8))


def table(page):
    ImageDraw.Draw(page).polygon([(0, 0), (400, 0), (400, 22), (14, 40), (25, 400), (0, 400)], 70)
    return page


def specks(page):
    for x, y in np.random.default_rng(1).integers(5, 395, (40, 2)):
        page.putpixel((int(x), int(y)), 40)
    return page


def ruled(page):
    for y in range(15, 400, 40):
        ImageDraw.Draw(page).line((0, y, 400, y), 175, 2)
    return page


def half_shadow(page):
    x, y = np.meshgrid(np.arange(400), np.arange(400))
    return shaded(page, np.where(x + 0.4 * y > 290, 0.45, 1.0))


def finger_shadow(page):
    x, y = np.meshgrid(np.arange(400), np.arange(400))
    return shaded(page, 1 - 0.35 / (1 + np.exp((np.abs(y - 0.3 * x - 60) - 25) / 4)))


SCENES = (table, specks, ruled, half_shadow, finger_shadow)


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.__name__)
def test_what_lies_around_is_not_ink(scene):
    clean = from_ink(np.asarray(mask_of(4, 200))).final
    assert alike(from_photo(grainy(scene(paper()))).final, clean) > 0.9


@pytest.mark.parametrize("scene", SCENES[2:4], ids=lambda scene: scene.__name__)
@pytest.mark.parametrize("sigma", (0, 3, 8))
def test_empty_paper_has_nothing_on_it(scene, sigma):
    page = paper(None) if scene is ruled else scene(paper(None))
    assert from_photo(grainy(page, sigma)) is None


def test_a_broken_five_keeps_its_bar():
    page = paper(None)
    pen = ImageDraw.Draw(page)
    pen.line((190, 120, 250, 118), 40, 14)
    pen.arc((140, 150, 260, 270), -110, 140, 40, 14)
    labels, areas = components(from_photo(grainy(page))["ink found"].image > 128)
    assert len(areas) == 3 and areas[1:].min() > 500


# Files of all kinds


def test_mnist_image_is_taken_as_it_is():
    digit = from_canvas(draw(6)).final
    for mode in ("L", "RGB"):
        stages = from_image(encode(Image.fromarray(digit).convert(mode)))
        assert len(stages.steps) == 1 and (stages.final == digit).all()


@pytest.mark.parametrize("side", (28, 40, 100, 700, 3000))
@pytest.mark.parametrize("bright", (False, True))
def test_polarity_and_size_of_clean_pictures(side, bright):
    page = Image.new("L", (400, 400), 255)
    page.paste(scan(3, (240, 240)), (60, 90))
    page = page.resize((side, side), Image.Resampling.BOX)
    if bright and side == 28:
        pytest.skip("that is an MNIST image, taken as it is")
    stages = from_image(encode(ImageOps.invert(page) if bright else page))
    clean = from_ink(np.asarray(ImageOps.invert(scan(3)))).final
    assert alike(stages.final, clean) > (0.8 if side < 100 else 0.95)


@pytest.mark.parametrize("digit", (0, 2, 4, 8))
def test_scan_cut_close_to_the_digit(digit):
    mask = mask_of(digit)
    tight = mask.crop(mask.getbbox())
    clean = from_ink(np.asarray(mask)).final
    for picture in (tight, ImageOps.invert(tight)):
        assert alike(from_image(encode(picture)).final, clean) > 0.95


def test_polarity_of_photographs():
    rng = np.random.default_rng(3)
    for digit in range(10):
        grey = Image.open(io.BytesIO(photograph(mask_of(digit), rng, 300))).convert("L")
        assert not is_bright_on_dark(grey) and is_bright_on_dark(ImageOps.invert(grey))


def test_transparent_drawing_is_read_like_the_canvas():
    drawn = draw(9)
    assert (from_image(encode(Image.fromarray(drawn))).final == from_canvas(drawn).final).all()


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
    assert alike(from_photo(Image.open(io.BytesIO(data))).final, clean) > 0.95
    assert read_image(data).mode in ("L", "RGB", "RGBA")


def test_exif_rotation():
    usual = from_photo(encode(scan(7), "JPEG")).final
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn it by 270 degrees
    turned = encode(scan(7).transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif)
    assert alike(from_photo(turned).final, usual) > 0.95


# Hostile files


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
    file = bytearray(encode(scan(1, (40, 40)), kind))
    for _ in range(data.draw(st.integers(1, 6))):
        file[data.draw(st.integers(0, len(file) - 1))] = data.draw(st.integers(0, 255))
    try:
        stages = from_image(bytes(file[: data.draw(st.integers(1, len(file)))]))
    except InputError:
        return
    assert stages is None or stages.final.shape == (28, 28)


# Image analysis, against scipy


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 30), st.integers(1, 30), st.floats(0, 1))
def test_components_agree_with_scipy(seed, h, w, share):
    there = np.random.default_rng(seed).random((h, w)) < share
    labels, areas = components(there)
    expected, count = ndimage.label(there, np.ones((3, 3)))
    assert len(areas) == count + 1 and areas.sum() == there.sum()
    assert len(set(zip(labels.ravel(), expected.ravel(), strict=True))) == len(np.unique(expected))


@pytest.mark.parametrize("reach", (1, 2, 5, 40))
def test_filters_agree_with_scipy(reach):
    values = np.random.default_rng(0).integers(0, 256, (37, 23), np.uint8)
    size = 2 * reach + 1
    assert (dilate(values, reach) == ndimage.maximum_filter(values, size, mode="nearest")).all()
    expected = ndimage.maximum_filter(np.pad(values, reach), size, mode="constant", cval=0)
    expected = ndimage.minimum_filter(expected, size, mode="constant", cval=255)
    assert (closing(values, reach) == expected[reach:-reach, reach:-reach]).all()


def test_closing_keeps_straight_edges_and_fills_strokes():
    x, y = np.meshgrid(np.arange(120), np.arange(90))
    for a, b in ((1, 0.4), (-1, 0.4), (0.3, 1), (1, 1), (-0.2, -1)):
        shadow = np.where(a * (x - 60) + b * (y - 45) > 0, 90, 200).astype(np.uint8)
        assert (closing(shadow, 12) == shadow).all()
    stroke = np.full((90, 120), 200, np.uint8)
    stroke[20:70, 50:60] = 15
    assert (closing(stroke, 5) == 200).all() and (closing(stroke, 4) == stroke).all()


def test_otsu_parts_two_clusters():
    rng = np.random.default_rng(0)
    values = np.concatenate([rng.normal(0.1, 0.02, 9000), rng.normal(0.7, 0.05, 1000)])
    assert (values > otsu(values)).sum() == 1000


def test_fast_enough_for_a_phone():
    page = paper(8, 1000).resize((4000, 3000))
    data = encode(page.convert("RGB"), "JPEG")
    start = perf_counter()
    assert from_photo(data) is not None
    assert perf_counter() - start < 2  # 0.2 s on an idle core; this one may be shared


def test_photographs_of_mnist_come_back(real_data):
    """On paper, in shadow, blurred: still the same digit."""
    digits = np.asarray(real_data("MNIST").test.images[:30])
    rng = np.random.default_rng(0)
    found = [from_photo(photograph(enlarge(digit), rng, 500, tilt=0)).final for digit in digits]
    assert min(alike(a, b) for a, b in zip(found, digits, strict=True)) > 0.8
    enlarged = [Image.fromarray(digit).resize((224, 224), 3) for digit in digits]
    clean = [from_image(encode(image)).final for image in enlarged]
    assert np.mean([alike(a, b) for a, b in zip(clean, digits, strict=True)]) > 0.95
