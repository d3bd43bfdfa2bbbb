"""Averages over seeds: the figures of a row against those of its runs."""

import statistics

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from mnist_core.analysis.aggregate import averaged_over_seeds, single_runs
from mnist_core.analysis.table import COLUMNS, runs_table
from mnist_core.models import make_config
from tests.stores import make_run


def table_of(store):
    return runs_table(store, store.list()[0])


def test_runs_that_differ_only_by_seed_are_one_row(store):
    accuracies = (0.99, 0.992, 0.997)
    runs = [
        make_run(store, make_config("lenet5", seed=seed), accuracy=accuracy, epochs=3)
        for seed, accuracy in enumerate(accuracies)
    ]
    make_run(store, make_config("small"), accuracy=0.98, epochs=3)
    (row, other) = averaged_over_seeds(table_of(store)).to_dict("records")
    assert row["id"] == runs[2].id and row["members"] == tuple(run.id for run in runs[::-1])
    assert row["validation_accuracy"] == pytest.approx(0.993)
    assert row["test_accuracy_deviation"] == pytest.approx(0.00360555, abs=1e-8)
    low, high = stats.t.interval(0.95, 2, 0.991, 0.00360555 / 3**0.5)
    assert (row["test_low"], row["test_high"]) == pytest.approx((low, min(high, 1)), abs=1e-6)
    assert (row["seeds"], row["unfinished"], other["seeds"]) == (3, 0, 1)
    alone = table_of(store).set_index("id").loc[other["id"]]
    assert (other["test_low"], other["test_high"]) == (alone["test_low"], alone["test_high"])
    assert pd.isna(other["test_accuracy_deviation"])


def test_an_unfinished_seed_is_no_part_of_the_mean(store):
    make_run(store, make_config("lenet5", seed=1), accuracy=0.98)
    make_run(store, make_config("lenet5", seed=2), accuracy=0.7, state="stopped")
    make_run(store, make_config("small", seed=1), accuracy=0.6, state="stopped")
    rows = averaged_over_seeds(table_of(store)).set_index("model")
    assert rows.loc["lenet5", "validation_accuracy"] == 0.98
    assert (rows.loc["lenet5", "seeds"], rows.loc["lenet5", "unfinished"]) == (1, 1)
    assert rows.loc["small", "validation_accuracy"] == 0.6 and rows.index[0] == "lenet5"


def test_single_runs_come_best_first_with_the_same_columns(store):
    for seed, accuracy in enumerate((0.9, 0.95, 0.92)):
        make_run(store, make_config("lenet5", seed=seed), accuracy=accuracy)
    rows, one = single_runs(table_of(store)), averaged_over_seeds(table_of(store))
    assert rows["validation_accuracy"].tolist() == [0.95, 0.92, 0.9]
    assert list(rows["members"]) == [(run_id,) for run_id in rows["id"]]
    assert set(rows.columns) == set(one.columns) > set(COLUMNS)


def test_no_run_gives_no_row(store):
    assert averaged_over_seeds(table_of(store)).empty


FIGURES = ["validation_accuracy", "test_accuracy", "seconds", "test_low", "test_high"]
ACCURACIES = st.one_of(st.none(), st.integers(0, 10_000).map(lambda right: right / 10_000))


@settings(max_examples=25)
@given(st.lists(st.tuples(st.sampled_from("abc"), ACCURACIES, ACCURACIES), max_size=12))
def test_means_and_deviations_are_those_of_the_finished_runs(runs):
    rows = [
        {"id": f"r{n}", "group": group, "validation_accuracy": v, "test_accuracy": t, "seconds": 1}
        for n, (group, v, t) in enumerate(runs)
    ]
    table = pd.DataFrame(rows, columns=["id", "group", *FIGURES]).astype(
        dict.fromkeys(FIGURES, float)
    )
    found = averaged_over_seeds(table)
    assert sorted(i for members in found["members"] for i in members) == sorted(table["id"])
    for row in found.to_dict("records"):
        tests = [t for group, _, t in runs if group == row["group"] and t is not None]
        mean = statistics.fmean(tests) if tests else float("nan")
        assert row["test_accuracy"] == pytest.approx(mean, nan_ok=True)
        spread = statistics.stdev(tests) if len(tests) > 1 else float("nan")
        deviation = row["test_accuracy_deviation"]
        assert deviation == pytest.approx(spread, nan_ok=True, abs=1e-9)
