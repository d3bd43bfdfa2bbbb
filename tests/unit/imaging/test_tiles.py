"""Pictures of arrays, pixel by pixel: enlarged, coloured, framed, wrapped into rows."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as some
from PIL import Image

from mnist_core.imaging import tiles
from mnist_core.imaging.tiles import LAST, LINE, ZERO, enlarged, in_rows, squared, tile


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


@given(some.integers(1, 40), some.integers(1, 12), some.integers(1, 12), some.booleans())
@settings(max_examples=60, deadline=None)
def test_a_tile_holds_each_value_as_one_square_in_its_place(count, rows, columns, signed):
    random = np.random.default_rng(count * 1000 + rows * 20 + columns)
    maps = random.normal(size=(count, rows, columns)).astype(np.float32)
    maps = maps if signed else np.abs(maps)
    picture = tile(maps, 200, 200)
    height, width = picture.indices.shape
    layouts = [
        (factor, gap, across)
        for factor in range(1, 201)
        for gap in (0, 1)
        for across in range(1, count + 1)
        if width == across * (columns * factor + gap) + gap
        and height == -(-count // across) * (rows * factor + gap) + gap
    ]
    assert any(holds(picture, maps, *layout) for layout in layouts)


def holds(picture, maps, factor, gap, across):
    """Whether each value is a square of factor × factor, `across` channels side by side."""
    rows, columns = maps.shape[1:]
    start = 0 if maps.min() < 0 else ZERO
    for index, channel in enumerate(maps):
        y = index // across * (rows * factor + gap) + gap
        x = index % across * (columns * factor + gap) + gap
        cell = picture.indices[y : y + rows * factor, x : x + columns * factor]
        squares = cell.reshape(rows, factor, columns, factor)
        share = (channel - picture.low) / (picture.high - picture.low)
        exact = (start + share * (LAST - start))[:, None, :, None]
        if np.abs(squares - exact).max() >= 0.501:
            return False
    edges = picture.indices[[0, -1]], picture.indices[:, [0, -1]]
    return not gap or all((edge == LINE).all() for edge in edges)


def test_zero_is_dark_and_both_ends_are_bright():
    palette = tile(np.array([-1.0, 1.0])).palette.astype(float)
    light = palette[: LAST + 1] @ (0.2126, 0.7152, 0.0722)
    assert light[ZERO] < 30 and min(light[0], light[LAST]) > 220
    assert (np.diff(light[: ZERO + 1]) < 0).all() and (np.diff(light[ZERO:]) > 0).all()
    assert palette[0, 2] > palette[0, 0] and palette[LAST, 0] > palette[LAST, 2]


def test_the_scale_is_centred_on_zero_or_starts_there():
    signed, positive = tile(np.array([-1.0, 0, 3])), tile(np.array([0.0, 1, 4]))
    assert (signed.low, signed.high) == (-3, 3) and (positive.low, positive.high) == (0, 4)
    assert ZERO in signed.indices and positive.indices.min() == ZERO
    grey = tile(np.array([[[-0.4, 2.8]]]), grey=True)
    assert (grey.low, round(grey.high, 5)) == (np.float32(-0.4), 2.8)
    assert {0, 255} <= set(grey.pixels.ravel())


@pytest.mark.parametrize("values", [np.zeros((2, 3, 3)), np.full((1, 4, 4), -2.0), np.full(5, 7.0)])
def test_constant_maps_have_a_picture(values):
    picture = tile(values)
    assert picture.high > picture.low and np.isfinite([picture.low, picture.high]).all()


def test_values_that_are_not_finite_do_not_break_a_picture():
    picture = tile(np.array([[[np.nan, np.inf], [-np.inf, 2.0]]]))
    assert (picture.low, picture.high) == (0, 2)


@pytest.mark.parametrize("shape", [(10,), (120,), (8192,), (7, 9), (512, 5, 5), (600, 28, 28)])
def test_a_picture_file_is_lossless(shape):
    picture = tile(np.random.default_rng(0).normal(size=shape))
    again = np.asarray(Image.open(io.BytesIO(picture.png())).convert("RGB"))
    assert again.dtype == np.uint8 and np.array_equal(again, picture.pixels)


def test_ten_classes_lie_in_one_row():
    assert tile(np.arange(10.0)).indices.shape[0] < 35


def test_a_limit_is_the_same_colour_in_every_stage():
    weak, strong = np.full((1, 2, 2), 0.5), np.full((1, 2, 2), 2.0)
    one, other = (tile(np.concatenate([v, -v]), 60, 60, limit=4) for v in (weak, strong))
    assert (one.low, one.high) == (other.low, other.high) == (-4, 4)
    values = sorted({int(v) for v in np.unique(one.indices)} - {LINE})
    assert values == [round(ZERO - ZERO / 8), round(ZERO + ZERO / 8)]
    beyond = tile(np.full((1, 2, 2), 9.0), 60, 60, limit=4)
    assert set(np.unique(beyond.indices)) <= {LAST, LINE}


def test_the_frame_goes_around_its_part():
    values = np.zeros((28, 28), np.float32)
    picture = np.asarray(Image.open(io.BytesIO(tiles.outlined(values, (3, 5, 8, 10), 200))))
    framed = (picture == tiles.FRAME).all(-1)
    rows, columns = np.flatnonzero(framed.any(1)), np.flatnonzero(framed.any(0))
    factor, edge = 7, 1
    assert (rows[0], rows[-1] + 1) == (3 * factor + edge, 8 * factor + edge)
    assert (columns[0], columns[-1] + 1) == (5 * factor + edge, 10 * factor + edge)
    assert not framed[rows[0] + 9 : rows[-1] - 9, columns[0] + 9 : columns[-1] - 9].any()
    tiles.outlined(values, (-2, -2, 3, 3), 200)  # partly beyond: cut off
