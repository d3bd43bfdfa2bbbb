"""The states of a run, and the one place that says which may follow which."""

from enum import StrEnum


class RunState(StrEnum):
    """What a run's summary says of it; the text is what is on disk and in JSON."""

    QUEUED = "queued"  # a process waits for its place to train
    RUNNING = "running"  # a process trains it
    PAUSED = "paused"  # somebody asked for a pause
    INTERRUPTED = "interrupted"  # its process failed or was killed
    STOPPED = "stopped"  # somebody stopped it
    DIVERGED = "diverged"  # the loss was no longer finite: a result, without test figures
    DONE = "done"  # trained to its last epoch and tested


LIVE = (RunState.QUEUED, RunState.RUNNING)
RESUMABLE = (RunState.PAUSED, RunState.INTERRUPTED, RunState.STOPPED)
FINISHED = (RunState.DONE, RunState.DIVERGED)


def can_follow(old: RunState, new: RunState) -> bool:
    """Whether a run may go from one state on disk to another (or be written again in the same).

    A finished run keeps its state, and only a running one finishes. All other changes are
    possible: after a kill, "running" on disk may be followed by anything.
    """
    if old in FINISHED or new in FINISHED:
        return old in (new, RunState.RUNNING)
    return True
