"""What all parts of `reproduce` share: the study asked for, and training what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from types import MappingProxyType

from mnist_core.config import RunConfig
from mnist_core.errors import LabError, NotFound
from mnist_core.jobs.pool import Made, TrainOne, train_all
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.table import StudyTable, TrialRow, read_table, table_names


def finished_study(store: RunStore, study: str) -> tuple[StudyTable, TrialRow]:
    """The study and its best trial.

    Raises NotFound without that study in the store, and LabError for one that is not done.
    """
    table = read_table(store, study)
    if table is None:
        names = ", ".join(table_names(store)) or "none"
        raise NotFound(f"only: {study} was given; the studies in {store.root} are: {names}")
    if table.best is None or not table.is_complete:
        raise LabError(f"{study} is not done; go on with it: sweep --name {study}")
    return table, table.best


def finished_runs(store: RunStore, configs: Iterable[RunConfig]) -> list[Run]:
    """The runs of these configs that are in the store and finished."""
    found = (store.find_folder(config) for config in configs)
    return [run for run in found if run and run.finished]


def train_missing(
    store: RunStore,
    wanted: Sequence[RunConfig],
    at_once: int,
    train_one: TrainOne,
    on_made: Callable[[Made], None],
    parents: Mapping[RunConfig, RunConfig] = MappingProxyType({}),
    is_last: Callable[[Run], bool] = lambda _: False,
) -> None:
    """Trains those of the runs that are not finished, in this order; `jobs.pool.train_all` says
    what the arguments are. Those that were there before count as made.

    After a run that `is_last`, no other is begun.
    """
    there = finished_runs(store, wanted)
    if any(map(is_last, there)):
        return
    known = {run.id for run in there}
    missing = [config for config in wanted if config.id not in known]
    before = len(wanted) - len(missing)
    with closing(train_all(store, missing, at_once, train_one, parents)) as training:
        for made in training:
            on_made(replace(made, done=before + made.done, total=len(wanted)))
            if is_last(made.run):
                return
