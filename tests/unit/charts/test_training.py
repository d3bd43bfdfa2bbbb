"""Curves of training: what is drawn against what went in."""

import json

import pytest

from mnist_core.analysis.curves import curve_rows, spread_over_seeds
from mnist_core.charts.style import FAINT
from mnist_core.charts.training import Look, training_curves
from mnist_core.formatting import percent
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


def drawn(what, values):
    """What is drawn of values: of accuracies the errors."""
    return values if what == "loss" else [1 - value for value in values]


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
    values = [row[f"validation_{what}"] for row in ROWS if row["id"] == "b"]
    assert list(curves[4].y) == pytest.approx(drawn(what, values))
    assert curves[4].text[-1] == (f"{values[-1]:.4f}" if what == "loss" else percent(values[-1]))
    assert list(curves[4].x) == list(range(1, 10))
    assert curves[2].line.width < curves[1].line.width and curves[2].opacity == FAINT
    assert list(curves[2].customdata) == ["a"] * 3


def test_runs_can_lie_along_the_time_that_they_took():
    figure = training_curves(ROWS, "accuracy", LOOKS, by="elapsed")
    stars = [trace for trace in figure.data if trace.marker.symbol == "star"]
    assert [trace.x[0] for trace in stars] == [14.0, 28.0]
    assert figure.layout.xaxis.range == pytest.approx((-0.02 * 9 * 3.5, 1.04 * 9 * 3.5))
    assert "14 s" not in stars[0].hovertemplate and "best epoch 4" in stars[0].hovertemplate


@BOTH
def test_a_run_in_the_background_is_faint_and_has_no_star(what):
    figure = training_curves(ROWS, what, LOOKS | {"a": Look("#111111", FAINT / 2)})
    assert {trace.opacity for trace in named(figure, "A")} == {FAINT / 2}
    assert {trace.opacity for trace in named(figure, "B")} == {1}
    assert len(named(figure, "best epoch")) == (what == "accuracy")


def test_the_best_epoch_has_a_star():
    (star,) = named(alone(HISTORY, "accuracy", best=7), "best epoch")
    assert (star.x, star.y) == ((7,), (1 - HISTORY[6]["validation_accuracy"],))
    assert not named(alone(HISTORY, "accuracy", best=99), "best epoch")


@BOTH
def test_seeds_are_their_mean_and_a_deviation_to_each_side(what):
    histories = [made_up_history(3, 0.9), made_up_history(3, 0.8)]
    figure = alone(histories[0], what, seeds=spread_over_seeds(histories))
    area, mean = named(figure, "2 seeds")
    values = [[row[f"validation_{what}"] for row in history] for history in histories]
    means = [(a + b) / 2 for a, b in zip(*values, strict=True)]
    assert list(mean.y) == pytest.approx(drawn(what, means))
    assert area.fill == "toself" and list(area.x) == [1, 2, 3, 3, 2, 1]
    deviation = abs(values[0][0] - values[1][0]) / 2**0.5
    assert abs(area.y[0] - mean.y[0]) == pytest.approx(deviation)


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
    assert alone(HISTORY, what).layout.xaxis.range == pytest.approx((-0.24, 12.48))
    assert alone(HISTORY[:3], what, epochs=50).layout.xaxis.range == pytest.approx((-1, 52))


def test_names_stand_at_the_ends_of_lines_and_never_on_each_other():
    figure = alone(HISTORY, "loss", height=200)
    names = {note.text: note for note in figure.layout.annotations}
    assert set(names) == {"training", "validation"}
    low, high = figure.layout.yaxis.range
    inside = 200 - figure.layout.margin.t - figure.layout.margin.b
    heights = [inside * (n.y - low) / (high - low) + n.yshift for n in names.values()]
    assert abs(heights[0] - heights[1]) >= 14 and all(-1 <= h <= inside + 1 for h in heights)
    assert not alone(HISTORY, "loss", names=False).layout.annotations


def test_a_run_before_is_one_line_with_its_name():
    rows = [*ROWS, *curve_rows("old", "before", [made_up_history(5, 0.9)])]
    figure = training_curves(rows, "loss", LOOKS | {"old": Look("#777777", 0.9, name="before")})
    assert [trace.name for trace in named(figure, "before")] == ["before · validation"]
    assert "before" in [note.text for note in figure.layout.annotations]


@BOTH
def test_a_symbol_marks_some_points_of_the_validation_curve_only(what):
    rows = curve_rows("a", "", [made_up_history(40, 0.98)])
    figure = training_curves(rows, what, {"a": Look("#111111", symbol="diamond")})
    training, validation = figure.data
    assert training.marker.symbol is None and validation.marker.symbol == "diamond"
    assert sum(size > 4 for size in validation.marker.size) == 7


def test_the_first_batch_is_a_mark_on_an_axis_with_a_range():
    (trace,) = (figure := alone([], "loss", batches=[{"epoch": 0.06, "loss": 2.3}])).data
    low, high = figure.layout.yaxis.range
    assert "markers" in trace.mode and 10**high / 10**low >= 4
    assert 10**low < 2.3 < 10**high and len(figure.layout.yaxis.tickvals) >= 2


def test_single_batches_may_go_beyond_the_axis_once_there_are_epochs():
    batches = [{"epoch": place / 10, "loss": 1e-7 if place == 5 else 1.0} for place in range(1, 20)]
    low, _ = alone(HISTORY, "loss", batches=batches).layout.yaxis.range
    assert low > -4


def test_accuracy_has_a_stretched_axis():
    axis = alone(HISTORY, "accuracy").layout.yaxis
    assert axis.type == "log" and axis.range[0] > axis.range[1]
    for tick, text in zip(axis.tickvals, axis.ticktext, strict=True):
        assert float(text.removesuffix(" %")) == pytest.approx(100 * (1 - tick))


def test_an_empty_chart_says_why():
    assert alone([], "loss", empty="not trained yet").layout.annotations[0].text == (
        "not trained yet"
    )


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
