"""Curves of training: what is drawn against what went in."""

import json

import pytest

from mnist_core.analysis.curves import curve_rows, spread_over_seeds
from mnist_core.charts.style import FAINT
from mnist_core.charts.training import Look, training_curves
from tests.stores import made_up_history

HISTORY = made_up_history(12, 0.98)
ROWS = [
    *curve_rows("a", "A", [made_up_history(4, 0.9), made_up_history(3, 0.8)], 4),
    *curve_rows("b", "B", [made_up_history(9, 0.95)], 8),
]
LOOKS = {"a": Look("#111111"), "b": Look("#222222"), "none": Look("#333333")}
BOTH = pytest.mark.parametrize("what", ["loss", "accuracy"])


def alone(history, what, label="", best=None, **options):
    """The figure of one run."""
    rows = curve_rows("a", label, [history], best)
    return training_curves(rows, what, {"a": Look("#111111")}, **options)


def named(figure, word):
    return [trace for trace in figure.data if word in trace.name]


@BOTH
def test_a_run_is_a_dotted_and_a_solid_line_of_its_colour(what):
    figure = training_curves(ROWS, what, LOOKS)
    curves = [trace for trace in figure.data if trace.mode != "markers"]
    assert [(t.name, t.line.dash, t.line.color, len(t.x)) for t in curves] == [
        ("A · training", "dot", "#111111", 4),
        ("A · validation", "solid", "#111111", 4),
        ("A · another seed", "solid", "#111111", 3),
        ("B · training", "dot", "#222222", 9),
        ("B · validation", "solid", "#222222", 9),
    ]
    assert list(curves[4].y) == [row[f"validation_{what}"] for row in ROWS if row["id"] == "b"]
    assert list(curves[4].x) == list(range(1, 10))
    assert curves[2].line.width < curves[1].line.width and curves[2].opacity == FAINT
    assert list(curves[2].customdata) == ["a"] * 3


def test_runs_can_lie_along_the_time_that_they_took():
    figure = training_curves(ROWS, "accuracy", LOOKS, by="elapsed")
    stars = [trace for trace in figure.data if trace.marker.symbol == "star"]
    assert [trace.x[0] for trace in stars] == [14.0, 28.0]
    assert figure.layout.xaxis.range == pytest.approx((0, 1.04 * 9 * 3.5))
    assert "14 s" not in stars[0].hovertemplate and "best epoch 4" in stars[0].hovertemplate


@BOTH
def test_a_run_in_the_background_is_faint_and_has_no_star(what):
    figure = training_curves(ROWS, what, LOOKS | {"a": Look("#111111", FAINT / 2)})
    assert {trace.opacity for trace in named(figure, "A")} == {FAINT / 2}
    assert {trace.opacity for trace in named(figure, "B")} == {1}
    assert len(named(figure, "best epoch")) == (what == "accuracy")


def test_the_best_epoch_has_a_star():
    (star,) = named(alone(HISTORY, "accuracy", best=7), "best epoch")
    assert (star.x, star.y) == ((7,), (HISTORY[6]["validation_accuracy"],))
    assert not named(alone(HISTORY, "accuracy", best=99), "best epoch")


@BOTH
def test_seeds_are_their_mean_and_a_deviation_to_each_side(what):
    histories = [made_up_history(3, 0.9), made_up_history(3, 0.8)]
    figure = alone(histories[0], what, seeds=spread_over_seeds(histories))
    area, mean = named(figure, "2 seeds")
    values = [[row[f"validation_{what}"] for row in history] for history in histories]
    means = [(a + b) / 2 for a, b in zip(*values, strict=True)]
    assert list(mean.y) == pytest.approx(means)
    assert area.fill == "toself" and list(area.x) == [1, 2, 3, 3, 2, 1]
    assert area.y[0] - mean.y[0] == pytest.approx(mean.customdata[0])


def test_the_losses_of_batches_are_drawn_also_before_the_first_epoch_ends():
    batches = [{"epoch": 0.25, "loss": 2.0}, {"epoch": 0.5, "loss": 1.0}]
    (trace,) = alone([], "loss", batches=batches).data
    assert (list(trace.x), list(trace.y), trace.name) == ([0.25, 0.5], [2.0, 1.0], "one batch")
    assert not alone([], "accuracy", batches=batches).data


def test_points_are_shown_where_they_are_few_or_can_be_clicked():
    assert alone(HISTORY[:1], "accuracy").data[0].mode == "lines+markers"
    assert alone(HISTORY, "accuracy").data[0].mode == "lines"
    assert alone(HISTORY, "accuracy", clickable=True).data[0].mode == "lines+markers"


def test_names_say_no_label_where_there_is_one_run():
    assert [trace.name for trace in alone(HISTORY, "loss").data] == ["training", "validation"]


@BOTH
def test_no_history_is_an_empty_chart(what):
    figure = alone([], what)
    assert not figure.data and figure.layout.yaxis.range


@BOTH
def test_the_axis_has_room_for_the_epochs_to_come(what):
    assert alone(HISTORY, what).layout.xaxis.range == (0, 12.48)
    assert alone(HISTORY[:3], what, epochs=50).layout.xaxis.range == (0, 52)


def test_height_and_legend_can_be_chosen():
    layout = alone(HISTORY, "loss", height=200, legend=False).layout
    assert (layout.height, layout.showlegend) == (200, False)


def test_a_loss_axis_has_ticks_also_where_the_loss_hardly_moves():
    still = [{**row, "train_loss": 0.31, "validation_loss": 0.33} for row in HISTORY]
    assert len(alone(still, "loss").layout.yaxis.tickvals) >= 2


@BOTH
@pytest.mark.parametrize("value", [float("nan"), float("inf"), 0.0, -1.0])
def test_figures_that_cannot_be_drawn_do_no_harm(what, value):
    odd = curve_rows("odd", "", [[dict.fromkeys(HISTORY[0], value)]], 1)
    figure = training_curves([*odd, *ROWS], what, {"odd": Look("#000000"), **LOOKS})
    drawn = json.loads(figure.to_json())["data"]
    assert {"A · validation", "B · validation"} <= {trace["name"] for trace in drawn}
