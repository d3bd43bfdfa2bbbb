"""Names at the ends of lines."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from mnist_core.charts.line_names import moved_apart, names_at_ends

PLACES = st.lists(st.floats(-50, 250), max_size=8).map(sorted)


@given(PLACES)
def test_names_keep_their_order_and_a_distance_within_the_chart(places):
    moved = moved_apart(places, 15, 200)
    assert len(moved) == len(places)
    assert all(b - a >= 15 - 1e-9 for a, b in itertools.pairwise(moved))
    assert all(-1e-9 <= place <= 200 for place in moved)


def test_names_that_do_not_collide_stay():
    assert moved_apart([10, 40, 90], 15, 200) == [10, 40, 90]


def test_a_line_without_a_point_that_can_be_drawn_has_no_name():
    trace = {"x": [1, 2], "y": [0.5, float("nan")], "meta": "a"}
    lost = {"x": [1], "y": [float("nan")], "meta": "b"}
    (note,) = names_at_ends([trace, lost, {"x": [1], "y": [1]}], {"range": [-1, 0]}, 100)
    assert (note["text"], note["x"]) == ("a", 1)
