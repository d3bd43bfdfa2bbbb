"""Shift, turn and size of an image, and the places where an answer flips."""

import numpy as np
import pytest

from mnist_core.imaging.affine import AXES, Move, along, flips, moved
from mnist_core.imaging.preprocess import from_canvas
from tests.drawing import draw

BY_NAME = {axis.name: axis for axis in AXES}


@pytest.fixture(scope="module")
def image():
    return from_canvas(draw(7)).final


def test_at_rest_nothing_changes(image):
    assert np.array_equal(moved(image, Move()), image)
    for axis in AXES:
        assert axis.neutral in axis.values
        assert axis.values[0] == axis.low and axis.values[-1] == pytest.approx(axis.high)


@pytest.mark.parametrize("right, down", [(3, 0), (0, 2), (-4, 5), (-10, -10)])
def test_whole_shifts_are_exact(image, right, down):
    there = moved(image, Move(right=right, down=down))
    padded = np.pad(image, 28)
    assert np.array_equal(there, padded[28 - down : 56 - down, 28 - right : 56 - right])


def test_a_quarter_turn_is_numpys(image):
    assert np.array_equal(moved(image, Move(turn=90)), np.rot90(image, -1))
    assert np.array_equal(moved(image, Move(turn=-90)), np.rot90(image))


def test_half_the_size_is_a_quarter_of_the_ink(image):
    small = moved(image, Move(size=0.5))
    assert small.sum() == pytest.approx(image.sum() / 4, rel=0.03)
    assert not small[:6].any() and not small[:, :6].any()


def test_a_shift_comes_after_the_turn(image):
    there = moved(image, Move(right=3, down=-2, turn=90))
    padded = np.pad(np.rot90(image, -1), 28)
    assert np.array_equal(there, padded[30:58, 25:53])


def test_along_an_axis_the_others_stay(image):
    axis = BY_NAME["turn"]
    images = along(image, Move(right=2, turn=40), axis)
    assert images.shape == (len(axis.values), 28, 28)
    middle = int(np.flatnonzero(axis.values == 0)[0])
    assert np.array_equal(images[middle], moved(image, Move(right=2)))


def test_where_the_answer_flips():
    axis = BY_NAME["right"]  # -10 to 10
    answers = np.full(21, 7)
    assert flips(answers, axis) == (-10, 10)
    answers[[3, 14]] = 1
    assert flips(answers, axis) == (-6, 3)
    answers[:] = np.arange(21)
    assert flips(answers, axis) == (0, 0)
