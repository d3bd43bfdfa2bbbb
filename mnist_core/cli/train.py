"""The commands `train` and `speed`."""

import json
import re
import signal
from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mnist_core.cli.command import Answer, command
from mnist_core.cli.rows import run_row
from mnist_core.cli.terminal import ProgressLine, say
from mnist_core.config import Execution, RunConfig
from mnist_core.errors import InputError
from mnist_core.files import read_json
from mnist_core.formatting import duration, percent
from mnist_core.models import check_config, make_config
from mnist_core.rules import Checked, Number, Switch, check_value
from mnist_core.runs.extend import branch_off, extended
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE, RunState
from mnist_core.runs.store import RunStore, check_at_once

if TYPE_CHECKING:
    from mnist_core.data.datasets import Dataset


def _config_options(parser: ArgumentParser) -> None:
    parser.add_argument("--recipe", help="the network's preset to start from; by default its first")
    parser.add_argument("--config", metavar="FILE", help="a config.json to train")
    _add_fields(parser, RunConfig)


def _train_options(parser: ArgumentParser) -> None:
    add = parser.add_argument
    add("--resume", metavar="RUN", help="continue a run that was interrupted")
    add("--extend", metavar="RUN", help="train a finished run on, to --epochs in all")
    add("--queue", action="store_true", help="wait until the store's setting allows another run")
    add("--standby", metavar="SECONDS", help="get ready, and wait for a run that a page starts")
    add("--at-once", metavar="N", help="wait until fewer than N runs train")
    _config_options(parser)
    _add_fields(parser, Execution)


def _add_fields(parser: ArgumentParser, owner: type[Checked]) -> None:
    """One option for each field of RunConfig or Execution."""
    for name in owner.option_names():
        field = owner.metadata(name)
        option, rule = "--" + name.replace("_", "-"), field["rule"]
        if isinstance(rule, Switch):
            parser.add_argument(option, help=field["help"], action="store_const", const=True)
            continue
        text = f"{field['help']} {rule.allowed.capitalize()}.".replace("%", "%%")
        parser.add_argument(option, help=text)


@command("train", "Train a network, or continue a run.", _train_options)
def train(options: Namespace) -> Answer:
    if options.standby is not None:
        return _stand_by(options)
    return _train(options)


def _stand_by(options: Namespace) -> Answer:
    from mnist_core.jobs.standing_by import stand_by

    seconds = check_value("standby", options.standby, Number(0, 86_400))
    handed = stand_by(RunStore(), new_config(options), seconds)
    if handed is None:
        return Answer(None, "no run was handed over")
    nothing = dict.fromkeys(vars(options))
    resume = {"json": options.json, "resume": handed.run_id, "queue": True}
    return _train(Namespace(**nothing | resume), handed.dataset)


def _train(options: Namespace, dataset: "Dataset | None" = None) -> Answer:
    from mnist_core.jobs.worker import carry_out, lacks_test

    store = RunStore()
    execution = Execution.from_dict(_given(options, Execution))
    at_once = _at_once(options, store)
    config, parent = config_to_train(options, store)
    existing = store.find_folder(config)
    if existing and existing.finished and not lacks_test(existing):
        return _report(existing, cached=True)
    if parent:
        branch_off(store, parent, config)
    process = existing.summary.process if existing and existing.state in LIVE else None
    if process and not process.is_current:
        say(f"{config.id} is being trained by another process; waiting for it")
    elif not at_once and (found := store.find_folder(config)):
        found.folder.request(None)  # a launched run keeps one that was made while it started
    line = ProgressLine(config)
    run = carry_out(
        store,
        config,
        execution,
        on_progress=line.show,
        signalled=signals(),
        at_once=at_once,
        dataset=dataset,
    )
    with suppress(OSError):
        line.end()
    if run.summary.data_note:
        say(f"note: {run.config.dataset}: {run.summary.data_note}")
    return _report(run, cached=False)


def _at_once(options: Namespace, store: RunStore) -> Callable[[], int] | None:
    """How many may train at once, for a run that waits in the queue; None for one that does not."""
    if options.at_once is None:
        return store.at_once if options.queue else None
    number = check_at_once(options.at_once)
    return lambda: number


