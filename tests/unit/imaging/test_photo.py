"""Photographs, scans and clean pictures of digits: what is found on them."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageOps

from mnist_core.imaging import photo
from mnist_core.imaging.morphology import components
from mnist_core.imaging.photo import from_image, from_photo, is_bright_on_dark
from mnist_core.imaging.preprocess import from_canvas, from_ink
from tests.drawing import alike, draw, encode, enlarge, ink_mask, photograph, placed_strokes


def mask_of(digit: int, canvas: int = 300, **placing) -> Image.Image:
    return ink_mask(*placed_strokes(digit, canvas, size=0.9, **placing), canvas)


def scan(digit: int = 5, size: tuple[int, int] = (240, 240)) -> Image.Image:
    """Black on white, mode L."""
    return ImageOps.invert(mask_of(digit).resize(size))


# Photographs


@pytest.mark.parametrize("digit", range(10))
def test_photographs_show_the_digit(digit):
    rng = np.random.default_rng(digit)
    clean = from_ink(np.asarray(mask := mask_of(digit, stroke=rng.uniform(0.06, 0.16)))).final
    for side, least in ((90, 0.7), (150, 0.8), (400, 0.8), (700, 0.8)):  # at 90 a pen is one pixel
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
    _labels, areas = components(from_photo(grainy(page))["ink found"].image > 128)
    assert len(areas) == 3 and areas[1:].min() > 500


# Files of all kinds


def test_mnist_image_is_taken_as_it_is():
    digit = from_canvas(draw(6)).final
    for mode in ("L", "RGB"):
        stages = from_image(encode(Image.fromarray(digit).convert(mode)))
        assert len(stages.steps) == 1 and (stages.final == digit).all()


SIDES = [(side, bright) for side in (28, 40, 100, 700, 3000) for bright in (False, True)]
SIDES.remove((28, True))  # that is an MNIST image, taken as it is


@pytest.mark.parametrize("side, bright", SIDES)
def test_polarity_and_size_of_clean_pictures(side, bright):
    page = Image.new("L", (400, 400), 255)
    page.paste(scan(3, (240, 240)), (60, 90))
    page = page.resize((side, side), Image.Resampling.BOX)
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


@pytest.mark.parametrize("grey", (25, 60, 110))
@pytest.mark.parametrize("side", (120, 200, 320, 440))
@pytest.mark.parametrize("digit", (1, 5, 8))
def test_paper_on_a_dark_table(digit, side, grey):
    """Small paper is the bright detail of such a picture; what is written is on it still."""
    picture = Image.new("L", (640, 480), grey)
    sheet = paper(digit, side).rotate(8, Image.Resampling.BICUBIC, expand=True, fillcolor=grey)
    picture.paste(sheet, ((640 - sheet.width) // 2, (480 - sheet.height) // 2))
    clean = from_ink(np.asarray(mask_of(digit, 300).rotate(8))).final
    assert alike(from_image(grainy(picture)).final, clean) > 0.85


@pytest.mark.parametrize("digit", range(10))
def test_bright_ink_in_photographs_is_no_sheet(digit):
    """Chalk on a board."""
    rng = np.random.default_rng(digit)
    mask = mask_of(digit, stroke=rng.uniform(0.06, 0.16))
    grey = Image.open(io.BytesIO(photograph(mask, rng, 400, tilt=0))).convert("L")
    clean = from_ink(np.asarray(mask)).final
    assert alike(from_image(encode(ImageOps.invert(grey))).final, clean) > 0.75


def test_transparent_drawing_is_read_like_the_canvas():
    drawn = draw(9)
    assert (from_image(encode(Image.fromarray(drawn))).final == from_canvas(drawn).final).all()


def test_ink_is_looked_for_in_a_small_copy_of_a_phones_photograph(monkeypatch):
    data = encode(paper(8, 1000).resize((4000, 3000)).convert("RGB"), "JPEG")
    looked, sides = photo.paper_contrast, []

    def looking(grey):
        sides.append(max(grey.shape))
        return looked(grey)

    monkeypatch.setattr(photo, "paper_contrast", looking)
    assert from_photo(data) is not None
    assert sides == [photo.WORK_SIDE]


def test_photographs_of_mnist_come_back(real_data):
    """On paper, in shadow, blurred: still the same digit."""
    digits = np.asarray(real_data("MNIST").test.images[:30])
    rng = np.random.default_rng(0)
    found = [from_photo(photograph(enlarge(digit), rng, 500, tilt=0)).final for digit in digits]
    assert min(alike(a, b) for a, b in zip(found, digits, strict=True)) > 0.8
    enlarged = [Image.fromarray(digit).resize((224, 224), 3) for digit in digits]
    clean = [from_image(encode(image)).final for image in enlarged]
    assert np.mean([alike(a, b) for a, b in zip(clean, digits, strict=True)]) > 0.95
