"""Pages in any colour, printed lines, outlined and crossed-out digits: what of them is ink."""

import numpy as np
import pytest
from PIL import Image

from mnist_core.imaging.crossed_out import is_crossed_out
from mnist_core.imaging.digits import digits_of
from mnist_core.imaging.hollow import filled
from mnist_core.imaging.page import clearest_grey, page_colour
from mnist_core.imaging.photo import from_image
from mnist_core.imaging.preprocess import from_ink
from mnist_core.imaging.ruling import without_lines
from tests.drawing import alike, draw, ink_mask, placed_strokes
from tests.tools.odd_pictures import KINDS

READ = [kind for kind in KINDS if kind not in ("squared", "hollow", "scribbled_out")]


@pytest.mark.parametrize("kind", READ)
def test_one_digit_is_found_where_it_was_drawn(kind):
    """A 5 of each kind looks like a 5 in an ordinary pen."""
    rng = np.random.default_rng([5, sum(map(ord, kind))])
    (only,) = digits_of(from_image(KINDS[kind](5, rng)))
    fives = [
        from_ink(np.asarray(ink_mask(*placed_strokes(digit, 200, stroke=0.12), 200))).final
        for digit in range(10)
    ]
    assert int(np.argmax([alike(only.image, five) for five in fives])) == 5


def drawn(digit: int, stroke: float = 0.1) -> np.ndarray:
    return draw(digit, canvas=200, size=0.8, stroke=stroke)[..., 3]


def test_lines_of_paper_go_and_ink_that_crosses_them_stays():
    digit = drawn(0).astype(np.float32) / 255
    ruled = digit.copy()
    ruled[15::40] = ruled[16::40] = 1
    left = without_lines(ruled, 0.1)
    beside = np.ones(200, bool)
    beside[40:160] = False
    assert left[:, beside].max() == 0
    assert ((left > 0.5) == (digit > 0.5)).mean() > 0.985


@pytest.mark.parametrize("inside", (True, False))
def test_a_box_is_printed_when_something_is_in_it(inside):
    picture = np.zeros((200, 200), np.float32)
    picture[50:150, 60:140] = 1
    picture[53:147, 63:137] = 0
    box = picture.copy()
    if inside:
        picture[70:130, 95:105] = 1
    left = without_lines(picture, 0.1)
    assert left[70:130, 95:105].mean() == (1 if inside else 0)
    assert (left[box > 0].mean() < 0.05) == inside


@pytest.mark.parametrize("digit", (0, 6, 8, 9))
def test_a_ring_in_an_ordinary_pen_stays_open(digit):
    ink = drawn(digit)
    assert (filled(ink) == ink).all()


@pytest.mark.parametrize("digit", (0, 2, 7))
def test_an_outline_is_filled(digit):
    thick = drawn(digit, 0.2) > 128
    around = np.pad(thick, 3)
    steps = [np.roll(around, (y, x), (0, 1)) for y in range(-3, 4) for x in range(-3, 4)]
    outline = 255 * (thick & ~np.all(steps, axis=0)[3:-3, 3:-3]).astype(np.uint8)
    assert ((filled(outline) > 0) == thick).mean() > 0.99


def test_two_long_strokes_cross_a_digit_out():
    for digit in range(10):
        ink = drawn(digit)[20:180, 20:180]
        assert not is_crossed_out(ink)
        struck = ink.copy()
        for at in range(160):
            struck[at, max(0, at - 5) : at + 5] = 255
            struck[at, max(0, 154 - at) : 164 - at] = 255
        assert is_crossed_out(struck)


def test_the_page_is_what_lies_along_the_border():
    picture = np.full((100, 100, 3), (0, 128, 0), np.uint8)
    picture[10:90, 10:90] = (250, 10, 10)
    assert page_colour(Image.fromarray(picture)).tolist() == [0, 128, 0]
    noise = np.random.default_rng(0).integers(0, 255, picture.shape, np.uint8)
    assert page_colour(Image.fromarray(noise)) is None


def test_colours_of_one_grey_are_told_apart():
    picture = np.full((100, 100, 3), (0, 130, 0), np.uint8)
    picture[40:60, 45:55] = (255, 0, 0)  # both are 76 in grey
    assert np.ptp(np.asarray(Image.fromarray(picture).convert("L"))) < 3
    assert np.ptp(np.asarray(clearest_grey(Image.fromarray(picture)))) > 100


def test_lines_fainter_than_ink_go_where_they_run_over_the_picture():
    digit = drawn(3).astype(np.float32) / 255
    ruled = np.maximum(digit, 0)
    ruled[15::30] = np.maximum(ruled[15::30], 0.05)
    beside = (digit == 0) & (ruled > 0)
    assert without_lines(ruled, 0.1)[beside].max() == np.float32(0.05)
    assert (without_lines(ruled, 0.1, 0.03)[beside] > 0).mean() < 0.2


@pytest.mark.parametrize("count", (1, 2))
def test_long_upright_strokes_are_no_ruling_where_they_end_inside(count):
    picture = np.zeros((200, 200), np.float32)
    for place in range(count):
        picture[20:180, 60 + 50 * place : 64 + 50 * place] = 1
    assert (without_lines(picture, 0.1) == picture).all()
    picture[:, 60:64] = 1
    assert without_lines(picture, 0.1)[:, 60:64].max() == 0


def test_a_stroke_along_a_printed_line_is_kept():
    picture = np.zeros((200, 200), np.float32)
    picture[10::40] = picture[11::40] = 0.6
    picture[:, 10::40] = picture[:, 11::40] = 0.6
    stroke = np.zeros((200, 200), bool)
    for column in range(70, 120):
        row = 84 + (column - 60) // 8  # it runs over the line in rows 90 and 91
        stroke[row : row + 4, column] = True
    picture[stroke] = 0.6
    left = without_lines(picture, 0.1)
    assert (left[stroke] > 0.3).mean() > 0.9
    assert (left[~stroke] > 0.3).mean() < 0.005
