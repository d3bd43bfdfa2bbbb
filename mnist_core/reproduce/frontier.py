"""The frontier that ships: trains those of its runs that are missing, and makes them small.

Nothing is chosen on test images: the test set is read once for each run, with the weights of its
best validation epoch. What choosing on test images would have claimed is measured when a run is
finished, from the snapshots of the first seed (see `looks`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from pathlib import Path

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.files import is_number, read_checked, write_json
from mnist_core.jobs.pool import Made, alone, carry_out_here
from mnist_core.models import model_spec
from mnist_core.models.frontier_rows import FIRST, FrontierRow, frontier_rows
from mnist_core.reproduce.making import train_missing
from mnist_core.reproduce.packing import pack
from mnist_core.reproduce.zoo import MustLearn
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

EXACT = 100_000  # bytes of weights that ship as they were trained
LOOKS = "looks.json"  # in the folder of a run: test accuracies of its snapshots, by epoch


def make_frontier(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda _: None,
    only: Sequence[str] = (),
    seeds: int | None = None,
) -> list[Run]:
    """Trains the missing runs, `at_once` at a time with one thread each; returns all.

    `only` names networks; `seeds` is the largest number of seeds in a row. Ctrl-C pauses; the next
    call continues. Raises InputError for a network that is none of the frontier's, and LabError
    when another process is at it or a run cannot be trained.
    """
    wanted = wanted_configs(only, seeds)
    with alone(store, "frontier"):
        train_missing(store, wanted, at_once, train_and_keep, on_made)
    return [store.get(config.id) for config in wanted]


def wanted_configs(only: Sequence[str] = (), seeds: int | None = None) -> list[RunConfig]:
    """The configs of the chosen rows, the smallest network first."""
    names = {model_spec(name).name for name in only}
    rows = [row for row in frontier_rows() if not names or row.model in names]
    if strange := names - {row.model for row in rows}:
        known = ", ".join(row.model for row in frontier_rows())
        raise InputError(f"only: {', '.join(strange)} was given; allowed is one of {known}")
    return [config for row in rows for config in row.configs()[:seeds]]


def train_and_keep(store: RunStore, config: RunConfig) -> Run:
    """Trains one run, measures the looks of a first seed, leaves what ships. Raises LabError."""
    first = config.seed == FIRST
    run = carry_out_here(store, config, "auto", MustLearn(store, config), snapshots=first)
    if first and run.state == RunState.DONE:
        write_json(run.path / LOOKS, measured_looks(run))
    pack(store, run, exact_below=EXACT)
    if not first:  # its weights give them again
        run.folder.drop_logits()
    return store.get(run.id)


def measured_looks(run: Run) -> dict[str, float]:
    """Test accuracies of the snapshots after the run's epochs, in half precision, by epoch."""
    from mnist_core.evaluation.metrics import metrics
    from mnist_core.evaluation.predict import logits_of
    from mnist_core.inspection.over_time import network_at
    from mnist_core.jobs.pool import loaded

    test = loaded(run.config.dataset).test
    pixels, labels = test.pixels(run.config.input_size, run.config.fit), test.labels.numpy()
    found = {}
    for snapshot in run.snapshots():
        if snapshot.epoch:
            logits = logits_of(network_at(run, snapshot).model, pixels, run.config)
            found[str(snapshot.epoch)] = metrics(logits.numpy(), labels).accuracy
    return found


def looks(run: Run) -> dict[str, float]:
    """What `measured_looks` gave; nothing for a run without such a file."""

    def check(found: object) -> dict[str, float]:
        if not isinstance(found, dict) or not all(map(is_number, found.values())):
            raise ValueError("no table of accuracies")
        return {str(epoch): float(value) for epoch, value in found.items()}

    nothing: dict[str, float] = {}
    return read_checked(Path(run.path) / LOOKS, check, default=nothing)


@functools.cache
def kept_snapshots() -> frozenset[RunConfig]:
    """The configs whose runs ship with snapshots and logits: the first seed of each row."""
    return frozenset(config for row in frontier_rows() for config in first_of(row))


def first_of(row: FrontierRow) -> list[RunConfig]:
    return [config for config in row.configs() if config.seed == FIRST]
