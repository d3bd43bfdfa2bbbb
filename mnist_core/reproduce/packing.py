"""Makes a finished run small enough to ship, without changing its figures."""

from dataclasses import replace

from mnist_core.errors import LabError
from mnist_core.runs.extend import EXTENDABLE
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore

LARGE = 4_000_000  # bytes of weights; above, they ship in half precision
STATE_LIMIT = 1_000_000  # bytes of a resume state that ships
FIRST = 1  # the seed that keeps its logits and its resume state
TOLERATED = 2  # test images whose prediction may differ in half precision


def pack(store: RunStore, run: Run) -> None:
    """Deletes files that can be made again, and stores weights above 4 MB in half precision.

    Only the first seed keeps its logits; the others' follow from their weights. It keeps its resume
    state, too, if it was trained on a CPU, its schedule can be extended, and the state is small.
    Raises LabError when half precision would change the figures.
    """
    if run.state == RunState.DIVERGED:
        summary = run.summary.without("weights", "weights_sha256", "weights_bytes")
        run.folder.write_summary(summary)
        run.folder.drop_old_weights(keep=None)
    elif (run.summary.weights_bytes or 0) > LARGE:
        _halve(store, run)
    first = run.config.seed == FIRST
    keep = {"worker.log": False, "logits.safetensors": first, "resume.pt": first and _goes_on(run)}
    for name, kept in keep.items():
        if not kept:
            (run.path / name).unlink(missing_ok=True)


def _goes_on(run: Run) -> bool:
    """Whether it can be extended from its resume state, and that is small enough to ship."""
    return (
        run.state == RunState.DONE
        and run.config.schedule in EXTENDABLE
        and run.summary.device == "cpu"
        and len(run.folder.resume_state() or b"") < STATE_LIMIT
    )


def _halve(store: RunStore, run: Run) -> None:
    """Replaces the weights by half-precision ones, if these give the same figures."""
    from safetensors.torch import load, save

    from mnist_core.evaluation.predict import evaluate

    tensors = load(run.weights())
    halves = {k: v.half() if v.is_floating_point() else v for k, v in tensors.items()}
    epoch = run.summary.best_epoch or 0
    fields = run.folder.write_weights(epoch, save(halves), suffix="-half")
    run.folder.write_summary(replace(run.summary, **fields))
    figures = evaluate(store, store.get(run.id))
    changed = abs(figures["test_accuracy"] - run.summary.test_accuracy) * figures["images"]
    if changed > TOLERATED + 0.5:
        run.folder.write_summary(run.summary)
        raise LabError(f"{run.id}: half precision changes {changed:.0f} predictions.")
    run.folder.drop_old_weights(keep=fields["weights"])
