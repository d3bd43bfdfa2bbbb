"""The picture of a receptive field over an image."""

import numpy as np

from mnist_core.imaging.field_overlay import FRAME, overlay_field
from mnist_core.inspection.architecture import describe, growing_fields
from mnist_core.models import create_model


def test_the_picture_frames_the_box():
    picture = overlay_field(np.zeros((10, 10), np.uint8), (2, 3, 5, 9), None, factor=8)
    assert picture.shape == (80, 80, 3)
    framed = (picture == FRAME).all(axis=2)
    rows, columns = framed.nonzero()
    assert (rows.min(), columns.min(), rows.max() + 1, columns.max() + 1) == (16, 24, 40, 72)
    assert not framed[20:36, 28:68].any()
    assert not overlay_field(np.zeros((4, 4), np.uint8), (0, 0, 0, 0)).any()
    field = np.zeros((10, 10))
    field[4, 4] = 1
    glowing = overlay_field(np.zeros((10, 10), np.uint8), (2, 3, 5, 9), field)
    assert glowing[36, 36, 0] > 150 and not glowing[8, 8].any()


def test_the_growing_stages_are_those_that_see_more():
    strip = [stage["name"] for stage in growing_fields(describe(create_model("lenet5"), 32))]
    assert strip == ["conv1", "pool1", "conv2", "pool2", "flatten"]
