"""The command `fine-tune`: a run's network learns drawings of yours, as a new run."""

from argparse import ArgumentParser, Namespace
from contextlib import suppress

from mnist_core.analysis.fine_tuned import as_row, outcome, rows_of, sentences
from mnist_core.cli.command import Answer, command, one_run
from mnist_core.cli.rows import run_row
from mnist_core.cli.terminal import ProgressLine, table
from mnist_core.cli.train import signals
from mnist_core.config import Execution
from mnist_core.data.tuning_set import read_tuning_set, source_of
from mnist_core.jobs.fine_tune import plan, prepare
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from mnist_core.tuning import MOST_EPOCHS, PARTS, RATES


def _options(parser: ArgumentParser) -> None:
    one_run(parser)
    add = parser.add_argument
    digits = "the drawings: everybody (those of My digits), a set's key, or a zip file of drawings"
    add("--digits", metavar="SET", required=True, help=digits)
    add("--part", help=f"what learns, {' or '.join(PARTS)}; by default all layers")
    add("--epochs", help=f"passes over the drawings, 1 to {MOST_EPOCHS}")
    add("--lr", help=f"the learning rate that it begins with, {RATES[0]:g} to {RATES[1]:g}")
    add("--engine", help="auto, torch or native")


@command("fine-tune", "Teaches a run's network drawings of yours, as a new run.", _options)
def fine_tune(options: Namespace) -> Answer:
    """Fine-tunes in this process and tells what came of it; a finished run is told of at once.

    Raises InputError for a run or drawings that cannot be used, else LabError.
    """
    from mnist_core.jobs.worker import carry_out

    store = RunStore()
    execution = Execution(engine=options.engine or Execution.engine)
    parent = store.get(options.id)
    drawings = read_tuning_set(store.root, parent.config.dataset, source_of(options.digits))
    config = plan(store, parent, drawings, options.part, options.epochs, options.lr)
    existing = store.find_folder(config)
    if existing and existing.finished:
        return _report(existing, cached=True)
    prepare(store, parent, config, drawings)
    line = ProgressLine(config)
    run = carry_out(store, config, execution, on_progress=line.show, signalled=signals())
    with suppress(OSError):
        line.end()
    return _report(run, cached=False)


def _report(run: Run, cached: bool) -> Answer:
    found = outcome(run)
    row = {**run_row(run), "cached": cached, "fine_tuning": as_row(found) if found else None}
    if found is None:
        note = f" {run.summary.note}" if run.summary.note else ""
        return Answer(row, f"{run.id} is {run.state}.{note}", status=0 if run.finished else 1)
    seconds = f"{found.report.seconds:.1f} s in all" if not cached else "was there already"
    head = f"{run.id} ({seconds}), from {run.config.parent.id}"
    return Answer(row, "\n".join([head, table(rows_of(found)), *sentences(found)]))
