"""What all charts share."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mnist_core.charts.style import COLOURS, colour, common_layout, round_ticks, symbols
from mnist_core.dataset_specs import dataset_names


def test_colours_begin_again_after_the_last():
    assert [colour(index) for index in range(10)] == [*COLOURS, *COLOURS[:2]]


def test_data_sets_differ_by_symbol_and_an_unknown_one_has_a_symbol_too():
    assert symbols("MNIST") == ("circle", "●")
    assert symbols("KMNIST") == ("diamond", "◆")
    names = dataset_names()
    assert len({symbols(name) for name in names}) == len(names)
    assert symbols("gone") == ("circle", "●")


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
