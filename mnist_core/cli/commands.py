"""What each command of the command line does: work out, then print for people or machines."""

from __future__ import annotations

import json
import os
import signal
import sys
from argparse import Namespace
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import psutil

from mnist_core import paths
from mnist_core.cli.terminal import ProgressLine, print_table
from mnist_core.config import Execution, RunConfig
from mnist_core.data import datasets as data
from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.errors import InputError, LabError
from mnist_core.files import read_json
from mnist_core.formatting import duration, percent
from mnist_core.models import check_config, create_model, make_config, model_names, model_spec
from mnist_core.runs.extend import branch_off, extended
from mnist_core.runs.settings import check_at_once
from mnist_core.runs.store import Run, RunStore
from mnist_core.runs.summary import LIVE


def _print_json(value: Any) -> None:
    try:
        print(json.dumps(value, allow_nan=False))
    except ValueError as error:
        raise LabError(f"a figure is not finite, so there is no JSON for it ({error})") from error


def describe_model(name: str) -> dict[str, Any]:
    """One network with the settings of its first recipe: what it costs and what it sees."""
    from mnist_core.inspection.profiling import figures

    spec, config = model_spec(name), make_config(name)
    return {
        "name": name,
        "title": spec.title,
        **figures(create_model(name), config.input_size),
        "input_size": config.input_size,
        "source": spec.source,
        "recipes": [recipe.name for recipe in spec.recipes],
    }


def models(options: Namespace) -> int:
    rows = [describe_model(name) for name in model_names()]
    if options.json:
        _print_json(rows)
    else:
        columns = ("name", "parameters", "macs", "receptive_field", "input_size", "source")
        print_table(rows, columns)
    return 0


def datasets(options: Namespace) -> int:
    if options.download:
        data.load(options.download)
    root = paths.data_root()
    rows = [
        {
            "name": name,
            "about": dataset_spec(name).about,
            "missing": [path.name for path in data.missing_files(name, root)],
            "folder": str(root / name / "raw"),
        }
        for name in dataset_names()
    ]
    if options.json:
        _print_json(rows)
    else:
        shown = [{**row, "missing": ", ".join(row["missing"]) or "nothing"} for row in rows]
        print_table(shown, ("name", "about", "folder", "missing"))
    return 0


def runs(options: Namespace) -> int:
    found, damaged = RunStore().list()
    rows = [run.row() for run in found]
    for folder in damaged:
        print(folder.reason, file=sys.stderr)
    if options.json:
        _print_json(rows)
        return 0
    for row in rows:
        row["validation"] = percent(row["validation_accuracy"])
        row["test"] = percent(row["test_accuracy"])
    columns = ("id", "recipe", "state", "epochs_done", "epochs", "best_epoch", "validation")
    print_table(rows, (*columns, "test", "parameters", "receptive_field"))
    return 0


def train(options: Namespace) -> int:
    from mnist_core.jobs.worker import carry_out

    store = RunStore()
    execution = Execution.from_dict(_given(options, Execution))
    at_once = _at_once(options, store)
    config, parent = _wanted(options, store)
    existing = store.find_folder(config)
    if existing and existing.finished:
        return _report(options, existing, cached=True)
    if parent:
        branch_off(store, parent, config)
    if existing and existing.state in LIVE and existing.summary.process.pid != os.getpid():
        print(f"{config.id} is being trained by another process; waiting for it", file=sys.stderr)
    elif not at_once:  # a run from the launcher keeps what was asked of it while it started
        _forget_request(store, config)
    line = ProgressLine(config)
    run = carry_out(
        store, config, execution, on_progress=line.show, asked=_signals(), at_once=at_once
    )
    line.end()
    if run.summary.data_note:
        print(f"note: {run.config.dataset}: {run.summary.data_note}", file=sys.stderr)
    return _report(options, run, cached=False)


def _at_once(options: Namespace, store: RunStore) -> Callable[[], int] | None:
    """How many may train at once, for a run that waits its turn; None for one that does not."""
    if options.at_once is None:
        return store.at_once if options.queue else None
    number = check_at_once(options.at_once)
    return lambda: number


def _given(options: Namespace, owner: type) -> dict[str, str]:
    """The options that were given, of those that are `owner`'s fields."""
    values = {name: getattr(options, name) for name in owner.names()}
    return {name: value for name, value in values.items() if value is not None}


def _wanted(options: Namespace, store: RunStore) -> tuple[RunConfig, Run | None]:
    """The config to train, and the run to go on from when it is an extension."""
    fields = _given(options, RunConfig)
    sources = [n for n in ("resume", "extend", "config") if getattr(options, n) is not None]
    if len(sources) > 1:
        raise InputError(f"{' and '.join(sources)}: give one of them")
    if options.extend is not None:
        parent = store.get(options.extend)
        if set(fields) != {"epochs"} or options.recipe:
            raise InputError("extend: give --epochs, the number of epochs in all, and nothing else")
        return extended(parent, fields["epochs"]), parent
    if sources and (fields or options.recipe):
        names = ", ".join([*fields, *(["recipe"] if options.recipe else [])])
        raise InputError(f"{sources[0]}: it brings its own config; leave out {names}")
    if options.resume is not None:
        return check_config(store.get(options.resume).config), None
    if options.config is not None:
        return check_config(_read_config(Path(options.config))), None
    return make_config(fields.pop("model", "lenet5"), options.recipe, **fields), None


