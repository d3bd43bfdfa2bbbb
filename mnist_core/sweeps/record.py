"""A trial's run as a study keeps it: config, figures and curves, but no weights. No Optuna."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import is_number
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.run import Run
from mnist_core.runs.summary import Summary

LEFT_OUT = ("process", "data_note", "engine_note")  # empty, or of no meaning elsewhere


@dataclass(frozen=True, eq=False)
class RecordedRun(Run):
    """A run that came home in a study. `path` is where its folder would be."""

    rows: list[dict[str, float]] = field(default_factory=list, repr=False)

    @property
    def id(self) -> str:
        return self.config.id

    @cached_property
    def history(self) -> list[dict[str, float]]:
        return self.rows

    @cached_property
    def step_losses(self) -> list[dict[str, float]]:
        return []

    def first_kernels(self) -> np.ndarray | None:
        return None


def to_record(run: Run) -> dict[str, Any]:
    """The run as JSON, for an attribute of its trial."""
    summary = {k: v for k, v in run.summary.to_dict().items() if k not in LEFT_OUT}
    return {
        "id": run.id,
        "config": run.config.to_dict(),
        "summary": {k: v for k, v in summary.items() if v is not None},
        "history": [[row[name] for name in HISTORY] for row in run.history],
    }


def from_record(record: Mapping[str, Any], root: Path) -> RecordedRun:
    """The run of a record. Raises LabError for what is none: a study may come from anybody."""
    try:
        config = RunConfig.from_dict(record["config"])
        summary = Summary.from_dict(record["summary"])
        rows = [dict(zip(HISTORY, row, strict=True)) for row in record["history"]]
        if config.id != record["id"] or len(rows) != summary.epochs_done:
            raise ValueError("it is another run's")
        if not all(is_number(value) for row in rows for value in row.values()):
            raise ValueError("a figure is not a number")
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise LabError(f"A trial's record is damaged: {error}.") from error
    return RecordedRun(root / config.id, config, summary, rows)
