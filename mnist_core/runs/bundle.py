"""Many finished runs in one file, without their weights: how a grid ships. Loads without torch."""

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

import numpy as np

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import TABLE_LIMIT, read_file, signature, write_bytes
from mnist_core.runs.column_reader import Columns, Row
from mnist_core.runs.columns import CONFIG, SUMMARY, MistakesById, file_bytes
from mnist_core.runs.run import Damaged, Mistakes, Run
from mnist_core.runs.states import FINISHED
from mnist_core.runs.summary import Summary

MOST_REASONS = 3  # damaged runs of one file that are told one by one


@dataclass(frozen=True, eq=False)  # equal and hashed as runs are
class BundledRun(Run):
    """A finished run of a bundle. `path` is where its folder would be; there is none.

    All but config and summary is read from the bundle when it is asked for; LabError is raised
    where that is damaged.
    """

    columns: Columns = field(repr=False)
    row: int = field(repr=False)

    @property
    def id(self) -> str:
        return self.config.id

    @cached_property
    def history(self) -> list[dict[str, float]]:
        found = self.columns.history(self.row)
        if len(found) != self.summary.epochs_done:
            raise LabError(f"The history of {self.id} is damaged: epochs are missing.")
        return found

    @cached_property
    def step_losses(self) -> list[dict[str, float]]:
        return self.columns.step_losses(self.row)

    def mistakes(self) -> Mistakes | None:
        """The test images it gets wrong; None for a run that was not tested, or kept none."""
        return self.columns.mistakes(self.row)

    def first_kernels(self) -> np.ndarray | None:
        return self.columns.kernels(self.row)


@dataclass(frozen=True, eq=False)  # each is hashed as an object of its own
class Bundle:
    """The runs of a file by id, and what of it is damaged."""

    runs: Mapping[str, BundledRun]
    damaged: Sequence[Damaged] = ()


NOTHING = Bundle({})


def write_bundle(path: Path, runs: Sequence[Run], mistakes: MistakesById) -> None:
    """Replaces the file in one step by one with these runs, in this order.

    `mistakes` has the test images that each gets wrong, by the run's id, as far as they are known.
    Raises LabError for a run that is not finished, and when the file cannot be written.
    """
    for run in runs:
        if not run.finished:
            raise LabError(f"{run.id} is {run.state}; only a finished run can be bundled.")
    write_bytes(path, file_bytes(runs, mistakes))


def read_bundle(path: Path) -> Bundle:
    """The runs of a bundle; none when there is no file."""
    try:
        return _read(path, signature(path))
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        return Bundle({}, [Damaged(path, f"{path.name} cannot be read ({error.strerror}).")])


@functools.lru_cache(maxsize=16)
def _read(path: Path, _signature: tuple[int, int, int]) -> Bundle:
    """The file's signature is a key of the cache: each content is parsed once."""
    name = f"{path.parent.name}/{path.name}"
    try:
        columns = Columns(read_file(path, TABLE_LIMIT), name)
        rows = columns.rows()
    except (LabError, ValueError) as error:
        return Bundle({}, [Damaged(path, f"It was left out: {error}")])
    folder, runs, reasons = path.parent.parent, {}, []
    for number, row in enumerate(rows):
        try:
            config, summary = _parsed(row)
            runs[config.id] = BundledRun(folder / config.id, config, summary, columns, number)
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reasons.append(f"{name}: run {number + 1} is damaged and was left out: {error}.")
    if len(reasons) > MOST_REASONS:
        reasons = [*reasons[:MOST_REASONS], f"{name}: {len(reasons) - MOST_REASONS} more are so."]
    return Bundle(runs, [Damaged(path, reason) for reason in reasons])


def _parsed(row: Row) -> tuple[RunConfig, Summary]:
    """Raises ValueError, KeyError or TypeError for a damaged row."""
    config = RunConfig.from_dict({name: row[name] for name in CONFIG if name in row})
    if config.id != row["id"]:
        raise ValueError("its config is another run's")
    figures = {name: row[name] for name in SUMMARY if name in row}
    figures["versions"] = json.loads(row.get("versions") or "null")
    summary = Summary.from_dict(figures)
    if summary.state not in FINISHED:
        raise ValueError("it is not finished")
    return config, summary
