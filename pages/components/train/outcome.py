"""How a run stands, in one line of words."""

from mnist_core.analysis.diagnosis import Diagnosis
from mnist_core.evaluation.statistics import spread
from mnist_core.formatting import percent, percent_spread
from mnist_core.runs.run import Run
from mnist_core.runs.states import RunState

HALTED = {
    RunState.PAUSED: "Paused",
    RunState.STOPPED: "Stopped",
    RunState.INTERRUPTED: "Interrupted",
}


def outcome(run: Run, found: Diagnosis | None) -> str:
    """A run's state and figures. A run that failed says so first; `found`: its diagnosis."""
    if found and found.kind == "stuck":
        accuracy = percent(run.summary.validation_accuracy, 1)
        return f":material/error: **Did not learn**: {accuracy}, as good as guessing"
    if run.state == RunState.DIVERGED:
        epoch = run.summary.epochs_done + 1
        told = f":material/error: **Diverged** in epoch {epoch} of {run.config.epochs}"
        return " · ".join([told, *_so_far(run)])
    if run.state in HALTED:
        told = f"**{HALTED[run.state]}** {run.position}"
        return " · ".join([told, *_so_far(run)])
    if run.state != RunState.DONE:
        return " · ".join(["**Training**", *_so_far(run)])
    return " · ".join(_figures(run)) or "Done"


def _so_far(run: Run) -> list[str]:
    best = run.summary.validation_accuracy
    return [] if best is None else [f"{percent(best)} validation so far"]


def _figures(run: Run) -> list[str]:
    summary, told = run.summary, []
    if summary.validation_accuracy is not None:
        told.append(f"**{percent(summary.validation_accuracy)}** validation")
    if summary.test_accuracy is not None:
        told.append(f"**{percent(summary.test_accuracy)}** test")
    if summary.best_epoch:
        told.append(f"★ epoch {summary.best_epoch:.0f} of {run.config.epochs}")
    return told


def over_seeds(group: list[Run]) -> str:
    """The test accuracy over the finished seeds of a config; empty for fewer than two."""
    tests = [run.summary.test_accuracy for run in group if run.summary.test_accuracy is not None]
    if len(tests) < 2:
        return ""
    over = spread(tests)
    return f" · {len(tests)} seeds: test {percent_spread(over.mean, over.deviation)}"
