"""The README's table of the frontier, beside what others published. Loads without torch."""

from collections.abc import Mapping, Sequence
from typing import Any

from mnist_core.evaluation.statistics import spread
from mnist_core.formatting import counted, markdown_table, percent, percent_spread
from mnist_core.models import model_spec
from mnist_core.models.frontier_rows import PUBLISHED, FrontierRow, Published, frontier_rows
from mnist_core.reproduce.frontier_looks import looks, shifted
from mnist_core.reproduce.making import finished_runs
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import DONE, FAILED, PRUNED, read_table

HEADS = (
    *("at most", "data set", "network", "parameters", "seeds", "validation %", "test %"),
    *("worst seed %", "chosen on test, as others do %", "mean over nine shifts %"),
    *("CPU seconds", "settings tried"),
)
THEIRS = ("data set", "parameters", "published %", "how it was chosen")


def frontier_results(store: RunStore) -> list[dict[str, Any]]:
    """One entry for each row of the frontier; accuracies are fractions, a missing figure is None.

    `test` is the mean over the seeds, each at its best validation epoch. `on_test` is the highest
    of those and of the looks (see reproduce.frontier_looks), which are `looks` figures in all;
    `shifted` is the mean of the accuracies over shifted copies of the images.
    `cpu_seconds` is the training of all seeds, and `tried` the number of settings in the studies.
    """
    return [_entry(store, row) for row in frontier_rows()]


def _entry(store: RunStore, row: FrontierRow) -> dict[str, Any]:
    runs = [run for run in finished_runs(store, row.configs()) if run.state == RunState.DONE]
    summaries = [run.summary for run in runs]
    tests = [s.test_accuracy for s in summaries if s.test_accuracy is not None]
    seen = [*tests, *(value for run in runs for value in looks(run).values())]
    costs = [s.cpu_seconds for s in summaries]
    averaged = [value for run in runs if (value := shifted(run)) is not None]
    return {
        "limit": row.limit,
        "model": row.model,
        "title": model_spec(row.model).title,
        "dataset": row.dataset,
        "parameters": summaries[0].parameters if summaries else None,
        "seeds": len(runs),
        "wanted": len(row.seeds),
        **_figures([s.validation_accuracy or 0.0 for s in summaries], "validation"),
        **_figures(tests, "test"),
        "worst": min(tests, default=None),
        "on_test": max(seen, default=None),
        "looks": len(seen),
        **_figures(averaged if len(averaged) == len(runs) else [], "shifted"),
        "cpu_seconds": sum(c or 0.0 for c in costs) if runs and None not in costs else None,
        "tried": _tried(store, row),
        "ids": [run.id for run in runs],
    }


def _figures(values: Sequence[float], part: str) -> dict[str, float | None]:
    if not values:
        return {part: None, f"{part}_deviation": None}
    over = spread(values)
    return {part: over.mean, f"{part}_deviation": over.deviation}


def _tried(store: RunStore, row: FrontierRow) -> int | None:
    """How many settings the row's studies tried; None without any study."""
    tables = [read_table(store, name) for name in row.studies]
    counts = [table.count(DONE, PRUNED, FAILED) for table in tables if table]
    return sum(counts) if counts else None


def frontier_markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """Ours and theirs as two Markdown tables."""
    none = ["No search of a size is finished yet."]
    ours = markdown_table(HEADS, [_cells(row) for row in rows]) if rows else none
    theirs = markdown_table(THEIRS, [_published(point) for point in PUBLISHED])
    return "\n".join([*ours, "", "What others published:", "", *theirs])


def _cells(row: Mapping[str, Any]) -> list[str]:
    return [
        *(f"{row['limit']:,}", row["dataset"], row["title"], _number(row["parameters"])),
        *(_accuracies(row) if row["seeds"] else _missing(row)),
        *(_number(row["cpu_seconds"]), _number(row["tried"])),
    ]


def _accuracies(row: Mapping[str, Any]) -> list[str]:
    missing = f" of {row['wanted']}" if row["seeds"] < row["wanted"] else ""
    return [
        f"{row['seeds']}{missing}",
        _spread(row, "validation"),
        _spread(row, "test"),
        _plain(percent(row["worst"])),
        f"{_plain(percent(row['on_test']))} (highest of {counted(row['looks'], 'look')})",
        _spread(row, "shifted") if row["shifted"] is not None else "–",
    ]


def _missing(row: Mapping[str, Any]) -> list[str]:
    command = f"python -m mnist_core reproduce frontier --only {row['model']}"
    return ["0", "–", f"not trained yet; `{command}` does it", "–", "–", "–"]


def _published(point: Published) -> list[str]:
    least = "more than " if point.least else ""
    parameters = _number(point.parameters)
    return [point.dataset, parameters, f"{least}{point.accuracy:.2f}", point.selection]


def _spread(row: Mapping[str, Any], part: str) -> str:
    return _plain(percent_spread(row[part], row[f"{part}_deviation"]))


def _plain(text: str) -> str:
    return text.removesuffix(" %")  # which stands in the heading


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:,.0f}"
