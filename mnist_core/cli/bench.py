"""The command `bench`: measures what the README claims about speed."""

import sys
from argparse import ArgumentParser, Namespace

from mnist_core.benchmarks import measurements, networks, report
from mnist_core.cli.command import Answer, command
from mnist_core.cli.terminal import table
from mnist_core.errors import InputError, LabError
from mnist_core.runs.store import RunStore


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "what",
        nargs="?",
        default="training",
        choices=("training", "table", "networks"),
        help="training (the default): how fast, compared with other programs; "
        "table: what was measured; networks: what each network costs",
    )
    parser.add_argument(
        "--only", metavar="NAME", nargs="+", help="training: these measurements only"
    )


@command("bench", "Measures how fast the lab is on this machine.", _options)
def bench(options: Namespace) -> Answer:
    return {"training": _training, "table": _table, "networks": _networks}[options.what](options)


def _training(options: Namespace) -> Answer:
    """Measures, saving each result as it comes, and prints all saved results."""
    store = RunStore()
    known = list(measurements.MEASUREMENTS)
    for name in options.only or known:
        if name not in known:
            raise InputError(f"only: {name!r} was given; allowed is one of {', '.join(known)}")
    report.kept(store)  # reports a damaged file now instead of after minutes of measuring
    for name in options.only or known:
        title = measurements.MEASUREMENTS[name].title
        print(f"{name} · {title}", file=sys.stderr, flush=True)
        result = measurements.measured(name, lambda text: print(f"  {text}", file=sys.stderr))
        report.keep(store, name, result)
    return _table(options)


def _table(options: Namespace) -> Answer:
    results = report.kept(RunStore())
    if not results and not options.json:
        raise LabError("Nothing is measured yet; python -m mnist_core bench does it.")
    return Answer(results, report.markdown(results) if results else "")


def _networks(_: Namespace) -> Answer:
    found = networks.measure()
    return Answer(found, f"{found['machine']}\n{table(found['networks'])}", indent=1)
