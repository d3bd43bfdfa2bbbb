import pandas as pd
import pytest

from mnist_core.analysis import table
from mnist_core.analysis.aggregate import averaged_over_seeds, single_runs
from mnist_core.analysis.pareto import points
from mnist_core.charts.pareto import AXES, RING, accuracy_against
from mnist_core.charts.style import GREY, colour
from mnist_core.models import make_config
from tests.stores import make_run

NOTHING = table.published([], {})


def table_of(store):
    return single_runs(table.runs_table(store, store.list()[0]))


def draw(column, runs, published=NOTHING, chosen=(), marked=None):
    return accuracy_against(column, points(column, runs, published), chosen, marked)


def marks(figure):
    """The traces that are points: all but the fronts."""
    return [trace for trace in figure.data if trace.mode == "markers"]


def test_a_point_is_the_error_with_its_interval(store):
    run = make_run(store, accuracy=0.992)
    runs = table_of(store)
    (point,) = marks(draw("parameters", runs, NOTHING, [run.id]))
    assert point.x[0] == 61_706 and point.y[0] == pytest.approx(0.01)
    assert point.y[0] + point.error_y.array[0] == pytest.approx(1 - runs["test_low"][0])
    assert point.y[0] - point.error_y.arrayminus[0] == pytest.approx(1 - runs["test_high"][0])
    assert "test 99.00 % (95 %: 98.79 % to 99.18 %" in point.text[0].replace("<br>", " ")


def test_chosen_runs_have_their_colours_and_the_others_are_grey(store):
    runs = [make_run(store, make_config("lenet5", seed=seed)) for seed in range(4)]
    chosen = [runs[2].id, runs[0].id]
    figure = draw("receptive_field", table_of(store), NOTHING, chosen)
    colours = {tuple(trace.customdata): trace.marker.color for trace in marks(figure)}
    assert colours[(runs[2].id,)] == colour(0) and colours[(runs[0].id,)] == colour(1)
    assert {GREY} == {colours[ids] for ids in colours if len(ids) == 2}


def test_a_symbol_for_each_data_set_and_hollow_for_the_published(store):
    for dataset in ("MNIST", "KMNIST"):
        make_run(store, make_config("lenet5", dataset=dataset))
    runs = table_of(store)
    references = table.published(["KMNIST"], table.known_figures(runs))
    published, ours = marks(draw("parameters", runs, references))
    assert published.marker.symbol == ("diamond-open",)
    assert sorted(ours.marker.symbol) == ["circle", "diamond"]
    assert "chosen by: best epoch on 10,000" in published.text[0]


def test_runs_without_a_test_figure_or_a_size_are_left_out(store):
    make_run(store, make_config("small"), state="paused")
    make_run(store, make_config("medium"), receptive_field=None)
    assert len(marks(draw("parameters", table_of(store), NOTHING))) == 1
    assert not draw("receptive_field", table_of(store), NOTHING).data


def test_a_run_that_learned_nothing_leaves_the_others_their_room(store):
    good, bad = make_run(store, accuracy=0.99), make_run(store, make_config("small"), accuracy=0.11)
    figure = draw("parameters", table_of(store), NOTHING, [good.id, bad.id])
    assert [trace.marker.symbol for trace in marks(figure)] == [("circle",), ("triangle-down",)]
    low, high = (10**end for end in reversed(figure.layout.yaxis.range))
    assert high < 0.05 and all(low < trace.y[0] < high for trace in marks(figure))
    alone = draw("parameters", table_of(store)[lambda t: t["id"] == bad.id], NOTHING)
    assert marks(alone)[0].marker.symbol == ("circle",)


def test_no_error_at_all_can_be_drawn(store):
    make_run(store, accuracy=1.0, test_accuracy=1.0)
    figure = draw("parameters", table_of(store), NOTHING)
    (point,) = marks(figure)
    assert point.y[0] == pytest.approx(0.5 / 10_000) and "test 100.00 %" in point.text[0]


def test_thousands_of_runs_have_no_whiskers(store):
    make_run(store)
    many = pd.concat([table_of(store)] * 300, ignore_index=True)
    (point,) = marks(draw("parameters", many, NOTHING))
    assert point.error_y.array is None
    assert point.text[0].count("<br>") < 3  # a short tooltip


@pytest.mark.parametrize("column", AXES)
def test_every_axis_has_its_front_and_a_ring_around_the_marked_run(store, column):
    best = make_run(store, make_config("medium"), accuracy=0.995)
    make_run(store, make_config("mynetv1"), accuracy=0.97)
    make_run(store, make_config("ultrasmall"), accuracy=0.99)
    rows = table_of(store)
    shown = points(column, rows, NOTHING)
    figure = accuracy_against(column, shown, [], marked=best.id)
    (line,) = [trace for trace in figure.data if trace.mode == "lines"]
    assert len(line.x) == shown["on_front"].sum()
    assert list(line.x) == sorted(line.x)
    ring = figure.data[-1]
    assert ring.marker.color == RING
    assert ring.x[0] == rows.set_index("id").loc[best.id, column]


@pytest.mark.parametrize("datasets", [[], ["MNIST"]])
def test_a_point_that_is_an_average_tells_its_seeds(store, datasets):
    for seed, accuracy in enumerate((0.99, 0.992, 0.994)):
        make_run(store, make_config("lenet5", seed=seed), accuracy=accuracy)
    rows = averaged_over_seeds(table_of(store))
    references = table.published(datasets, table.known_figures(rows))
    text = marks(draw("parameters", rows, references))[-1].text[0].replace("<br>", " ")
    assert "test 99.00 % ± 0.20 (95 %: 98.50 % to 99.50 %, 3 seeds)" in text
