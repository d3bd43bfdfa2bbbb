"""Runs and published figures as points of accuracy against size, and the best trade-offs."""

import pandas as pd

from mnist_core.evaluation.statistics import pareto_front

OURS = "this lab"


def points(column: str, runs: pd.DataFrame, published: pd.DataFrame) -> pd.DataFrame:
    """A row for every finished run and published figure that has a value in `column`.

    `runs`: rows of analysis.aggregate; `published`: of table.published; their columns stay.
    `source` is OURS or the reference, and `on_front` is true for the runs on the Pareto front of
    their data set: no other run of it has both a lower value in `column` and a better accuracy.
    """
    ours = runs[runs["test_accuracy"].notna() & runs[column].notna()]
    front: list[str] = []
    for _, rows in ours.groupby("dataset"):
        best = pareto_front(rows[column].astype(float).tolist(), rows["test_accuracy"].tolist())
        front += rows["id"].iloc[best].tolist()
    ours = ours.assign(source=OURS, on_front=ours["id"].isin(front))
    theirs = published[published[column].notna()].assign(on_front=False)
    return pd.concat([ours, theirs], ignore_index=True)


def for_file(points: pd.DataFrame, column: str) -> pd.DataFrame:
    """The columns of `points` that are worth keeping in a file; accuracies are fractions."""
    names = ["source", "title", "dataset", "recipe", column, "test_accuracy", "test_low"]
    return points[[*names, "test_high", "seeds", "on_front", "selection", "id"]]
