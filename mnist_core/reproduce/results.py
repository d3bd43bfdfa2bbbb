"""The README's table: the zoo's accuracies beside the published ones. Loads without torch."""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from mnist_core.evaluation.statistics import spread
from mnist_core.formatting import markdown_table, percent_spread
from mnist_core.models import model_spec
from mnist_core.models.zoo import Row, zoo_rows
from mnist_core.reproduce.making import finished_runs
from mnist_core.reproduce.zoo import LEARNS, NOT_AT_HAND
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

COLUMNS = {
    "title": "network",
    "dataset": "data set",
    "recipe": "recipe",
    "seeds": "seeds",
    "parameters": "parameters",
    "receptive_field": "receptive field",
    "validation": "validation %",
    "test": "test %",
    "published": "published %",
    "selection": "how that was chosen",
}


def results(store: RunStore) -> list[dict[str, Any]]:
    """One entry for each row of the zoo; accuracies are fractions, a missing figure is None.

    Means and deviations are over the runs that learned; `status` says what is missing.
    """
    rows = [(row, finished_runs(store, row.configs())) for row in zoo_rows()]
    known = {run.config.model: run.summary for _, runs in rows for run in runs}
    return [_entry(row, runs, known.get(row.model)) for row, runs in rows]


def _entry(row: Row, runs: Sequence[Run], known: Any) -> dict[str, Any]:
    spec = model_spec(row.model)
    learned = [run for run in runs if run.state == RunState.DONE]
    own = spec.recipe(row.recipe)
    source = own if own.published else spec.recipes[0]
    published = source.published.get(row.dataset)
    return {
        "model": row.model,
        "title": spec.title,
        "dataset": row.dataset,
        "recipe": row.recipe + (f", continued to {row.epochs} epochs" if row.epochs else ""),
        "seeds": len(runs),
        "parameters": known.parameters if known else None,
        "receptive_field": known.receptive_field if known else None,
        **_figures(learned, "validation"),
        **_figures(learned, "test"),
        "published": None if published is None else published / 100,
        "selection": source.selection if published is not None else None,
        "status": _status(row, runs),
        "ids": [run.id for run in runs],
        "machines": sorted({_machine(run) for run in runs}),
    }


def _figures(runs: Sequence[Run], part: str) -> dict[str, float | None]:
    """Mean and deviation over the runs of their accuracies at the best validation epoch."""
    values = [getattr(run.summary, f"{part}_accuracy") for run in runs]
    if not values or None in values:
        return {part: None, f"{part}_deviation": None}
    over = spread(values)
    return {part: over.mean, f"{part}_deviation": over.deviation}


def _status(row: Row, runs: Sequence[Run]) -> str:
    """Seeds that the figures leave out, and why; empty when every seed has learned."""
    lost = [run.summary for run in runs if run.state == RunState.DIVERGED]
    at_chance = [(summary.validation_accuracy or 0.0) < LEARNS for summary in lost]
    kinds = Counter("does not learn" if chance else "diverges" for chance in at_chance)
    parts = [f"{_of(count, row)}{kind}" for kind, count in kinds.items()]
    missing = len(row.seeds) - len(runs)
    if missing and row.dataset in NOT_AT_HAND:
        command = f"python -m mnist_core train --model {row.model} --dataset {row.dataset}"
        parts.append(f"not measured: no images at hand; `{command}` measures it")
    elif missing:
        command = f"python -m mnist_core reproduce zoo --only {row.model}"
        parts.append(f"{_of(missing, row)}not trained yet; `{command}` does it")
    return "; ".join(parts)


def _of(count: int, row: Row) -> str:
    return "" if count == len(row.seeds) else f"{count} of {len(row.seeds)} "


def _machine(run: Run) -> str:
    device = {"cuda": "a GPU", "cpu": "a CPU"}.get(run.summary.device or "", "an unknown device")
    version = (run.summary.versions or {}).get("torch", "unknown").partition("+")[0]
    return f"{device} with torch {version}"


def markdown(rows: Sequence[Mapping[str, Any]]) -> str:
    """The entries as a Markdown table, with a line on where they were trained."""
    lines = markdown_table(list(COLUMNS.values()), [_cells(row) for row in rows])
    count = sum(len(row["ids"]) for row in rows)
    machines = sorted({machine for row in rows for machine in row["machines"]})
    where = f"Trained on {' and on '.join(machines)}." if machines else ""
    return "\n".join([*lines, "", f"{count} runs. {where}".strip()])


def _cells(row: Mapping[str, Any]) -> list[str]:
    cells = {name: _text(row[name]) for name in COLUMNS}
    for part in ("validation", "test", "published"):
        accuracy = percent_spread(row[part], row.get(f"{part}_deviation"))
        cells[part] = accuracy.removesuffix(" %")  # which stands in the heading
    if row["status"]:
        figures = "" if row["test"] is None else f"{cells['test']}; "
        cells["test"] = figures + row["status"]
    return list(cells.values())


def _text(value: Any) -> str:
    if value is None or value == "":
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)
