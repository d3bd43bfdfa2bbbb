"""The zoo that ships: training and packing those of its runs that are missing."""

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.errors import InputError
from mnist_core.jobs.pool import Made, alone, carry_out_here
from mnist_core.models import model_spec
from mnist_core.models.stats import stats_of
from mnist_core.models.zoo import rate_pair, zoo_rows
from mnist_core.paths import data_root
from mnist_core.reproduce.making import train_missing
from mnist_core.reproduce.packing import pack
from mnist_core.runs.extend import branch_off
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

NOT_AT_HAND = ("QMNIST",)  # skipped unless its files are there
SMALL = 100_000  # parameters; networks below it ship with snapshots of one run
LEARNS = 0.20  # validation accuracy; a run below it after two epochs is ended


def make_zoo(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda _: None,
    only: Sequence[str] = (),
    seeds: int | None = None,
) -> list[Run]:
    """Trains the zoo's missing runs, `at_once` at a time with one thread each; returns all.

    `only` names networks; `seeds` is the largest number of seeds in a row. Finished runs are
    left as they are. Ctrl-C pauses; the next call continues. Raises InputError for an unknown
    network, and LabError when another process is making the zoo or a run cannot be trained.
    """
    wanted = wanted_configs(only, seeds)
    with alone(store, "zoo"):
        longest_first = sorted(wanted, key=lambda c: c.epochs / c.batch_size, reverse=True)
        train_missing(store, longest_first, at_once, train_and_pack, on_made, _parents())
    return [store.get(config.id) for config in wanted]


def wanted_configs(only: Sequence[str] = (), seeds: int | None = None) -> list[RunConfig]:
    """The configs of the chosen rows whose data set is available, and of the pair of rates."""
    names = {model_spec(name).name for name in only}
    rows = [row for row in zoo_rows() if not names or row.model in names]
    away = [name for name in NOT_AT_HAND if missing_files(name, data_root())]
    rows = [replace(row, seeds=row.seeds[:seeds]) for row in rows if row.dataset not in away]
    pair = [config for config in rate_pair() if not names or config.model in names]
    return list(dict.fromkeys([config for row in rows for config in row.configs()] + pair))


def train_and_pack(store: RunStore, config: RunConfig) -> Run:
    """Trains one run of the zoo and packs it. Raises LabError."""
    parent = _parents().get(config)
    if parent:
        made = carry_out_here(store, parent, "auto", snapshots=keeps_snapshots(parent))
        with suppress(InputError):  # no resume state: training from the start gives the same bits
            branch_off(store, made, config)
    must_learn = None if config in rate_pair() else MustLearn(store, config)
    run = carry_out_here(store, config, "auto", must_learn, snapshots=keeps_snapshots(config))
    pack(store, run)
    return store.get(run.id)


def keeps_snapshots(config: RunConfig) -> bool:
    """Whether the run ships with snapshots: of each small network, one by its best recipe."""
    return config in _with_snapshots() or config in rate_pair()


@functools.cache
def _with_snapshots() -> frozenset[RunConfig]:
    rows = [row for row in zoo_rows() if row.dataset == "MNIST" and row.recipe != "tutorial"]
    best = {row.model: row for row in rows}.values()  # "improved" comes after the reference's own
    size = {row.model: stats_of(row.model, row.dataset)["parameters"] for row in best}
    return frozenset(row.configs()[0] for row in best if size[row.model] < SMALL)


@functools.cache
def _parents() -> dict[RunConfig, RunConfig]:
    """For each config that extends a recipe's run, the config of that run."""
    pairs: dict[RunConfig, RunConfig] = {}
    for row in zoo_rows():
        if row.epochs:
            pairs |= zip(row.configs(), replace(row, epochs=None).configs(), strict=True)
    return pairs


class MustLearn:
    """Given a run's progress, raises Diverged after two epochs at chance level."""

    def __init__(self, store: RunStore, config: RunConfig) -> None:
        run = store.find_folder(config)
        self.best = run.summary.validation_accuracy or 0.0 if run else 0.0

    def __call__(self, progress: Mapping[str, Any]) -> None:
        from mnist_core.training.results import Diverged

        if progress["phase"] != "epoch":
            return
        self.best = max(self.best, progress["validation_accuracy"])
        if progress["epoch"] >= 2 and self.best < LEARNS:
            raise Diverged(
                f"Does not learn: after {progress['epoch']} epochs the validation accuracy is "
                f"{self.best:.1%}, below {LEARNS:.0%}; a smaller learning rate is the first "
                "thing to try."
            )
