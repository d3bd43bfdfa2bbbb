"""From a drawing to 28×28: against what MNIST is known to look like, and against what people do."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy import ndimage

from mnist_core.errors import InputError
from mnist_core.imaging.preprocess import (
    Stage,
    Stages,
    centre,
    crop,
    fit,
    from_canvas,
    from_ink,
    without_normalising,
)
from tests import drawing
from tests.drawing import BLACK, CLEAR, POSITIONS, SIZES, STROKES, WHITE, alike, draw

DIGITS = range(10)


def apart(a: np.ndarray, b: np.ndarray) -> float:
    """Mean absolute difference, in grey levels."""
    return float(np.abs(a.astype(float) - b).mean())


def only_shrunk(stages: Stages) -> np.ndarray:
    return without_normalising(stages).final


def canvas(colour=CLEAR, side=400) -> np.ndarray:
    return np.full((side, side, 4), colour, np.uint8)


@pytest.mark.parametrize("digit", DIGITS)
def test_centre_of_mass_is_pixel_14(digit):
    """MNIST's convention, counted from 0: every one of its digits lies within half a pixel."""
    final = from_canvas(draw(digit, position=(1, 0))).final
    assert final.shape == (28, 28) and final.dtype == np.uint8
    assert np.abs(np.subtract(ndimage.center_of_mass(final), 14)).max() <= 0.5


@pytest.mark.parametrize("stroke", STROKES)
@pytest.mark.parametrize("digit", DIGITS)
def test_longer_side_is_20_and_the_shape_is_kept(digit, stroke):
    ink = draw(digit, stroke=stroke)[..., 3]
    rows, columns = ndimage.find_objects((ink >= 128).astype(int))[0]
    h, w = rows.stop - rows.start, columns.stop - columns.start
    fitted = fit(crop(ink))
    rows, columns = ndimage.find_objects((fitted > 0).astype(int))[0]
    assert (rows.start, rows.stop) == (0, 20)
    assert abs(columns.stop - columns.start - 20 * w / h) < 2  # a pixel cut on either side


def test_fit_is_the_mean_over_areas():
    """A pen of usual width against scipy's box filter, sampled where the sizes divide."""
    ink = np.zeros((200, 200), np.uint8)
    ink[:, 60:95] = 255
    ink[180:, :] = 255
    means = ndimage.uniform_filter(ink.astype(float), 10)[5::10, 5::10]
    assert np.abs(fit(ink) - means).max() <= 0.5


@pytest.mark.parametrize("digit", (1, 4, 6, 8))
def test_place_does_not_matter(digit):
    """The same pixels elsewhere: the same image. The same strokes elsewhere: nearly."""
    middle = draw(digit, size=0.4)
    usual = from_canvas(middle).final
    for x, y in POSITIONS:
        shifted = np.roll(middle, (int(200 * y - 100), int(200 * x - 100)), (0, 1))
        assert (from_canvas(shifted).final == usual).all()
        assert alike(from_canvas(draw(digit, size=0.4, position=(x, y))).final, usual) > 0.98


@pytest.mark.parametrize("stroke", STROKES)
@pytest.mark.parametrize("digit", (1, 4, 6, 8))
def test_size_hardly_matters(digit, stroke):
    finals = [from_canvas(draw(digit, size=size, stroke=stroke)).final for size in SIZES]
    assert min(alike(finals[-1], other) for other in finals) > 0.92


def test_a_thin_pen_is_thin_and_not_faint():
    widths = [np.count_nonzero(from_canvas(draw(3, stroke=s)).final > 100) for s in STROKES]
    assert widths == sorted(widths) and widths[0] < 0.8 * widths[-1]
    for stroke in (0.02, *STROKES):
        ink = from_canvas(draw(3, stroke=stroke)).final
        assert np.quantile(ink[ink > 12], 0.8) >= 250


