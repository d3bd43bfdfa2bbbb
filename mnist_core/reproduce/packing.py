"""Makes a finished run small enough to ship, without changing what it says."""

from __future__ import annotations

from dataclasses import replace

from mnist_core.errors import LabError
from mnist_core.runs.extend import EXTENDABLE
from mnist_core.runs.store import Run, RunStore

LARGE = 4_000_000  # bytes of weights; above, they ship in half precision
STATE_LIMIT = 1_000_000  # bytes of a resume state that ships
FIRST = 1  # the seed that keeps more than the others
SAME = 2  # images of the test set that half precision may turn


def pack(store: RunStore, run: Run) -> None:
    """Drops what nobody needs of a finished run, and halves weights above 4 MB.

    The first seed keeps its logits; those of the others follow from their weights. It keeps the
    state to go on from, too, where the schedule lets it go on, the state is small, and it was
    trained on a CPU, which everybody has. Raises LabError when half precision would change the
    figures.
    """
    if run.state == "diverged":
        summary = run.summary.without("weights", "weights_sha256", "weights_bytes")
        store.write_summary(run.id, summary)
        store.drop_old_weights(run.id, keep=None)
    elif (run.summary.weights_bytes or 0) > LARGE:
        _halve(store, run)
    dropped = ["worker.log"]
    if run.config.seed != FIRST:
        dropped.append("logits.safetensors")
    if not _can_go_on(store, run):
        dropped.append("resume.pt")
    for name in dropped:
        (run.path / name).unlink(missing_ok=True)


def _can_go_on(store: RunStore, run: Run) -> bool:
    return (
        run.state == "done"
        and run.config.seed == FIRST
        and run.config.schedule in EXTENDABLE
        and run.summary.device == "cpu"
        and len(store.resume_state(run.id) or b"") < STATE_LIMIT
    )


def _halve(store: RunStore, run: Run) -> None:
    """Replaces the weights by half-precision ones, whose figures are the same."""
    from safetensors.torch import load, save

    from mnist_core.evaluation.predict import evaluate

    tensors = load(run.weights())
    halves = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    epoch = run.summary.best_epoch or 0
    fields = store.write_weights(run.id, epoch, save(halves), suffix="-half")
    store.write_summary(run.id, replace(run.summary, **fields))
    figures = evaluate(store, store.get(run.id))
    turned = abs(figures["test_accuracy"] - run.summary.test_accuracy) * figures["images"]
    if turned > SAME + 0.5:
        store.write_summary(run.id, run.summary)
        raise LabError(f"{run.id}: half precision turns {turned:.0f} test images.")
    store.drop_old_weights(run.id, keep=fields["weights"])
