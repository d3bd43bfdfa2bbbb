"""What all charts share."""

import itertools
import tomllib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from streamlit.elements.lib import streamlit_plotly_theme

from mnist_core.charts import style
from mnist_core.charts.style import COLOURS, colour, common_layout, percent_ticks, round_ticks
from tests.unit.charts.colour_vision import VISIONS, contrast, difference, lab, rgb

GROUNDS = {"light": (style.LIGHT, "#ffffff"), "dark": (style.DARK, "#0e1117")}
each_palette = pytest.mark.parametrize("palette, ground", GROUNDS.values(), ids=GROUNDS)


def test_colours_begin_again_after_the_last():
    assert [colour(index) for index in range(10)] == [*COLOURS, *COLOURS[:2]]
    assert style.css_colour(9) == f"light-dark({style.LIGHT[1]}, {style.DARK[1]})"


@each_palette
@pytest.mark.parametrize("vision", VISIONS)
def test_any_two_colours_are_told_apart(palette, ground, vision):
    seen = [lab(rgb(name), vision) for name in palette]
    assert len(seen) == 8
    assert min(difference(one, other) for one, other in itertools.combinations(seen, 2)) > 11


@each_palette
def test_colours_stand_out_from_their_ground(palette, ground):
    assert min(contrast(rgb(name), rgb(ground)) for name in palette) >= 3


def test_series_differ_by_more_than_hue():
    looks = {(style.dash(index), style.marker(index)) for index in range(8)}
    assert len(looks) == 8 and len({style.marker(index) for index in range(8)}) == 8


def test_the_theme_has_the_palettes_and_a_figure_names_its_places():
    theme = tomllib.loads((Path(__file__).parents[3] / ".streamlit/config.toml").read_text())
    for name, (palette, _) in GROUNDS.items():
        assert tuple(theme["theme"][name]["chartCategoricalColors"]) == palette
    places = [getattr(streamlit_plotly_theme, f"CATEGORY_{place}") for place in range(8)]
    assert list(COLOURS) == places


def test_the_difference_of_two_colours_is_ciede2000():
    # Pairs 1, 7 and 17 of Sharma, Wu, Dalal: The CIEDE2000 color-difference formula, 2005.
    pairs = [
        ((50, 2.6772, -79.7751), (50, 0, -82.7485), 2.0425),
        ((50, 0, 0), (50, -1, 2), 2.3669),
        ((50, 2.5, 0), (73, 25, -18), 27.1492),
    ]
    for one, other, expected in pairs:
        assert difference(np.array(one), np.array(other)) == pytest.approx(expected, abs=1e-4)


def test_a_charts_own_layout_comes_on_top_of_the_common_one():
    layout = common_layout(200, showlegend=False, hovermode="x")
    assert (layout["height"], layout["hovermode"], layout["dragmode"]) == (200, "x", False)


@given(st.floats(1e-6, 10), st.floats(1.05, 500))
def test_ticks_are_round_and_within_the_axis(low, ratio):
    high = low * ratio
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 9
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    texts = [f"{tick:.3g}" for tick in ticks]
    assert all(one != other for one, other in itertools.pairwise(texts))


@given(st.floats(0, 0.99), st.floats(0.01, 1))
def test_ticks_in_per_cent_are_within_the_axis(low, span):
    high = min(low + span, 1.02)
    found = percent_ticks(low, high)
    assert 1 <= len(found["tickvals"]) <= 7
    for tick, text in zip(found["tickvals"], found["ticktext"], strict=True):
        assert low - 1e-6 <= tick <= high + 1e-6
        assert float(text.removesuffix(" %")) == pytest.approx(100 * tick)
