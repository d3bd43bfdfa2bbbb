"""The tooltips of the points of accuracy against cost."""

import textwrap
from collections.abc import Hashable, Mapping
from typing import Any

import pandas as pd

from mnist_core.formatting import counted, percent, percent_spread

WIDTH = 42  # characters in a line of a tooltip
FIGURES = {
    "parameters": "{:,} parameters",
    "macs": "{:,} MACs",
    "latency_ms": "{:.2f} ms for one image",
    "receptive_field": "receptive field {} px",
}

Row = Mapping[Hashable, Any]


def tooltips(runs: pd.DataFrame, column: str, short: bool) -> list[str]:
    """All about each row of analysis.aggregate, or only its network, accuracy and recipe."""
    if not short:
        return [about_run(row, column) for row in runs.to_dict("records")]
    rows = zip(runs["title"], runs["test_accuracy"], runs["recipe"], strict=True)
    return [_lines(f"<b>{title}</b> {percent(test)}", recipe) for title, test, recipe in rows]


def about_run(row: Row, column: str) -> str:
    """All about a row of analysis.aggregate, in lines."""
    seeds = int(row["seeds"])
    over = counted(seeds, "run") if seeds > 1 else f"1 run, seed {row['seed']}"
    deviation = row["test_accuracy_deviation"] if seeds > 1 else None
    epoch: str = f", best epoch {row['best_epoch']}" if pd.notna(row["best_epoch"]) else ""
    return _lines(
        f"<b>{row['title']}</b> {percent_spread(row['test_accuracy'], deviation)} ({over})",
        f"95 % interval: {percent(row['test_low'])} to {percent(row['test_high'])}",
        f"validation {percent(row['validation_accuracy'])}{epoch} of {row['epochs']}",
        row["recipe"],
        _figures(row, column),
        row["note"],
    )


def about_published(row: Row, column: str) -> str:
    """All about a row of table.published, in lines."""
    return _lines(
        f"<b>{row['title']}</b> as published: {percent(row['test_accuracy'])}, no interval given",
        f"chosen by: {row['selection'] or 'not known'}",
        row["source"],
        _figures(row, column),
    )


def _lines(*lines: str) -> str:
    """The lines of a tooltip, wrapped to fit a phone."""
    return "<br>".join(part for line in lines for part in textwrap.wrap(line, WIDTH))


def _figures(row: Row, column: str) -> str:
    shown = dict.fromkeys(("parameters", column))
    return " · ".join(FIGURES[name].format(row[name]) for name in shown if pd.notna(row[name]))
