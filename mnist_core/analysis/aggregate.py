"""The rows of the table of runs: single runs, or averages over seeds. Loads without torch."""

import math

import pandas as pd

from mnist_core.analysis.table import best_first
from mnist_core.evaluation.statistics import Interval, Spread, mean_interval

MEANS = ("validation_accuracy", "test_accuracy")


def single_runs(table: pd.DataFrame) -> pd.DataFrame:
    """A row for every run of table.runs_table, the best first, with the columns that
    `averaged_over_seeds` adds."""
    rows = best_first(table)
    rows = rows.assign(members=rows["id"].map(lambda run_id: (run_id,)), seeds=1, unfinished=0)
    rows[[f"{name}_deviation" for name in MEANS]] = float("nan")
    return rows.astype({"seeds": "Int64", "unfinished": "Int64"})


def averaged_over_seeds(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each group of runs that differ only by seed, the best group first.

    `id`, and every column that is not named here, is that of the group's best run. Accuracies and
    seconds are means over the finished runs, or over all runs where none is finished;
    `validation_accuracy_deviation` and `test_accuracy_deviation` are sample deviations, NaN for
    one seed. `test_low` and `test_high` are Student's interval of the mean where there are
    several seeds. `seeds` is the number of runs that were averaged, `unfinished` the number of
    those left out, and `members` holds the ids of all runs of the group, the best first.
    """
    rows = single_runs(table)
    if rows.empty:
        return rows
    done = rows["test_accuracy"].notna()
    counted = done | ~done.groupby(rows["group"]).transform("any")
    groups = rows[counted].groupby("group", sort=False)
    first = rows.drop_duplicates("group").set_index("group")
    first = first.assign(
        members=rows.groupby("group", sort=False)["id"].agg(tuple),
        seeds=groups.size().astype("Int64"),
        unfinished=(~counted).groupby(rows["group"]).sum().astype("Int64"),
        seconds=groups["seconds"].mean(),
    )
    for name in MEANS:
        first[name] = groups[name].mean()
        first[f"{name}_deviation"] = groups[name].std()
    return best_first(_with_intervals(first).reset_index())


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Student's interval where the test accuracy is a mean over seeds, else Wilson's."""
    means, deviations = rows["test_accuracy"], rows["test_accuracy_deviation"]
    found = [
        mean_interval(Spread(mean, deviation if math.isfinite(deviation) else None, count))
        or Interval(low, high)
        for mean, deviation, count, low, high in zip(
            means, deviations, rows["seeds"], rows["test_low"], rows["test_high"], strict=True
        )
    ]
    return rows.assign(test_low=[i.low for i in found], test_high=[i.high for i in found])
