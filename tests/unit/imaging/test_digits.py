"""Several digits in one picture: their order, their boxes, and the strokes that make up each."""

import numpy as np
import pytest
from PIL import Image

from mnist_core.imaging.digits import digits_of, groups_of
from mnist_core.imaging.photo import from_image
from mnist_core.imaging.preprocess import from_canvas, from_ink
from tests.drawing import draw, photograph


def page(places, side=120, shape=(300, 600)):
    """A canvas with drawn digits, {(top, left): digit}, and their ink."""
    canvas = np.zeros((*shape, 4), np.uint8)
    for (top, left), digit in places.items():
        drawn = draw(digit, canvas=side, size=0.9)
        part = canvas[top : top + side, left : left + side]
        part[drawn[..., 3] > 0] = drawn[drawn[..., 3] > 0]
    return canvas


def alone(digit):
    return from_canvas(page({(0, 0): digit})).final


def test_lines_from_top_to_bottom_each_from_left_to_right():
    places = {(160, 300): 4, (10, 240): 2, (0, 20): 7, (15, 440): 0, (170, 60): 3}
    stages = from_canvas(page(places))
    found = digits_of(stages)
    assert [digit.line for digit in found] == [0, 0, 0, 1, 1]
    for digit, expected in zip(found, (7, 2, 0, 3, 4), strict=True):
        assert np.abs(digit.image.astype(int) - alone(expected)).mean() < 3
    corners = sorted(places, key=lambda place: (place[0] > 100, place[1]))
    for digit, (top, left) in zip(found, corners, strict=True):
        y, x, bottom, right = np.array(digit.box) * (300, 600, 300, 600)
        assert top <= y < bottom <= top + 120 and left <= x < right <= left + 120


def test_one_digit_is_what_the_steps_end_with():
    stages = from_canvas(page({(40, 50): 5}))
    (only,) = digits_of(stages)
    assert only.stages is stages and only.line == 0


def ink(*boxes, shape=(200, 300)):
    image = np.zeros(shape, np.uint8)
    for top, left, bottom, right in boxes:
        image[top:bottom, left:right] = 255
    return image


@pytest.mark.parametrize(
    ("boxes", "count"),
    [
        ([(20, 40, 160, 60), (20, 64, 35, 110)], 1),  # a 5's bar beside its stem
        ([(40, 40, 160, 100), (20, 60, 32, 120)], 1),  # the bar above the body
        ([(20, 40, 85, 60), (90, 40, 160, 60)], 1),  # an interrupted stroke
        ([(20, 40, 160, 60), (20, 100, 160, 120)], 2),  # 1 1
        ([(20, 40, 90, 60), (120, 40, 190, 60)], 2),  # 1 above 1
        ([(20, 40, 160, 60), (145, 80, 160, 95), (20, 120, 160, 140)], 2),  # 1.1
        ([(20, 40, 160, 60), (85, 90, 95, 140), (20, 180, 160, 200)], 2),  # 1-1
        ([(20, 40, 160, 60), (100, 200, 102, 202)], 1),  # a speck
        ([], 0),
    ],
)
def test_which_strokes_make_a_digit(boxes, count):
    assert len(groups_of(ink(*boxes))) == count


def test_dust_is_no_row_of_digits():
    dots = np.zeros((320, 320), np.uint8)
    dots[::2, ::2] = 255
    stages = from_ink(dots)
    assert groups_of(dots) == [] and digits_of(stages)[0].stages is stages


def test_groups_share_out_all_ink_but_marks():
    drawn = from_canvas(page({(10, 20): 8, (30, 200): 6})).ink.pixels
    groups = groups_of(drawn)
    parts = np.zeros_like(drawn)
    for group in groups:
        top, left, bottom, right = group.box
        parts[top:bottom, left:right] = np.maximum(parts[top:bottom, left:right], group.ink)
    # Only the outermost, faintest pixel of an edge may belong to nobody.
    assert len(groups) == 2 and drawn[parts != drawn].max(initial=0) < 64


def test_a_photograph_of_several_digits_and_boxes_in_its_pixels():
    mask = Image.fromarray(
        page({(60, 60): 3, (70, 230): 7, (50, 400): 1}, shape=(240, 600))[..., 3]
    )
    found = digits_of(from_image(photograph(mask, np.random.default_rng(0), 900)))
    assert len(found) == 3
    lefts = [digit.box[1] for digit in found]
    assert lefts == sorted(lefts) and all(0 <= edge <= 1 for d in found for edge in d.box)


def test_a_margin_is_not_of_the_picture():
    stages = from_ink(ink((30, 60, 90, 120), shape=(120, 180)), margin=30)
    (only,) = digits_of(stages)
    assert only.box == pytest.approx((0, 0.25, 1, 0.75))
