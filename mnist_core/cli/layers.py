"""What is inside a network: the commands `layers`, `fields` and `robustness`."""

import sys
from argparse import ArgumentParser, Namespace
from dataclasses import asdict
from typing import Any

from mnist_core.analysis.describe import title_of
from mnist_core.cli.command import Answer, command, several_runs
from mnist_core.cli.terminal import table
from mnist_core.config import CUSTOM
from mnist_core.errors import InputError
from mnist_core.formatting import percent
from mnist_core.inspection.architecture import (
    describe_config,
    describe_layers,
    describe_models,
    in_words,
    times,
)
from mnist_core.models import model_names, model_spec
from mnist_core.runs.run import Run
from mnist_core.runs.store import RUN_ID, RunStore


def _layer_options(parser: ArgumentParser) -> None:
    about = "a network or a run's id; all networks if none is given"
    parser.add_argument("names", metavar="NETWORK", nargs="*", help=about)
    parser.add_argument("--layers", metavar="TEXT", help="a network of your own")
    parser.add_argument("--input-size", default="28", help="of that network: 28 or 32")


@command(
    "layers", "A network layer by layer: what each costs, and its receptive field.", _layer_options
)
def layers(options: Namespace) -> Answer:
    found = _described(options)
    parts = []
    for name, stages in found.items():
        rows = [
            {
                "stage": stage["name"],
                "kind": in_words(stage),
                "shape": times(stage["shape"]),
                "parameters": stage["parameters"],
                "macs": stage["macs"],
                "field": times(stage["field"] or ()) or "not known",
                "jump": times(stage["jump"] or ()),
                "first center": "; ".join(f"{at:g}" for at in stage["first_center"] or ()),
            }
            for stage in stages
        ]
        parts += [options.layers or _title(name), table(rows)]
    return Answer(found, "\n".join(parts))


def _described(options: Namespace) -> dict[str, list[dict[str, Any]]]:
    if not options.layers:
        return {name: _stages(name) for name in options.names} or describe_models()
    if options.names:
        raise InputError(f"layers: they are a network; leave out {', '.join(options.names)}")
    return {CUSTOM: describe_layers(options.layers, options.input_size)}


def _stages(name: str) -> list[dict[str, Any]]:
    """Of a network, or of a run's. Raises InputError, or LabError for a damaged run."""
    if _is_run(name):
        return describe_config(RunStore().get(name).config)
    return describe_models([name])[model_spec(name).name]


def _title(name: str) -> str:
    if _is_run(name):
        return title_of(RunStore().get(name))
    return model_spec(name).title


def _is_run(name: str) -> bool:
    return name.lower() not in model_names() and RUN_ID.fullmatch(name) is not None


def _field_options(parser: ArgumentParser) -> None:
    several_runs(parser)
    for axis in ("row", "column"):
        parser.add_argument(
            f"--{axis}", default="0.5", help=f"the unit's {axis} in its map, 0 to 1"
        )


@command(
    "fields", "The receptive fields of a run's network, as measured by gradients.", _field_options
)
def fields(options: Namespace) -> Answer:
    from mnist_core.inspection.effective_field import run_fields

    try:
        row, column = float(options.row), float(options.column)
    except ValueError:
        given = f"{options.row}, {options.column}"
        raise InputError(f"row, column: {given} was given; allowed is 0 to 1") from None
    store = RunStore()
    found = [run_fields(store.get(run_id), row, column) for run_id in options.ids]
    parts = []
    for run in found:
        rows = [
            {"stage": name, "unit": str(tuple(stage["unit"])), "box": str(tuple(stage["box"]))}
            for name, stage in run["stages"].items()
        ]
        parts += [f"{run['id']}, over {run['over']}", table(rows)]
    return Answer(found, "\n".join(parts))


@command(
    "robustness",
    "Accuracy on rotated, shifted and noisy test images; kept with each run.",
    several_runs,
)
def robustness(options: Namespace) -> Answer:
    import torch

    from mnist_core.evaluation.robustness import STEPS, stored
    from mnist_core.jobs.robustness_job import compute_all

    torch.set_num_threads(1)  # small networks gain nothing from more; training keeps the rest

    def tell(run: Run, done: int) -> None:
        if not sys.stderr.isatty():
            return
        end = "\n" if done == STEPS else ""
        print(f"\r{run.id}: {done}/{STEPS}", end=end, file=sys.stderr, flush=True)

    runs = compute_all(RunStore(), options.ids, tell)
    found = {run.id: result for run in runs if (result := stored(run))}
    parts = []
    for run_id, each in found.items():
        rows = [
            {"corruption": kind, "level": f"{level:g}", "right": percent(right / each.images)}
            for kind, curve in each.curves.items()
            for level, right in curve
        ]
        parts += [f"{run_id}, {each.images:,} test images", table(rows)]
    return Answer({run_id: asdict(each) for run_id, each in found.items()}, "\n".join(parts))
