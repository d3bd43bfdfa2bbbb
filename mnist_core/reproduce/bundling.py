"""Moves finished runs from their folders into their data set's file."""

import shutil
from collections.abc import Mapping, Sequence

import numpy as np

from mnist_core.errors import LabError
from mnist_core.evaluation.predictions import mistakes
from mnist_core.runs.bundle import BundledRun, read_bundle, write_bundle
from mnist_core.runs.columns import LEFT_OUT, in_steps
from mnist_core.runs.run import Mistakes, Run
from mnist_core.runs.store import RunStore


def bundle_up(store: RunStore, workshop: RunStore, dataset: str, order: Sequence[str]) -> None:
    """Adds the workshop's finished runs of a data set to its file, in the order of the ids.

    What else is in the file comes last. The folders are deleted once the file has been read back
    and holds what they do; until then a call that is cut short has lost nothing. Raises LabError.
    """
    made = [r for r in workshop.list()[0] if r.finished and r.config.dataset == dataset]
    if not made:
        return
    path = store.bundle_path(dataset)
    runs: dict[str, Run] = {**read_bundle(path).runs, **{run.id: run for run in made}}
    place = {run_id: number for number, run_id in enumerate(order)}
    ordered = sorted(runs.values(), key=lambda run: place.get(run.id, len(place)))
    wrong = {run.id: mistakes(workshop, run) for run in ordered}
    write_bundle(path, ordered, wrong)
    kept = read_bundle(path).runs
    for run in ordered:
        if not same(run, wrong[run.id], kept.get(run.id)):
            raise LabError(f"{path} does not hold {run.id} as it was; its folder is kept.")
    for run in made:
        _keep_labels(store, workshop, run)
        shutil.rmtree(run.path)


def same(run: Run, wrong: Mistakes | None, kept: BundledRun | None) -> bool:
    """Whether a bundle kept all of a run: to the bit, but for step losses and confidences."""
    return (
        kept is not None
        and (kept.config, kept.summary) == (run.config, run.summary.without(*LEFT_OUT))
        and kept.history == run.history
        and kept.step_losses == [_single(row) for row in run.step_losses]
        and _alike(kept.first_kernels(), run.first_kernels())
        and _alike(_stacked(kept.mistakes()), _stacked(wrong))
    )


def _single(row: Mapping[str, float]) -> dict[str, float]:
    return {**row, "loss": float(np.float32(row["loss"]))}


def _stacked(wrong: Mistakes | None) -> np.ndarray | None:
    if wrong is None:
        return None
    return np.stack([wrong.index, wrong.answer, in_steps(wrong.confidence)])


def _alike(a: np.ndarray | None, b: np.ndarray | None) -> bool:
    return a is b if a is None or b is None else np.array_equal(a, b)


def _keep_labels(store: RunStore, workshop: RunStore, run: Run) -> None:
    """Copies the true labels that the run's mistakes refer to, unless the store has them."""
    fingerprint = run.summary.data_fingerprint
    if fingerprint and not store.labels_path(run.config.dataset, fingerprint).exists():
        store.write_labels(run.config.dataset, fingerprint, workshop.labels(run))
