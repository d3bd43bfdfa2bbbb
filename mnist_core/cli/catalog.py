"""What there is: the commands `models`, `datasets` and `runs`."""

from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from mnist_core.cli.command import Answer, command
from mnist_core.cli.rows import run_row
from mnist_core.cli.terminal import say, table
from mnist_core.data.datasets import load
from mnist_core.data.idx import missing_files, paths_of
from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.errors import InputError
from mnist_core.formatting import percent
from mnist_core.models import create_model, make_config, model_names, model_spec
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore


@command("models", "The networks, with what each costs and sees.")
def models(_: Namespace) -> Answer:
    rows = [_describe_model(name) for name in model_names()]
    columns = ("name", "parameters", "macs", "receptive_field", "input_size", "source")
    return Answer(rows, table(rows, columns))


def _describe_model(name: str) -> dict[str, Any]:
    """One network with the settings of its first recipe."""
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


def _dataset_options(parser: ArgumentParser) -> None:
    parser.add_argument(
        "--download", metavar="NAME", help="fetch one of " + ", ".join(dataset_names())
    )
    pictures = "make a data set of pictures: a folder, or a zip, with a folder for each class; or "
    pictures += "a zip of drawings from My digits"
    parser.add_argument("--add", metavar="FOLDER", help=pictures)
    parser.add_argument("--name", help="what the added data set is called")


@command("datasets", "The data sets, and whether their files are there.", _dataset_options)
def datasets(options: Namespace) -> Answer:
    if options.download:
        load(options.download)
    root = data_root()
    if (options.add is None) != (options.name is None):
        raise InputError("add and name: give both, the pictures and what the data set is called")
    if options.add is not None:
        from mnist_core.data.from_pictures import add_own

        add_own(options.name, Path(options.add), root)
    rows = [
        {
            "name": name,
            "about": dataset_spec(name).about,
            "missing": [path.name for path in missing_files(name, root)],
            "folder": str(paths_of(name, root)[0].parent),
        }
        for name in dataset_names()
    ]
    shown = [{**row, "missing": ", ".join(row["missing"]) or "nothing"} for row in rows]
    return Answer(rows, table(shown, ("name", "about", "folder", "missing")))


def _runs_options(parser: ArgumentParser) -> None:
    parser.add_argument("--archived", action="store_true", help="those that were archived, too")


@command("runs", "The runs in the store, the newest first.", _runs_options)
def runs(options: Namespace) -> Answer:
    found, damaged = RunStore().list()
    rows = [run_row(run) for run in found]
    rows = [row for row in rows if options.archived or not row["archived"]]
    for folder in damaged:
        say(folder.reason)
    parts = ("validation", "test")
    shown = [row | {part: percent(row[f"{part}_accuracy"]) for part in parts} for row in rows]
    columns = ("id", "recipe", "state", "engine", "epochs_done", "epochs", "best_epoch", *parts)
    columns = (*columns, *(("label",) if any(row["label"] for row in rows) else ()))
    return Answer(rows, table(shown, (*columns, "parameters", "receptive_field")))
