"""Runs by what a text says of them: a recipe and fields, over all seeds. Loads without torch."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from mnist_core.analysis.aggregate import averaged_over_seeds
from mnist_core.analysis.headline import Row
from mnist_core.analysis.table import runs_table
from mnist_core.config import RunConfig
from mnist_core.errors import NotFound
from mnist_core.formatting import counted, percent
from mnist_core.models import make_config
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def config_of(query: Mapping[str, Any], **changes: Any) -> RunConfig:
    """The config of fields and a recipe, such as model="lenet5", recipe="grid", lr=0.05.

    Raises InputError for an unknown name or a value out of range.
    """
    fields = {**query, **changes}
    recipe = fields.pop("recipe", None)
    return make_config(fields.pop("model", "lenet5"), recipe, **fields)


def all_seeds(runs: Iterable[Run], config: RunConfig) -> list[Run]:
    """The finished runs that differ from the config by the seed at most, the best first."""
    found = [run for run in runs if run.config.group == config.group and run.finished]
    return sorted(found, key=lambda run: -(run.summary.validation_accuracy or 0))


def best_run(runs: Iterable[Run], config: RunConfig) -> Run:
    """Raises NotFound where there is none."""
    found = all_seeds(runs, config)
    if not found:
        raise NotFound(f"There is no finished run of {config.model} like {config.id} here.")
    return found[0]


def mean_row(store: RunStore, runs: Iterable[Run], config: RunConfig) -> Row:
    """The row of analysis.aggregate of the config's runs. Raises NotFound without any."""
    best_run(runs, config)
    rows = averaged_over_seeds(runs_table(store, all_seeds(runs, config)))
    found: Row = rows.to_dict("records")[0]
    return found


def accuracy_in_words(row: Row) -> str:
    """Test accuracy with its 95 % interval: "99.56 % (99.48 to 99.63 %, 3 seeds)"."""
    if row["test_accuracy"] is None or math.isnan(row["test_accuracy"]):
        return "not tested"
    low, high = (f"{100 * row[name]:.2f}" for name in ("test_low", "test_high"))
    seeds = counted(int(row["seeds"]), "seed")
    return f"{percent(row['test_accuracy'])} ({low} to {high} %, {seeds})"


def figures_in_words(
    store: RunStore, runs: Sequence[Run], figures: Mapping[str, Mapping[str, Any]]
) -> dict[str, str]:
    """What a text says of each: its runs' accuracy with the interval, or that there are none."""
    found = {}
    for name, query in figures.items():
        try:
            found[name] = accuracy_in_words(mean_row(store, runs, config_of(query)))
        except NotFound:
            found[name] = "(no such run here)"
    return found
