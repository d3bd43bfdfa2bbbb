"""Corrupted images: each against what it must do to a known picture."""

import numpy as np
import pytest
from scipy import ndimage

from mnist_core.imaging.corruptions import CORRUPTIONS, corrupt


def picture():
    image = np.zeros((28, 28), np.uint8)
    image[10:18, 12:15] = 255
    return image


@pytest.mark.parametrize("kind", CORRUPTIONS)
def test_every_level_gives_images_and_the_neutral_one_the_same(kind):
    images, each = np.stack([picture()] * 5), CORRUPTIONS[kind]
    assert list(each.levels) == sorted(each.levels) and each.neutral in each.levels
    for level in each.levels:
        found = corrupt(images, kind, level)
        assert found.shape == images.shape and found.dtype == np.uint8
        assert (level == each.neutral) == np.array_equal(found, images)
        assert np.array_equal(found, corrupt(images, kind, level))


def test_shift_goes_four_ways_and_lets_nothing_in():
    moved = corrupt(np.stack([picture()] * 4), "shift", 3)
    for image, (down, right) in zip(moved, ((0, 3), (3, 0), (0, -3), (-3, 0)), strict=True):
        assert np.array_equal(image, ndimage.shift(picture(), (down, right), order=0))


@pytest.mark.parametrize("degrees", [-45, 10, 30])
def test_rotation_is_counter_clockwise_as_scipy_turns(degrees):
    found = corrupt(picture()[None], "rotation", degrees)[0].astype(float)
    expected = ndimage.rotate(picture().astype(float), degrees, reshape=False, order=1)
    assert np.abs(found - expected).mean() < 2
    assert np.abs(found - expected[:, ::-1]).mean() > 3


@pytest.mark.parametrize("factor", [0.5, 1.4])
def test_scale_changes_the_area_about_the_centre(factor):
    found = corrupt(picture()[None], "scale", factor)[0].astype(float)
    assert found.sum() == pytest.approx(picture().sum() * factor**2, rel=0.06)
    centre = np.array(ndimage.center_of_mass(found)) + 0.5 - 14
    before = np.array(ndimage.center_of_mass(picture())) + 0.5 - 14
    assert centre == pytest.approx(before * factor, abs=0.15)


@pytest.mark.parametrize("pixels", [-1.5, -1, -0.5, 0.5, 1, 2])
def test_strokes_grow_and_shrink_by_that_width(pixels):
    found = corrupt(picture()[None], "stroke", pixels)[0].astype(float) / 255
    assert found.sum(axis=1).max() == pytest.approx(3 + pixels, abs=0.01)
    assert found.sum(axis=0).max() == pytest.approx(8 + pixels, abs=0.01)


def test_noise_has_the_deviation_it_says():
    grey = np.full((20, 28, 28), 128, np.uint8)
    assert corrupt(grey, "noise", 0.1).std() == pytest.approx(25.5, rel=0.02)
