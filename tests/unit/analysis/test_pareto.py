"""Runs and published figures as points, and the Pareto front among them."""

import pytest

from mnist_core.analysis import table
from mnist_core.analysis.aggregate import single_runs
from mnist_core.analysis.pareto import OURS, for_file, points
from mnist_core.models import make_config
from tests.stores import make_run

NOTHING = table.published([], {})


def rows_of(store):
    return single_runs(table.runs_table(store, store.list()[0]))


def test_the_front_is_what_no_smaller_network_of_the_data_set_beats(store):
    best = make_run(store, make_config("medium"), accuracy=0.995)
    make_run(store, make_config("mynetv1"), accuracy=0.97)
    small = make_run(store, make_config("ultrasmall"), accuracy=0.99)
    alone = make_run(store, make_config("mynetv1", dataset="KMNIST"), accuracy=0.5)
    found = points("parameters", rows_of(store), NOTHING)
    assert set(found["source"]) == {OURS}
    assert set(found.loc[found["on_front"], "id"]) == {best.id, small.id, alone.id}


def test_runs_and_figures_without_a_value_are_left_out(store):
    make_run(store, make_config("small"), state="paused")
    make_run(store, make_config("medium"), receptive_field=None)
    figures = table.known_figures(rows_of(store))
    figures["lenet5"] = {**figures["lenet5"], "receptive_field": None}
    published = table.published(["MNIST"], figures)
    assert "lenet5" in set(published["model"])
    found = points("receptive_field", rows_of(store), published)
    assert OURS not in set(found["source"]) and "lenet5" not in set(found["model"])
    assert len(points("parameters", rows_of(store), NOTHING)) == 1


@pytest.mark.parametrize("column", table.SIZES)
def test_the_file_has_our_points_and_the_published_ones(store, column):
    run = make_run(store, make_config("medium"))
    rows = rows_of(store)
    published = table.published(["MNIST"], table.known_figures(rows))
    found = for_file(points(column, rows, published), column)
    assert len(found) == 1 + len(published)
    assert found[column].notna().all()
    assert found.loc[found["on_front"], "id"].tolist() == [run.id]


def test_no_run_and_no_figure_is_no_point(store):
    assert points("parameters", rows_of(store), NOTHING).empty