def _given(options: Namespace, owner: type[Checked]) -> dict[str, Any]:
    """The options that were given, of those that are `owner`'s fields."""
    values = {name: getattr(options, name) for name in owner.option_names()}
    return {name: value for name, value in values.items() if value is not None}


def config_to_train(options: Namespace, store: RunStore) -> tuple[RunConfig, Run | None]:
    """The config to train, and for an extension the run that it continues."""
    sources = [n for n in ("resume", "extend", "config") if getattr(options, n) is not None]
    if len(sources) > 1:
        raise InputError(f"{' and '.join(sources)}: give one of them")
    if options.extend is not None:
        parent, fields = store.get(options.extend), _given(options, RunConfig)
        if set(fields) != {"epochs"} or options.recipe:
            raise InputError("extend: give --epochs, the number of epochs in all, and nothing else")
        return extended(parent, fields["epochs"]), parent
    if options.resume is not None:
        _refuse_fields(options, "resume")
        return check_config(store.get(options.resume).config), None
    return new_config(options), None


def new_config(options: Namespace) -> RunConfig:
    """The config of a file, or of a recipe and the fields that were given."""
    if options.config is not None:
        _refuse_fields(options, "config")
        return config_of_file(Path(options.config))
    fields = _given(options, RunConfig)
    return make_config(fields.pop("model", None), options.recipe, **fields)


def _refuse_fields(options: Namespace, source: str) -> None:
    names = [*_given(options, RunConfig), *(["recipe"] if options.recipe else [])]
    if names:
        raise InputError(f"{source}: it brings its own config; leave out {', '.join(names)}")


def config_of_file(path: Path) -> RunConfig:
    """The config in a file; fields that it leaves out come from the network's first recipe.

    Raises InputError.
    """
    try:
        fields = read_json(path)
        if not isinstance(fields, dict):
            raise InputError("config: the file has to hold an object with fields, such as {}")
        return make_config(**fields)
    except OSError as error:
        raise InputError(f"config: {path} cannot be read ({error.strerror})") from error
    except InputError:
        raise
    except ValueError as error:
        comma = re.search(r"\d,\d", getattr(error, "doc", "")[max(0, _place(error) - 12) :][:24])
        reason = "write numbers with a decimal point, not a comma" if comma else error
        raise InputError(f"config: {path} is no JSON ({reason})") from error


def _place(error: ValueError) -> int:
    """Where in its text JSON went wrong."""
    return error.pos if isinstance(error, json.JSONDecodeError) else 0


def signals() -> Callable[[], str | None]:
    """Ctrl-C and termination become "stop" after the present step; a second one ends at once.

    A terminal that is closed is no reason to stop.
    """
    received: list[int] = []

    def handle(number: int, _frame: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    if hasattr(signal, "SIGHUP"):  # not on Windows
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    return lambda: "stop" if received else None


def _report(run: Run, cached: bool) -> Answer:
    text = _outcome(run, cached)
    return Answer({**run_row(run), "cached": cached}, text, status=0 if run.finished else 1)


def _outcome(run: Run, cached: bool) -> str:
    summary = run.summary
    if run.state == RunState.DIVERGED:
        return f"{run.id} diverged. {summary.note}"
    if run.state != RunState.DONE:
        return f"{run.id} is {run.state} {run.position}. Continue: train --resume {run.id}"
    was = "was trained before (cached)" if cached else "is done"
    return (
        f"{run.id} {was}: best epoch {summary.best_epoch} of {run.config.own_epochs}, "
        f"validation {percent(summary.validation_accuracy)}, test {percent(summary.test_accuracy)}"
    )


@command("speed", "How long training with these settings takes on this machine.", _config_options)
def speed(options: Namespace) -> Answer:
    from mnist_core.jobs.cost_job import measure_once

    config = new_config(options)
    known = measure_once(RunStore(), config)
    epoch, whole = (duration(s) for s in (known.epoch(config), known.run(config)))
    text = f"{config.model}, batch {config.batch_size}: {epoch} an epoch, {whole} the whole run"
    return Answer({**asdict(known), "epoch": known.epoch(config)}, text)