COLOURS = {
    "black on clear": (BLACK, CLEAR),
    "white on clear": (WHITE, CLEAR),
    "black on white": (BLACK, WHITE),
    "white on black": (WHITE, BLACK),
    "yellow on white": ((250, 230, 60, 255), WHITE),
    "red on blue of the same grey": ((200, 40, 40, 255), (30, 70, 220, 255)),
    "half clear": ((0, 0, 0, 128), CLEAR),
}


@pytest.mark.parametrize("colours", COLOURS.values(), ids=COLOURS)
@pytest.mark.parametrize("digit", (1, 8))
def test_colours_do_not_matter(digit, colours):
    ink, background = colours
    usual = from_canvas(draw(digit)).final
    assert apart(from_canvas(draw(digit, ink=ink, background=background)).final, usual) < 1


def test_a_digit_that_covers_most_of_the_canvas_is_still_the_ink():
    fat = draw(0, size=1, stroke=0.6, background=WHITE)
    assert (fat[..., 0] < 128).mean() > 0.5
    assert apart(from_canvas(fat).final, from_canvas(draw(0, size=1, stroke=0.6)).final) < 1


@pytest.mark.parametrize("colour", [CLEAR, WHITE, BLACK, (30, 90, 20, 255), (9, 9, 9, 40)])
def test_nothing_drawn_yet(colour):
    assert from_canvas(canvas(colour)) is None


def test_a_difference_that_cannot_be_seen_is_not_ink():
    image = canvas(WHITE)
    image[100:200, 100:200, :3] = 250
    assert from_canvas(image) is None


@pytest.mark.parametrize("place", [(0, 0), (399, 399), (200, 17)])
def test_a_dot_is_ink(place):
    image = canvas()
    image[place] = BLACK
    final = from_canvas(image).final
    assert np.count_nonzero(final) == 400


def test_no_ink_is_lost_however_lopsided():
    """A corner block and a far hair: centring alone would push the hair over the edge."""
    ink = np.zeros((200, 200), np.uint8)
    ink[:60, :60] = 255
    ink[-1, -1] = ink[0, -1] = ink[-1, 0] = 255
    fitted = fit(ink)
    centred = centre(fitted)
    assert np.sort(centred[centred > 0]).tolist() == np.sort(fitted[fitted > 0]).tolist()


def test_a_hair_on_a_large_canvas_is_not_averaged_away():
    image = canvas(side=4000)
    image[0, 0] = image[3999, 3999] = BLACK
    assert np.count_nonzero(from_canvas(image).final) == 2


@pytest.mark.parametrize("shape", [(1, 400), (400, 1), (3, 4000), (1, 1)])
def test_extreme_shapes(shape):
    image = np.zeros((*shape, 4), np.uint8)
    image[0, 0] = image[-1, -1] = BLACK
    stages = from_canvas(image)
    assert stages is None if shape == (1, 1) else stages.final.any()


def test_stages_tell_the_story():
    stages = from_canvas(draw(5, canvas=1000))
    assert stages.names == ("as drawn", "ink found", "cropped", "fit 20×20", "centred 28×28")
    assert stages["centred 28×28"].image is stages.final
    for step in stages.steps:
        assert step.image.dtype == np.uint8 and max(step.image.shape) <= 400
        assert step.explanation.endswith(".") and not step.image.flags.writeable
    assert stages["fit 20×20"].image.shape == (20, 20)
    assert from_ink(np.zeros((50, 40), np.uint8)) is None


@pytest.mark.parametrize("ink", [BLACK, WHITE])
def test_what_was_drawn_can_be_seen(ink):
    shown = from_canvas(draw(5, ink=ink))["as drawn"].image
    assert shown.max() == 255 and shown.min() == 0


