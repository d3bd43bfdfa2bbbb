"""The zoo that ships: which runs it has, and training and packing those that are missing."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.data.idx import missing_files
from mnist_core.errors import InputError
from mnist_core.jobs.pool import Made, alone, carry_out_here, train_all
from mnist_core.models import make_config, model_spec
from mnist_core.paths import data_root
from mnist_core.reproduce.packing import pack
from mnist_core.runs.extend import branch_off
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

ONE, THREE = (1,), (1, 2, 3)
# Seeds for each recipe: three for a small network, one for a large one.
SEEDS: dict[str, dict[str, tuple[int, ...]]] = {
    "lenet5-1998": {"MNIST": THREE},
    "lenet5": {"MNIST": THREE, "FashionMNIST": THREE, "KMNIST": THREE, "QMNIST": ONE},
    "lenet": {"MNIST": THREE, "FashionMNIST": ONE, "KMNIST": ONE},
    "myfullconvnet": {"MNIST": THREE},
    "mynetv1": {"MNIST": ONE},
    "mynetv2": {"MNIST": THREE},
    "myvggnet": {"MNIST": ONE, "FashionMNIST": ONE, "KMNIST": ONE},
    "pytorch-example": {"MNIST": ONE},
    "medium": {"MNIST": THREE, "FashionMNIST": ONE, "KMNIST": ONE},
    "small": {"MNIST": THREE},
    "ultrasmall": {"MNIST": THREE},
    "fast": {"MNIST": THREE},
}
# The reference's own recipe reaches the published figure, or there is no such figure.
GOOD_ENOUGH = ("lenet5-1998", "pytorch-example", "fast")
NOT_AT_HAND = ("QMNIST",)  # skipped unless its files are there
LEARNS = 0.20  # validation accuracy; a run below it after two epochs is ended


@dataclass(frozen=True)
class Row:
    """Runs that differ only by seed: one row of the results table.

    With `epochs`, each extends the recipe's run to that many epochs.
    """

    model: str
    dataset: str
    recipe: str
    seeds: tuple[int, ...]
    epochs: int | None = None

    def configs(self) -> list[RunConfig]:
        longer = {"epochs": self.epochs} if self.epochs else {}
        return [self._config(seed, **longer) for seed in self.seeds]

    def parents(self) -> list[RunConfig | None]:
        """For each of the configs, the one that it extends; None for a new run."""
        return [self._config(seed) if self.epochs else None for seed in self.seeds]

    def _config(self, seed: int, **changes: Any) -> RunConfig:
        changes |= {"dataset": self.dataset, "seed": seed}
        return make_config(self.model, self.recipe, **changes)


def zoo_rows() -> list[Row]:
    """All rows of the zoo, network by network, the reference's recipe first."""
    rows = []
    for model, datasets in SEEDS.items():
        for dataset, seeds in datasets.items():
            rows += [Row(model, dataset, name, seeds) for name in _recipes(model, dataset)]
    tutorial = Row("lenet5", "MNIST", "tutorial", THREE)
    return [*rows, tutorial, replace(tutorial, seeds=ONE, epochs=10)]


def _recipes(model: str, dataset: str) -> tuple[str, ...]:
    first = model_spec(model).recipes[0].name
    better = model not in GOOD_ENOUGH and dataset not in NOT_AT_HAND
    return (first, "improved") if better else (first,)


def make_zoo(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda made: None,
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
        missing = [c for c in wanted if not _finished(store, c)]
        missing.sort(key=lambda c: c.epochs / c.batch_size, reverse=True)  # the longest first
        before = len(wanted) - len(missing)
        for made in train_all(store, missing, at_once, train_and_pack, _parents()):
            on_made(replace(made, done=before + made.done, total=len(wanted)))
    return [store.get(config.id) for config in wanted]


def wanted_configs(only: Sequence[str] = (), seeds: int | None = None) -> list[RunConfig]:
    """The configs of the chosen rows whose data set is available."""
    names = {model_spec(name).name for name in only}
    rows = [row for row in zoo_rows() if not names or row.model in names]
    rows = [replace(row, seeds=row.seeds[:seeds]) for row in rows if _at_hand(row.dataset)]
    return list(dict.fromkeys(config for row in rows for config in row.configs()))


def _at_hand(dataset: str) -> bool:
    return dataset not in NOT_AT_HAND or not missing_files(dataset, data_root())


def _finished(store: RunStore, config: RunConfig) -> bool:
    run = store.find_folder(config)
    return run is not None and run.finished


def train_and_pack(store: RunStore, config: RunConfig) -> Run:
    """Trains one run of the zoo and packs it. Raises LabError."""
    parent = _parents().get(config)
    if parent:
        made = carry_out_here(store, parent, "auto")
        with suppress(InputError):  # no resume state: training from the start gives the same bits
            branch_off(store, made, config)
    run = carry_out_here(store, config, "auto", MustLearn(store, config))
    pack(store, run)
    return store.get(run.id)


@functools.cache
def _parents() -> dict[RunConfig, RunConfig]:
    pairs = [p for row in zoo_rows() for p in zip(row.configs(), row.parents(), strict=True)]
    return {config: parent for config, parent in pairs if parent}


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