def _read_config(path: Path) -> RunConfig:
    try:
        return RunConfig.from_dict(read_json(path))
    except OSError as error:
        raise InputError(f"config: {path} cannot be read ({error.strerror})") from error
    except InputError:
        raise
    except (ValueError, RecursionError) as error:
        raise InputError(f"config: {path} is no JSON ({error})") from error


def _forget_request(store: RunStore, config: RunConfig) -> None:
    if store.find_folder(config):
        store.request(config.id, None)


def _signals() -> Any:
    """Ctrl-C and termination become "stop" after the present step; a second one ends at once."""
    received: list[int] = []

    def handle(number: int, frame: Any) -> None:
        if received:
            raise KeyboardInterrupt
        received.append(number)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, handle)
    return lambda: "stop" if received else None


def _report(options: Namespace, run: Run, cached: bool) -> int:
    if options.json:
        _print_json({**run.row(), "cached": cached})
    else:
        print(_outcome(run, cached))
    return 0 if run.finished else 1


def _outcome(run: Run, cached: bool) -> str:
    summary = run.summary
    if run.state == "diverged":
        return f"{run.id} diverged. {summary.note}"
    if run.state != "done":
        done = f"{summary.epochs_done} of {run.config.epochs} epochs are kept"
        return f"{run.id} is {run.state}; {done}. Go on: train --resume {run.id}"
    was = "was trained before (cached)" if cached else "is done"
    return (
        f"{run.id} {was}: best epoch {summary.best_epoch} of {run.config.epochs}, "
        f"validation {percent(summary.validation_accuracy)}, test {percent(summary.test_accuracy)}"
    )


def speed(options: Namespace) -> int:
    from mnist_core.jobs.cost_job import measure_once

    began = psutil.Process().create_time()
    config, _ = _wanted(options, RunStore())
    known = measure_once(RunStore(), config, began)
    if options.json:
        _print_json({**asdict(known), "epoch": known.epoch(config.batch_size)})
    else:
        epoch, whole = (duration(s) for s in (known.epoch(config.batch_size), known.run(config)))
        print(f"{config.model}, batch {config.batch_size}: {epoch} an epoch, {whole} the whole run")
    return 0


def evaluate(options: Namespace) -> int:
    from mnist_core.evaluation.predict import evaluate as evaluate_run

    store = RunStore()
    figures = evaluate_run(store, store.get(options.id))
    if options.json:
        _print_json(figures)
        return 0
    classes = dataset_spec(figures["dataset"]).classes
    print(f"{figures['id']}: test {percent(figures['test_accuracy'])} ({figures['from']})")
    rows = [
        {"true class": classes[i], **dict(zip(classes, row, strict=True))}
        for i, row in enumerate(figures["confusion"])
    ]
    print_table(rows, ("true class", *classes))
    return 0


def predict(options: Namespace) -> int:
    from mnist_core.evaluation.predict import load_model

    run = RunStore().get(options.id)
    drawings = [_read_image(Path(name), run.config.dataset) for name in options.images]
    model = load_model(run)
    answers = [
        {"image": name, **_answer(run, model, drawing)}
        for name, drawing in zip(options.images, drawings, strict=True)
    ]
    if options.json:
        _print_json(answers[0] if len(answers) == 1 else answers)
        return 0
    for answer in answers:
        print(f"{answer['image']}: {answer['class']} ({percent(answer['confidence'])})")
    return 0


def _read_image(path: Path, dataset: str) -> Any:
    from mnist_core.imaging.photo import from_image

    try:
        stages = from_image(path.read_bytes(), fill=dataset_spec(dataset).filled)
    except OSError as error:
        raise InputError(f"image: {path} cannot be read ({error.strerror})") from error
    except InputError as error:
        raise InputError(f"image: {path}: {error}") from error
    if stages is None:
        raise LabError(f"image: {path} shows nothing that looks like ink")
    return stages.final


def _answer(run: Run, model: Any, drawing: Any) -> dict[str, Any]:
    import torch

    from mnist_core.evaluation.predict import probabilities_of

    probabilities = probabilities_of(model, torch.from_numpy(drawing.copy())[None], run.config)[0]
    label = int(probabilities.argmax())
    return {
        "label": label,
        "class": dataset_spec(run.config.dataset).classes[label],
        "confidence": float(probabilities[label]),
        "probabilities": [float(p) for p in probabilities],
    }