def test_without_normalising_the_whole_canvas_is_kept():
    small = draw(7, size=0.2, position=(1, 1))
    image = only_shrunk(from_canvas(small))
    assert image.shape == (28, 28) and not image[:20].any() and image[22:, 20:].any()
    assert (only_shrunk(from_ink(small[..., 3])) == image).all()
    wide = np.zeros((225, 400), np.uint8)
    wide[60:160, 150:250] = 255
    rows, columns = (np.flatnonzero(only_shrunk(from_ink(wide)).any(axis)) for axis in (1, 0))
    assert len(rows) == len(columns) == 8  # a square stays one, partly covered pixels included
    bright, dark = draw(7, ink=WHITE, background=BLACK), draw(7)
    assert apart(only_shrunk(from_canvas(bright)), only_shrunk(from_canvas(dark))) < 1


BAD = {
    "list": [[0, 0, 0, 0]],
    "none": None,
    "three channels": np.zeros((9, 9, 3), np.uint8),
    "float": np.zeros((9, 9, 4), np.float32),
    "signed": np.zeros((9, 9, 4), np.int8),
    "no pixels": np.zeros((0, 9, 4), np.uint8),
    "one axis": np.zeros(4, np.uint8),
    "too large": np.zeros((5000, 2, 4), np.uint8),
}


@pytest.mark.parametrize("given", BAD.values(), ids=BAD)
def test_bad_canvas_is_one_sentence(given):
    with pytest.raises(InputError, match=r"^The canvas is .+; it must be .+RGBA. uint8[^\n]*\.$"):
        from_canvas(given)


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_random_strokes_never_fail(data):
    side = data.draw(st.integers(1, 120))
    place = st.tuples(st.floats(-20, 140), st.floats(-20, 140))
    lines = data.draw(st.lists(st.lists(place, min_size=1, max_size=6), max_size=4))
    width = data.draw(st.floats(0.1, 60))
    colour = st.tuples(*[st.integers(0, 255)] * 4)
    mask = drawing.ink_mask([np.array(line) for line in lines], width, side, finer=1)
    image = drawing.paint(mask, data.draw(colour), data.draw(colour))
    stages = from_canvas(image)
    if stages is None:
        assert np.ptp(image[..., 3]) < 8 or not mask.getbbox()
    else:
        assert stages.final.shape == (28, 28) and stages.final.max() == 255
        assert only_shrunk(stages).shape == (28, 28)


def test_enlarged_mnist_comes_back(real_data):
    """MNIST is its own fixed point: enlarged 8 times and placed off-centre, it returns nearly."""
    digits = np.asarray(real_data("MNIST").test.images[:100])
    errors = []
    for digit in digits:
        mask = np.pad(np.kron(digit, np.ones((8, 8), np.uint8)), ((31, 90), (70, 15)))
        errors.append(apart(from_canvas(drawing.paint(Image.fromarray(mask))).final, digit))
    assert (
        np.mean(errors) < 3.5 and np.median(errors) < 1
    )  # measured: 2.6 and 0.4; a pixel's shift is 15


def test_with_fill_the_drawing_fills_the_image():
    tall = from_canvas(draw(1, size=0.3, position=(0, 1)), fill=True)
    assert tall.names[-1] == "fit 28×28" and tall.final.shape == (28, 28)
    rows, columns = tall.final.any(1), tall.final.any(0)
    assert rows.all() and not columns.all()
    inside = np.flatnonzero(columns)
    assert abs(inside[0] - (27 - inside[-1])) <= 1  # in the middle, not by its mass


def test_without_normalising_the_canvas_is_only_shrunk():
    rgba = draw(4, size=0.3, position=(1, 0))
    stages = without_normalising(from_canvas(rgba))
    assert stages.names == ("as drawn", "ink found", "only shrunk")
    means = Image.fromarray(rgba[..., 3]).resize((28, 28), Image.Resampling.BOX)
    assert np.array_equal(stages.final, np.asarray(means))
    ready = Stages((Stage("as it is", "", np.ones((28, 28), np.uint8)),))
    assert without_normalising(ready) is ready
