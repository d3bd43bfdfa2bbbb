"""The command `export`: a run as something that other programs open."""

from argparse import ArgumentParser, Namespace
from pathlib import Path

from mnist_core.cli.command import Answer, command
from mnist_core.errors import InputError
from mnist_core.export.formats import FORMATS, write
from mnist_core.runs.store import RunStore


def _options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "id", metavar="RUN", nargs="?", help="the run's id; TensorBoard takes all without one"
    )
    parser.add_argument("--format", required=True, metavar="FORMAT", help=", ".join(FORMATS))
    parser.add_argument("--out", required=True, type=Path, metavar="FOLDER", help="where to write")


@command("export", "Writes a run as a script, a program, a card and more.", _options)
def export(options: Namespace) -> Answer:
    if options.format not in FORMATS:
        raise InputError(
            f"--format: {options.format!r} was given; allowed is one of {', '.join(FORMATS)}"
        )
    if options.out.exists() and not options.out.is_dir():
        raise InputError(f"--out: {options.out} is not a folder")
    store = RunStore()
    if options.id is None and options.format != "tensorboard":
        raise InputError("RUN: the id of a run is needed; only tensorboard takes all runs")
    runs = store.list()[0] if options.id is None else [store.get(options.id)]
    chosen = FORMATS[options.format]
    paths = [path for run in runs for path in write(chosen.make(run), options.out)]
    value = {"format": options.format, "runs": len(runs), "files": [str(path) for path in paths]}
    return Answer(value, "\n".join(map(str, paths)))
