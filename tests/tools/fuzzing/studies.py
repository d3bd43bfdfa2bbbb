"""Studies that come from anybody: their tables, their trials' records, and their runs' curves."""

import functools
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from mnist_core.charts.study import (
    best_so_far,
    importance_bars,
    parallel_coordinates,
    slice_of,
    two_objectives,
)
from mnist_core.charts.study_map import contour
from mnist_core.errors import LabError
from mnist_core.runs.bundle import read_bundle, write_bundle
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.record import from_record, to_record
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import (
    STATES,
    StudyTable,
    TrialRow,
    read_table,
    table_path,
    write_table,
)
from pages.components.train.search import winner_words
from pages.components.train.search import words as words_of
from tests.stores import make_run, quick_config
from tests.tools.fuzzing.part import ODD, odd_somewhere, part, spoiled

SPACES: tuple[dict[str, Any], ...] = (
    {"model": "lenet5", "epochs": "3", "lr": "0.001..1:log", "batch_size": "32,64"},
    {"model": "lenet5,small", "dropout": "0..0.5:step=0.1", "weight_decay": "1e-6..1e-2:log"},
    {"optimizer": "any", "momentum": "0..0.99", "epochs": "1..9", "augment": "any"},
)
NUMBERS = (*ODD, 0.0, -0.5, 1.5, 0.999999, 1e-9, 2**70)


@functools.cache
def tables() -> tuple[bytes, ...]:
    """The tables of made-up studies, as the lab writes them."""
    found = []
    with tempfile.TemporaryDirectory() as name:
        store = RunStore(Path(name))
        for number, fields in enumerate(SPACES):
            chance = random.Random(number)
            with suppress(LabError):  # a field that this version lacks
                plan = Plan(read_space(fields, "grid"), pruner="none", minimise="parameters")
                rows = list(_trials(chance, plan))
                importance = dict.fromkeys(plan.space.dimensions, 0.5)
                winner = {"ids": [], "seeds": 5, "validation_accuracy": 0.9, "test_accuracy": 0.9}
                winner["test_accuracy_deviation"] = 0.001
                write_table(store, StudyTable("made-up", plan, rows, 30, importance, winner))
                found.append(table_path(store, "made-up").read_bytes())
    return tuple(found)


def _trials(chance: random.Random, plan: Plan) -> Iterator[TrialRow]:
    for number in range(24):
        values: dict[str, Any] = {}
        for name, dimension in plan.space.ordered():
            if not plan.space.matters(name, values):
                continue
            if hasattr(dimension, "options"):
                values[name] = chance.choice(dimension.options)
            else:
                low, high = dimension.low, dimension.high
                values[name] = dimension.rounded(chance.uniform(low, high))
        state = chance.choice((*STATES, "done", "done"))
        accuracy = None if state == "failed" else round(chance.uniform(0.1, 0.99), 4)
        yield TrialRow(number, state, values, accuracy, 3, 1.5, chance.choice((None, 4464, 61706)))


@part("studies", count=150)
def show_a_study(chance: random.Random, folder: Path) -> None:
    """A study's table with odd values or broken bytes: all that the page shows of it."""
    store, content = RunStore(folder), chance.choice(tables())
    path = table_path(store, "made-up")
    path.parent.mkdir()
    if chance.random() < 0.7:
        value = json.loads(content)
        for _ in range(chance.randint(1, 3)):
            value = odd_somewhere(chance, value, NUMBERS)
        content = json.dumps(value).encode("utf-8", "replace")
    path.write_bytes(content if chance.random() < 0.7 else spoiled(chance, content))
    table = read_table(store, "made-up")
    assert table
    words_of(table, live=chance.random() < 0.5)
    if table.winner:
        winner_words(table)
    if table.wanted:
        assert table.count("done", "pruned", "failed") / table.wanted >= 0
    for figure in _figures(table):
        json.dumps(figure.to_plotly_json(), default=lambda array: array.tolist(), allow_nan=False)
    for row in table.rows:
        with suppress(LabError):
            table.config(row)


def _figures(table: StudyTable) -> Iterator[Any]:
    yield best_so_far(table)
    if table.importance:
        yield importance_bars(table)
    if table.plan.minimise and table.front:
        yield two_objectives(table)
    if len(table.done) > 1:
        yield parallel_coordinates(table)
    first, *rest = table.fields
    yield from (slice_of(table, name) for name in (first, *rest[:1]))
    if rest:
        yield contour(table, first, rest[0])


@functools.cache
def _runs() -> tuple[tuple[dict[str, Any], ...], bytes]:
    """The records of two runs, and a file of their curves."""
    with tempfile.TemporaryDirectory() as name:
        store = RunStore(Path(name) / "store")
        runs: list[Run] = [make_run(store, quick_config(seed=seed)) for seed in (1, 2)]
        path = Path(name) / "x.parquet"
        write_bundle(path, runs, {})
        return tuple(map(to_record, runs)), path.read_bytes()


@part("study-runs")
def read_curves(chance: random.Random, folder: Path) -> None:
    """A trial's record with something odd in it, and a broken file of many runs' curves."""
    records, content = _runs()
    record = chance.choice(records)
    for _ in range(chance.randint(1, 3)):
        record = odd_somewhere(chance, record)
    with suppress(LabError):
        _look(from_record(json.loads(json.dumps(record)), folder))
    (folder / "sweeps").mkdir()
    path = folder / "sweeps" / "made-up.parquet"
    path.write_bytes(spoiled(chance, content))
    bundle = read_bundle(path)
    assert all("\n" not in each.reason for each in bundle.damaged)
    for run in bundle.runs.values():
        _look(run)


def _look(run: Run) -> None:
    for read in (
        lambda: run.history,
        lambda: run.step_losses,
        run.first_kernels,
        lambda: (run.state, run.position, run.has_weights),
        lambda: getattr(run, "mistakes", lambda: None)(),
    ):
        with suppress(LabError):
            read()
