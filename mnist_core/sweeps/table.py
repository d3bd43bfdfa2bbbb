"""The table of a study's trials, in one file of the run store. Loads without Optuna.

Pages read nothing else of a study: whoever works at one writes this file, again and again, and so
does `sweep-collect`. It ships with a study as its runs' curves do (see RunStore.sweep_path).
"""

from __future__ import annotations

import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import (
    PROGRESS_LIMIT,
    is_number,
    read_bytes,
    read_json,
    signature,
    write_bytes,
)
from mnist_core.formatting import counted
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import NAME, Plan

FORMAT = "mnist-lab study 1"
# States of a trial
DONE, PRUNED, FAILED, RUNNING, WAITING = "done", "pruned", "failed", "running", "waiting"
STATES = (DONE, PRUNED, FAILED, RUNNING, WAITING)
MOST_TRIALS = 10_000_000  # also of its epochs
COLUMNS = ("number", "state", "values", "accuracy", "epochs", "seconds", "second")


@dataclass(frozen=True)
class TrialRow:
    """One trial. `accuracy` is on the validation images: that of its best epoch so far.

    `second` is its value of the second objective, where the study has one.
    """

    number: int
    state: str
    values: Mapping[str, Any]
    accuracy: float | None = None
    epochs: int = 0
    seconds: float | None = None
    second: float | None = None


@dataclass(frozen=True, eq=False)
class StudyTable:
    """A study as it was when its table was written.

    `wanted` is the number of trials that it is to have, None where only time limits it.
    `importance` has a share between 0 and 1 for each varied field, and is empty while there are
    too few trials. `winner` has the figures of `winner.train_winner`.
    """

    name: str
    plan: Plan
    rows: Sequence[TrialRow]
    wanted: int | None = None
    importance: Mapping[str, float] = field(default_factory=dict)
    winner: Mapping[str, Any] | None = None

    @functools.cached_property
    def done(self) -> list[TrialRow]:
        """The completed trials, the highest validation accuracy first."""
        done = [row for row in self.rows if row.state == DONE and row.accuracy is not None]
        return sorted(done, key=lambda row: (-(row.accuracy or 0.0), row.number))

    @property
    def best(self) -> TrialRow | None:
        return self.done[0] if self.done else None

    @property
    def front(self) -> list[TrialRow]:
        """With two objectives, the trials that no other beats in both; the smallest first."""
        found: list[TrialRow] = []
        for row in sorted(self.done, key=lambda row: (row.second or 0.0, -(row.accuracy or 0.0))):
            if row.second is not None and (
                not found or (row.accuracy or 0) > (found[-1].accuracy or 0)
            ):
                found.append(row)
        return found

    @property
    def fields(self) -> list[str]:
        """The varied fields, the most important first."""
        names = [name for name, _ in self.plan.space.ordered()]
        return sorted(names, key=lambda name: -self.importance.get(name, 0.0))

    def count(self, *states: str) -> int:
        return sum(row.state in states for row in self.rows)

    @property
    def is_complete(self) -> bool:
        return self.wanted is not None and self.count(DONE, PRUNED, FAILED) >= self.wanted

    def config(self, row: TrialRow) -> RunConfig:
        """The config of the trial's first run. Raises InputError for one that cannot be."""
        return self.plan.configs(row.values)[0]


def table_path(store: RunStore, name: str) -> Path:
    return store.sweep_path(name).with_suffix(".json")


def write_table(store: RunStore, table: StudyTable) -> None:
    """Replaces the file in one step. Raises LabError when it cannot be written."""
    head = {
        "format": FORMAT,
        "name": table.name,
        "wanted": table.wanted,
        "plan": table.plan.to_json(),
        "importance": dict(table.importance),
        "winner": table.winner,
        "columns": COLUMNS,
    }
    lines = [json.dumps([_plain(getattr(row, c)) for c in COLUMNS]) for row in table.rows]
    text = json.dumps(head, indent=1, ensure_ascii=False)[:-2]
    text += ',\n "trials": [\n' + ",\n".join(lines) + "\n ]\n}\n"
    path = table_path(store, table.name)
    if read_bytes(path) != text.encode():  # the time of its change says which study is newest
        write_bytes(path, text.encode(), flush=False)


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else value


