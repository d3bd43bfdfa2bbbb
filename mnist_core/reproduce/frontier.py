"""The frontier that ships: trains those of its runs that are missing, and makes them small.

Nothing is chosen on test images: the test set is read once for each run, with the weights of its
best validation epoch. When a run is finished, what other habits would have claimed is measured
(see `frontier_looks`).
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.jobs.pool import Made, alone, carry_out_here
from mnist_core.models import model_spec
from mnist_core.models.frontier_rows import FIRST, FrontierRow, frontier_rows
from mnist_core.reproduce.frontier_looks import keep_looks
from mnist_core.reproduce.making import train_missing
from mnist_core.reproduce.packing import pack
from mnist_core.reproduce.zoo import MustLearn
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

EXACT = 100_000  # bytes of weights that ship as they were trained


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
    """Trains one run, measures its looks, leaves what ships. Raises LabError."""
    first = config.seed == FIRST
    run = carry_out_here(store, config, "auto", MustLearn(store, config), snapshots=first)
    if run.state == RunState.DONE:
        keep_looks(run, snapshots=first)
    pack(store, run, exact_below=EXACT)
    if not first:  # its weights give them again
        run.folder.drop_logits()
    return store.get(run.id)


@functools.cache
def kept_snapshots() -> frozenset[RunConfig]:
    """The configs whose runs ship with snapshots and logits: the first seed of each row."""
    return frozenset(config for row in frontier_rows() for config in first_of(row))


def first_of(row: FrontierRow) -> list[RunConfig]:
    return [config for config in row.configs() if config.seed == FIRST]
