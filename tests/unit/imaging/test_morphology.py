"""Image analysis in numpy alone, against scipy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from mnist_core.imaging.ink import otsu
from mnist_core.imaging.morphology import closing, components, dilate


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
