"""Trains the grid that ships; a second call continues where the first stopped."""

import functools
import shutil
from collections.abc import Callable, Sequence
from dataclasses import replace

from mnist_core.config import RunConfig
from mnist_core.jobs.pool import Made, alone, carry_out_here, train_all
from mnist_core.models.grid import grid_configs
from mnist_core.runs.bundle import BundledRun, bundled, read_bundle, write_bundle
from mnist_core.runs.store import RunStore

WORKSHOP = ".making-grid"  # a store inside the store, for the grid's runs in training


def make_grid(
    store: RunStore,
    at_once: int,
    on_made: Callable[[Made], None] = lambda _: None,
    configs: Sequence[RunConfig] | None = None,
) -> list[BundledRun]:
    """Trains the grid's missing runs, `at_once` at a time with one thread each, into the bundle.

    Ctrl-C pauses the runs in training; the next call continues them and trains the others.
    Raises LabError when another process is making the grid, or when a run cannot be trained.
    """
    configs = grid_configs() if configs is None else configs
    order = {config.id: place for place, config in enumerate(configs)}
    train_on_cpu = functools.partial(carry_out_here, device="cpu")
    with alone(store, "grid"):
        kept = {run.id: run for run in read_bundle(store.bundle)[0]}
        missing = [config for config in configs if config.id not in kept]
        workshop = RunStore(store.root / WORKSHOP)
        before = len(configs) - len(missing)
        for made in train_all(workshop, missing, at_once, train_on_cpu):
            run = bundled(made.run)
            kept[run.id] = run
            runs = sorted(kept.values(), key=lambda each: order.get(each.id, len(order)))
            write_bundle(store.bundle, runs)  # what is not of the grid comes last
            shutil.rmtree(made.run.path)
            on_made(replace(made, run=run, done=before + made.done, total=len(configs)))
        shutil.rmtree(workshop.root, ignore_errors=True)
        whole = {run.id: run for run in read_bundle(store.bundle)[0]}
        return [whole[config.id] for config in configs]
