"""Digits that touch are parted by whoever reads digits; here, by likeness to ten drawings."""

import itertools

import numpy as np
import pytest

from mnist_core.imaging.digits import digits_of
from mnist_core.imaging.preprocess import from_ink
from tests.drawing import alike, draw

SIDE = 160


def drawn(digit):
    return draw(digit, canvas=SIDE, size=0.8, stroke=0.12)[..., 3]


TEMPLATES = [from_ink(drawn(digit)).final for digit in range(10)]


def likeness(image):
    return [alike(image, template) for template in TEMPLATES]


def score(images):
    """Log-probability 0 for one of the drawings, and ten less for what has nothing in common with
    any; such are the log-odds, too, with 0 in the middle between the two."""
    likely = np.array([10 * (max(likeness(image)) - 1) for image in images])
    return likely, 2 * likely + 10


def in_a_row(digits):
    """(h, w) uint8: each digit moved to the left until it touches the one before."""
    row = np.zeros((SIDE, SIDE * len(digits)), np.uint8)
    for digit in digits:
        ink, place = drawn(digit), row.shape[1] - SIDE
        near = row > 128
        near = near | np.roll(near, 1, 1)
        while place > 0 and not (near[:, place : place + SIDE] & (ink > 128)).any():
            place -= 1
        row[:, place : place + SIDE] = np.maximum(row[:, place : place + SIDE], ink)
    return row


def read(stages):
    return [int(np.argmax(likeness(digit.image))) for digit in digits_of(stages, score)]


@pytest.mark.parametrize("digits", ([2, 3], [5, 6], [8, 8], [3, 2, 5]))
def test_digits_that_touch_are_parted(digits):
    stages = from_ink(in_a_row(digits))
    assert len(digits_of(stages)) == 1
    assert read(stages) == digits
    boxes = [digit.box for digit in digits_of(stages, score)]
    assert all(a[1] < b[1] and a[3] < b[3] for a, b in itertools.pairwise(boxes))
    assert all(0 <= edge <= 1 for found in boxes for edge in found)


def test_a_digit_is_left_whole():
    for digit in range(10):
        stages = from_ink(drawn(digit))
        (only,) = digits_of(stages, score)
        assert only.stages is stages


def test_what_is_no_digit_in_parts_either_is_left_whole():
    stages = from_ink(in_a_row([4, 7]))
    (only,) = digits_of(stages, lambda images: (np.full(len(images), -50.0),) * 2)
    assert only.stages is stages


def test_what_looks_like_a_digit_is_not_taken_for_crossed_out():
    page = np.zeros((SIDE, 3 * SIDE), np.uint8)
    for at in range(120):
        page[20 + at, 20 + at : 34 + at] = page[20 + at, 139 - at : 153 - at] = 255
    page[:, 2 * SIDE :] = drawn(7)
    stages = from_ink(page)
    unlike, like = (np.full(1, -50.0),) * 2, (np.zeros(1), np.full(1, 9.0))
    assert len(digits_of(stages)) == len(digits_of(stages, lambda _: unlike)) == 1
    assert len(digits_of(stages, lambda _: like)) == 2
