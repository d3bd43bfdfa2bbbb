"""Pictures of arrays: enlarged, centred, wrapped into rows."""

import numpy as np

from mnist_core.imaging.tiles import enlarged, in_rows, squared


def test_every_pixel_becomes_a_square():
    image = np.array([[1, 2], [3, 4]], np.uint8)
    assert np.array_equal(enlarged(image, 3), np.kron(image, np.ones((3, 3), np.uint8)))
    colours = np.arange(12).reshape(2, 2, 3)
    assert enlarged(colours, 2).shape == (4, 4, 3)
    assert np.array_equal(enlarged(colours, 2)[::2, ::2], colours)


def test_a_squared_image_lies_in_the_middle_of_a_transparent_square():
    shown = squared(np.full((2, 4), 200, np.uint8), 10)  # enlarged twice: 4 rows, 8 columns
    grey, opacity = shown[..., 0], shown[..., 1]
    assert shown.shape == (10, 10, 2)
    assert (grey[3:7, 1:9] == 200).all() and (opacity > 0).sum() == 4 * 8
    assert squared(np.zeros((300, 100), np.uint8), 50).shape == (50, 50, 2)


def test_rows_are_filled_up_with_nothing():
    rows = in_rows(np.arange(5), 3)
    assert rows[:1].tolist() == [[0, 1, 2]] and rows[1, :2].tolist() == [3, 4]
    assert np.isnan(rows[1, 2]) and in_rows(np.arange(2), 12).shape == (1, 2)
