"""Makes a finished run small enough to ship, without changing what it is known for.

All runs together must stay below 80 MB. Every one keeps its logits, packed (see runs.logits).
Weights of the first seed stay as they were trained; those of the others ship in half precision,
and of weights above 1 MB the large layers in 8 bits (see evaluation.quantized), as long as the
number of test images that are right changes by no more than two.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from mnist_core.evaluation.quantized import halved, quantized
from mnist_core.evaluation.robustness import ROBUSTNESS
from mnist_core.inspection import novelty
from mnist_core.models import recipe_of
from mnist_core.models.zoo import rate_pair
from mnist_core.runs.extend import EXTENDABLE
from mnist_core.runs.folder import LOGITS
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

FIRST = 1  # the seed that keeps its resume state, and exact weights
LARGE = 1_000_000  # bytes of weights
STATE_LIMIT = 1_000_000  # bytes of a resume state that ships
TOLERATED = 2  # test images by which the accuracy may change with weights in fewer bits
WITHOUT_WEIGHTS = (("mynetv1", "reference"),)  # as large as all others, and worse than "improved"

KINDS: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "-8bit": quantized,
    "-half": halved,
}


def pack(store: RunStore, run: Run, exact_below: int = 0) -> None:
    """Makes its weights and logits smaller, and deletes what can be made again.

    Weights of fewer than `exact_below` bytes stay as they were trained, whatever the seed.

    A run of the first seed keeps its resume state if it was trained on a CPU, its schedule can be
    extended, and the state is small; one that has snapshots keeps them. Packing again changes
    nothing.
    """
    if (
        run.state == RunState.DIVERGED
        or (run.config.model, recipe_of(run.config)) in WITHOUT_WEIGHTS
    ):
        summary = run.summary.without("weights", "weights_sha256", "weights_bytes")
        run.folder.write_summary(summary)
        run.folder.drop_old_weights(keep=None)
        for name in (ROBUSTNESS, novelty.NAME):  # of weights that are gone
            (run.path / name).unlink(missing_ok=True)
    elif not in_fewer_bits(run) and (run.summary.weights_bytes or 0) >= exact_below:
        _shrink_weights(store, run)
    if (run.path / LOGITS).exists():
        run.folder.pack_logits(run.logits())
    (run.path / "worker.log").unlink(missing_ok=True)
    if not _goes_on(run):
        run.folder.resume_file.unlink(missing_ok=True)


def in_fewer_bits(run: Run) -> bool:
    """Whether its weights are no longer in the precision that they were trained in."""
    return (run.summary.weights or "").endswith(tuple(f"{kind}.safetensors" for kind in KINDS))


def _goes_on(run: Run) -> bool:
    """Whether it can be extended from its resume state, and that is small enough to ship."""
    return (
        run.config.seed == FIRST
        and run.config not in rate_pair()  # which are there to be looked at
        and run.state == RunState.DONE
        and run.config.schedule in EXTENDABLE
        and run.summary.device == "cpu"
        and len(run.folder.resume_state() or b"") < STATE_LIMIT
    )


def _shrink_weights(store: RunStore, run: Run) -> None:
    """Replaces the weights by the smallest that give the same accuracy, if any do."""
    from safetensors.torch import load, save

    from mnist_core.evaluation.predict import evaluate

    tensors = load(run.weights())
    for kind in _kinds_for(run):
        content = save(KINDS[kind](tensors))
        fields = run.folder.write_weights(run.summary.best_epoch or 0, content, suffix=kind)
        run.folder.write_summary(replace(run.summary, **fields))
        figures = evaluate(store, store.get(run.id))
        changed = abs(figures["test_accuracy"] - run.summary.test_accuracy) * figures["images"]
        if changed < TOLERATED + 0.5:
            run.folder.drop_old_weights(keep=fields["weights"])
            return
        run.folder.write_summary(run.summary)
    run.folder.drop_old_weights(keep=run.summary.weights)


def _kinds_for(run: Run) -> Iterator[str]:
    large = (run.summary.weights_bytes or 0) > LARGE
    if large:
        yield "-8bit"
    if large or run.config.seed != FIRST:
        yield "-half"
