"""Trains the grid that ships; a second call continues where the first stopped."""

import functools
import shutil
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace

from mnist_core.config import RunConfig
from mnist_core.jobs.pool import Made, alone, carry_out_here, train_all
from mnist_core.models.grid import DATASETS, grid_configs
from mnist_core.reproduce.bundling import bundle_up
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore

WORKSHOP = ".making-grid"  # a store inside the store, for the grid's runs until they are bundled


def make_grid(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda _: None,
    datasets: Sequence[str] = DATASETS,
    configs: Sequence[RunConfig] | None = None,
) -> list[Run]:
    """Trains the missing runs of these data sets' grids, `at_once` at a time, one thread each.

    Finished runs are folders in the workshop, without what is needed to go on, until all of their
    data set are there or the call ends; then they go into the data set's file. Ctrl-C pauses the
    runs in training; the next call continues them and trains the others. Raises LabError when
    another process is making the grid, or when a run cannot be trained.
    """
    if configs is None:
        configs = [config for dataset in datasets for config in grid_configs(dataset)]
    with alone(store, "grid"):
        workshop = RunStore(store.root / WORKSHOP)
        missing = _missing(store, workshop, configs)
        left = Counter(config.dataset for config in missing)
        bundle = functools.partial(bundle_up, store, workshop, order=[c.id for c in configs])
        before = len(configs) - len(missing)
        try:
            for made in train_all(workshop, missing, at_once, train_and_tidy):
                on_made(replace(made, done=before + made.done, total=len(configs)))
                dataset = made.run.config.dataset
                left[dataset] -= 1
                if not left[dataset]:
                    bundle(dataset)
        finally:
            for dataset in dict.fromkeys(config.dataset for config in configs):
                bundle(dataset)
        if not workshop.list()[0]:
            shutil.rmtree(workshop.root, ignore_errors=True)
        return [store.get(config.id) for config in configs]


def _missing(store: RunStore, workshop: RunStore, configs: Sequence[RunConfig]) -> list[RunConfig]:
    """The configs whose run is in neither its data set's file nor, finished, in the workshop."""
    made = {run.id for run in workshop.list()[0] if run.finished}
    for dataset in {config.dataset for config in configs}:
        made |= read_bundle(store.bundle_path(dataset)).runs.keys()
    return [config for config in configs if config.id not in made]


def train_and_tidy(store: RunStore, config: RunConfig) -> Run:
    """Trains a run on the CPU and deletes what only its training needed."""
    run = carry_out_here(store, config, "cpu")
    for path in (run.folder.resume_file, run.folder.log_file):
        path.unlink(missing_ok=True)
    return run
