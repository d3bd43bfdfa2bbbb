"""Runs that differ only by seed as one row: mean, deviation and interval. Loads without torch."""

from __future__ import annotations

import math

import pandas as pd

from mnist_core.evaluation.statistics import Interval, Spread, mean_interval

MEANS = ("validation_accuracy", "test_accuracy")


def unfolded(table: pd.DataFrame) -> pd.DataFrame:
    """Every run as a row of its own, the best first: rows of table.runs_table with the columns
    that `folded` adds."""
    rows = _best_first(table)
    rows = rows.assign(members=[(run_id,) for run_id in rows["id"]], seeds=1, unfinished=0)
    rows = rows.astype({"seeds": "Int64", "unfinished": "Int64"})
    return rows.assign(**{f"{name}_deviation": float("nan") for name in MEANS})


def folded(table: pd.DataFrame) -> pd.DataFrame:
    """A row for each config without its seed, the best first; it carries its best run's `id`.

    Accuracies, seconds and finished epochs are means over the seeds that are finished, or over
    all when none is; `validation_accuracy_deviation` and `test_accuracy_deviation` are sample
    deviations, NaN for one seed. `test_low` and `test_high` become Student's interval of the
    mean where there are several seeds. `seeds` counts what the means are over, `unfinished` the
    runs left out, and `members` holds the ids of all, the best first.
    """
    rows = unfolded(table)
    if rows.empty:
        return rows
    done = rows["test_accuracy"].notna()
    counted = done | ~done.groupby(rows["group"]).transform("any")
    groups = rows[counted].groupby("group", sort=False)
    members: dict[str, list[str]] = {}
    for run_id, group in zip(rows["id"], rows["group"], strict=True):
        members.setdefault(group, []).append(run_id)
    first = rows.drop_duplicates("group").set_index("group")
    first = first.assign(
        members=[tuple(members[group]) for group in first.index],
        seeds=groups.size().astype("Int64"),
        unfinished=(~counted).groupby(rows["group"]).sum().astype("Int64"),
        seconds=groups["seconds"].mean(),
    )
    for name in MEANS:
        first[name] = groups[name].mean()
        first[f"{name}_deviation"] = groups[name].std()
    return _best_first(_with_intervals(first).reset_index())


def _with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Student's interval in place of Wilson's where the test accuracy is a mean over seeds."""
    means, deviations = rows["test_accuracy"], rows["test_accuracy_deviation"]
    found = [
        mean_interval(Spread(mean, deviation, count))
        if math.isfinite(deviation)
        else Interval(low, high)
        for mean, deviation, count, low, high in zip(
            means, deviations, rows["seeds"], rows["test_low"], rows["test_high"], strict=True
        )
    ]
    return rows.assign(test_low=[i.low for i in found], test_high=[i.high for i in found])


def _best_first(table: pd.DataFrame) -> pd.DataFrame:
    """By validation accuracy, which is what runs are chosen by; the finished before the others."""
    done = table["test_accuracy"].notna()
    order = table.assign(done=done).sort_values(
        ["done", "validation_accuracy", "id"], ascending=[False, False, True], kind="stable"
    )
    return order.drop(columns="done").reset_index(drop=True)
