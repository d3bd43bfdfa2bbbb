"""The command `schedule`, which a launcher starts."""

from argparse import Namespace

from mnist_core.cli.command import Answer, command
from mnist_core.jobs import launcher, scheduler
from mnist_core.runs.store import RunStore


@command("schedule", "Begin the runs of the queue, one after the other, until none waits.")
def schedule(_: Namespace) -> Answer:
    scheduler.schedule(RunStore(), launcher.begin_waiting)
    return Answer(None, "nothing waits")
