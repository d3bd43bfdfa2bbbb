import itertools
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.charts.training import (
    COLOURS,
    Curve,
    accuracy_curves,
    colour,
    loss_curves,
    round_ticks,
)
from tests.stores import made_up_history

HISTORY = made_up_history(12, 0.98)


def lines(figure, word):
    return [trace for trace in figure.data if word in trace.name]


def test_a_curve_is_a_dotted_and_a_solid_line_of_one_colour():
    figure = loss_curves([Curve("one", HISTORY), Curve("two", HISTORY)])
    assert [trace.name for trace in figure.data] == [
        "one · training",
        "one · validation",
        "two · training",
        "two · validation",
    ]
    first, second = figure.data[:2], figure.data[2:]
    assert [trace.line.dash for trace in first] == ["dot", "solid"]
    assert {trace.line.color for trace in first} == {colour(0)}
    assert {trace.line.color for trace in second} == {colour(1)}
    assert list(first[1].y) == [row["validation_loss"] for row in HISTORY]
    assert list(first[1].x) == list(range(1, 13))


def test_both_charts_give_a_run_the_same_colour():
    curves = [Curve(str(number), HISTORY) for number in range(10)]
    for figure in (loss_curves(curves), accuracy_curves(curves)):
        drawn = [trace.line.color for trace in lines(figure, "validation")]
        assert drawn == [*COLOURS, *COLOURS[:2]]


def test_the_best_epoch_has_a_star():
    figure = accuracy_curves([Curve("one", HISTORY, best_epoch=7)])
    (star,) = lines(figure, "best epoch")
    assert (star.x, star.y) == ((7,), (HISTORY[6]["validation_accuracy"],))
    assert not lines(accuracy_curves([Curve("", HISTORY, best_epoch=99)]), "best epoch")
    assert not lines(accuracy_curves([Curve("", HISTORY, 7, faint=True)]), "best epoch")


def test_batches_lie_within_their_epoch():
    losses = [{"epoch": 1, "step": 50, "loss": 2.0}, {"epoch": 2, "step": 100, "loss": 1.0}]
    (batch,) = lines(loss_curves([Curve("", [], step_losses=losses, steps=200)]), "one batch")
    assert list(batch.x) == [0.25, 1.5]


def test_a_short_history_shows_its_points():
    assert accuracy_curves([Curve("", HISTORY[:1])]).data[0].mode == "lines+markers"
    assert accuracy_curves([Curve("", HISTORY)]).data[0].mode == "lines"


@pytest.mark.parametrize("curves", [[], [Curve("nothing yet", [])]])
def test_no_history_is_an_empty_chart(curves):
    assert not loss_curves(curves).data
    assert not accuracy_curves(curves).data


def test_both_charts_end_at_the_same_epoch():
    curves = [Curve("", HISTORY, best_epoch=12), Curve("", HISTORY[:3])]
    ends = {chart(curves).layout.xaxis.range for chart in (loss_curves, accuracy_curves)}
    assert ends == {(0, 12.48)}


def test_layout_goes_to_plotly():
    figure = json.loads(loss_curves([Curve("", HISTORY)], 200, showlegend=False).to_json())
    assert (figure["layout"]["height"], figure["layout"]["showlegend"]) == (200, False)


@given(st.floats(1e-6, 10), st.floats(1.05, 500))
def test_ticks_are_round_and_within_the_axis(low, ratio):
    high = low * ratio
    ticks = round_ticks(low, high)
    assert 2 <= len(ticks) <= 9
    assert all(low * 0.999 <= tick <= high * 1.001 for tick in ticks)
    texts = [f"{tick:.3g}" for tick in ticks]
    assert all(one != other for one, other in itertools.pairwise(texts))


def test_a_loss_axis_has_ticks_also_where_the_loss_hardly_moves():
    still = [{**row, "train_loss": 0.31, "validation_loss": 0.33} for row in HISTORY]
    assert len(loss_curves([Curve("", still)]).layout.yaxis.tickvals) >= 2


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_figures_that_cannot_be_drawn_do_no_harm(value):
    odd = Curve("", [dict.fromkeys(HISTORY[0], value)], best_epoch=1)
    for chart in (loss_curves, accuracy_curves):
        assert json.loads(chart([odd, Curve("", HISTORY)]).to_json())
