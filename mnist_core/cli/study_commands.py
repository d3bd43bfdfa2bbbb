"""What the commands about networks and trained runs do: layers, fields, robustness, bench."""

from __future__ import annotations

import json
import sys
from argparse import Namespace
from dataclasses import asdict

from mnist_core.benchmarks import measurements, networks, report
from mnist_core.cli.terminal import print_table
from mnist_core.errors import InputError, LabError
from mnist_core.formatting import percent
from mnist_core.inspection import architecture
from mnist_core.inspection.architecture import in_words, times
from mnist_core.models import model_spec
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore


def layers(options: Namespace) -> int:
    found = architecture.layers(options.names)
    if options.json:
        print(json.dumps(found))
        return 0
    for name, stages in found.items():
        print(model_spec(name).title)
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
        print_table(rows, list(rows[0]))
    return 0


def fields(options: Namespace) -> int:
    from mnist_core.inspection.effective_field import run_fields

    try:
        row, column = float(options.row), float(options.column)
    except ValueError:
        given = f"{options.row}, {options.column}"
        raise InputError(f"row, column: {given} was given; allowed is 0 to 1") from None
    store = RunStore()
    found = [run_fields(store.get(run_id), row, column) for run_id in options.ids]
    if options.json:
        print(json.dumps(found))
        return 0
    for run in found:
        print(f"{run['id']}, over {run['over']}")
        rows = [
            {"stage": name, "unit": str(tuple(stage["unit"])), "box": str(tuple(stage["box"]))}
            for name, stage in run["stages"].items()
        ]
        print_table(rows, ("stage", "unit", "box"))
    return 0


def robustness(options: Namespace) -> int:
    import torch

    from mnist_core.evaluation.robustness import STEPS, kept
    from mnist_core.jobs.robustness_job import compute_all

    torch.set_num_threads(1)  # it gives way to training, and small networks gain nothing by more

    def tell(run: Run, done: int) -> None:
        if not sys.stderr.isatty():
            return
        end = "\n" if done == STEPS else ""
        print(f"\r{run.id}: {done}/{STEPS}", end=end, file=sys.stderr, flush=True)

    runs = compute_all(RunStore(), options.ids, tell)
    found = {run.id: kept(run) for run in runs}
    if options.json:
        print(json.dumps({run_id: asdict(each) for run_id, each in found.items()}))
        return 0
    for run_id, each in found.items():
        print(f"{run_id}, {each.images:,} test images")
        rows = [
            {"corruption": kind, "level": f"{level:g}", "right": percent(right / each.images)}
            for kind, curve in each.curves.items()
            for level, right in curve
        ]
        print_table(rows, ("corruption", "level", "right"))
    return 0


def bench(options: Namespace) -> int:
    work = {"training": _bench_training, "table": _bench_table, "networks": _bench_networks}
    return work[options.what](options)


def _bench_training(options: Namespace) -> int:
    """Measures, keeping each result as it comes, and prints what is kept."""
    store = RunStore()
    known = list(measurements.MEASUREMENTS)
    for name in options.only or known:
        if name not in known:
            raise InputError(f"only: {name!r} was given; allowed is one of {', '.join(known)}")
    report.kept(store)  # a damaged file is told of now, not after minutes
    for name in options.only or known:
        title = measurements.MEASUREMENTS[name].title
        print(f"{name} · {title}", file=sys.stderr, flush=True)
        result = measurements.measured(name, lambda text: print(f"  {text}", file=sys.stderr))
        report.keep(store, name, result)
    return _bench_table(options)


def _bench_table(options: Namespace) -> int:
    results = report.kept(RunStore())
    if not results and not options.json:
        raise LabError("Nothing is measured yet; python -m mnist_core bench does it.")
    print(json.dumps(results) if options.json else report.markdown(results))
    return 0


def _bench_networks(options: Namespace) -> int:
    found = networks.measure()
    if options.json:
        print(json.dumps(found, indent=1))
    else:
        print(found["machine"])
        print_table(found["networks"], list(found["networks"][0]))
    return 0
