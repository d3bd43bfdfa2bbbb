"""Which runs the visitor trained: all but those that ship."""

from collections.abc import Sequence

import pandas as pd

from mnist_core.models.zoo import shipped_ids
from mnist_core.runs.bundle import BundledRun
from mnist_core.runs.run import Run


def mark_yours(table: pd.DataFrame, runs: Sequence[Run]) -> pd.DataFrame:
    """The table of these runs with `yours`, whether the visitor trained it, and `created`."""
    yours = [not isinstance(run, BundledRun) and run.id not in shipped_ids() for run in runs]
    return table.assign(yours=yours, created=[run.summary.created for run in runs])
