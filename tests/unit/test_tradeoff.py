import pandas as pd
import pytest

from mnist_core import table
from mnist_core.charts import colour
from mnist_core.models import make_config
from mnist_core.runs import RunStore
from mnist_core.tradeoff import GREY, accuracy_against
from tests.stores import make_run

NOTHING = table.published([], {})


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def table_of(store):
    return table.runs_table(store, store.list()[0])


def test_a_point_is_the_error_with_its_interval(store):
    run = make_run(store, accuracy=0.992)
    runs = table_of(store)
    (point,) = accuracy_against("parameters", runs, NOTHING, [run.id]).data
    assert point.x[0] == 61_706 and point.y[0] == pytest.approx(0.01)
    assert point.y[0] + point.error_y.array[0] == pytest.approx(1 - runs["test_low"][0])
    assert point.y[0] - point.error_y.arrayminus[0] == pytest.approx(1 - runs["test_high"][0])
    assert "test 99.00 % (95 %: 98.79 % to 99.18 %" in point.text[0].replace("<br>", " ")


def test_chosen_runs_have_their_colours_and_the_others_are_grey(store):
    runs = [make_run(store, make_config("lenet5", seed=seed)) for seed in range(4)]
    chosen = [runs[2].id, runs[0].id]
    figure = accuracy_against("receptive_field", table_of(store), NOTHING, chosen)
    colours = {tuple(trace.customdata): trace.marker.color for trace in figure.data}
    assert colours[(runs[2].id,)] == colour(0) and colours[(runs[0].id,)] == colour(1)
    assert {GREY} == {colours[ids] for ids in colours if len(ids) == 2}


def test_a_symbol_for_each_data_set_and_hollow_for_the_published(store):
    for dataset in ("MNIST", "KMNIST"):
        make_run(store, make_config("lenet5", dataset=dataset))
    runs = table_of(store)
    references = table.published(["KMNIST"], table.known_figures(runs))
    published, ours = accuracy_against("parameters", runs, references).data
    assert published.marker.symbol == ("diamond-open",)
    assert sorted(ours.marker.symbol) == ["circle", "diamond"]
    assert "chosen by: best epoch on 10,000" in published.text[0]


def test_runs_without_a_test_figure_or_a_size_are_left_out(store):
    make_run(store, make_config("small"), state="paused")
    make_run(store, make_config("medium"), receptive_field=None)
    assert len(accuracy_against("parameters", table_of(store), NOTHING).data) == 1
    assert not accuracy_against("receptive_field", table_of(store), NOTHING).data


def test_a_run_that_learned_nothing_leaves_the_others_their_room(store):
    good, bad = make_run(store, accuracy=0.99), make_run(store, make_config("small"), accuracy=0.11)
    figure = accuracy_against("parameters", table_of(store), NOTHING, [good.id, bad.id])
    assert [trace.marker.symbol for trace in figure.data] == [("circle",), ("triangle-down",)]
    low, high = (10**end for end in reversed(figure.layout.yaxis.range))
    assert high < 0.05 and all(low < trace.y[0] < high for trace in figure.data)
    alone = accuracy_against("parameters", table_of(store)[lambda t: t["id"] == bad.id], NOTHING)
    assert alone.data[0].marker.symbol == ("circle",)


def test_no_error_at_all_can_be_drawn(store):
    make_run(store, accuracy=1.0, test_accuracy=1.0)
    figure = accuracy_against("parameters", table_of(store), NOTHING)
    assert figure.data[0].y[0] == pytest.approx(0.5 / 10_000)
    assert "test 100.00 %" in figure.data[0].text[0]


def test_thousands_of_runs_have_no_whiskers(store):
    make_run(store)
    many = pd.concat([table_of(store)] * 300, ignore_index=True)
    assert not accuracy_against("parameters", many, NOTHING).data[0].error_y.visible