def read_table(store: RunStore, name: str) -> StudyTable | None:
    """The study's table; None where there is none. Raises LabError for a damaged file."""
    path = table_path(store, name)
    if not NAME.fullmatch(name):
        return None
    try:
        return _read(path, signature(path))
    except FileNotFoundError:
        return None
    except OSError as error:
        raise LabError(f"{path} cannot be read ({error.strerror}).") from error


def table_names(store: RunStore) -> list[str]:
    """The studies whose table is in the store, the one that changed last first."""
    found = [(path.stat().st_mtime, path.stem) for path in (store.root / "sweeps").glob("*.json")]
    return [name for _, name in sorted(found, reverse=True) if NAME.fullmatch(name)]


@functools.lru_cache(maxsize=16)
def _read(path: Path, _signature: tuple[int, int, int]) -> StudyTable:
    """Each content of the file is parsed once."""
    try:
        return _parsed(read_json(path, PROGRESS_LIMIT), path.stem)
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError) as error:
        raise LabError(f"sweeps/{path.name} is damaged and was left out: {error}.") from error


def _parsed(found: Any, name: str) -> StudyTable:
    if found["format"] != FORMAT or found["name"] != name:
        raise ValueError("it is no table of this study that this version reads")
    plan = Plan.from_json(found["plan"])
    rows = [_row(dict(zip(found["columns"], row, strict=True)), plan) for row in found["trials"]]
    importance = {k: float(v) for k, v in found["importance"].items() if _varies(plan, k)}
    if not all(0 <= share <= 1 for share in importance.values()):
        raise ValueError("an importance is not a share")
    wanted, winner = found["wanted"], found["winner"]
    if not (wanted is None or _is_count(wanted)):
        raise ValueError("the number of trials is none")
    return StudyTable(name, plan, rows, wanted, importance, _winner(winner) if winner else None)


def _row(row: Mapping[str, Any], plan: Plan) -> TrialRow:
    known = TrialRow(**{name: row[name] for name in COLUMNS})
    if known.state not in STATES or not all(map(_is_count, (known.number, known.epochs))):
        raise ValueError("a trial has no state, number or epochs")
    figures = (known.accuracy, known.seconds, known.second)
    if not all(figure is None or is_number(figure) for figure in figures):
        raise ValueError(f"trial {known.number} has a figure that is not a number")
    if not 0 <= (known.accuracy or 0) <= 1:
        raise ValueError(f"the accuracy of trial {known.number} is no share")
    for name, value in known.values.items():
        possible = _varies(plan, name) and RunConfig.check(name, value) == value
        if not possible or value not in plan.space.dimensions[name]:
            raise ValueError(f"trial {known.number} has an impossible {name[:60]!a}")
    return known


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < MOST_TRIALS


def _varies(plan: Plan, name: str) -> bool:
    return name in plan.space.dimensions


def seeds_in_words(winner: Mapping[str, Any]) -> str:
    """Such as "5 seeds", or "5 seeds, of which 3 diverged"."""
    seeds, diverged = counted(winner["seeds"], "seed"), winner.get("diverged", 0)
    return f"{seeds}, of which {diverged} diverged" if diverged else seeds


def _winner(found: Mapping[str, Any]) -> Mapping[str, Any]:
    figures = ("seeds", "validation_accuracy", "test_accuracy", "test_accuracy_deviation")
    kept = {name: found[name] for name in figures}
    numbers = all(value is None or is_number(value) for value in kept.values())
    kept["diverged"] = found.get("diverged", 0)  # files from before this figure lack it
    if not numbers or not all(_is_count(kept[name]) for name in ("seeds", "diverged")):
        raise ValueError("the winner has a figure that is not a number")
    return kept | {"ids": [str(each) for each in found["ids"]]}
