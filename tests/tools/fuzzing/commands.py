"""Command lines that nobody would type, of commands that neither train nor measure."""

import contextlib
import functools
import io
import os
import random
import shutil
from pathlib import Path
from unittest import mock

from mnist_core.cli.command import COMMANDS
from mnist_core.cli.main import main, make_parser
from mnist_core.dataset_specs import DATASETS
from mnist_core.jobs import spawn
from tests.tools.fuzzing.folders import spoil
from tests.tools.fuzzing.pages import template
from tests.tools.fuzzing.part import ODD, part
from tests.tools.fuzzing.texts import RANGES, WORDS
from tests.unit.layers.random_layers import random_text

CALLED = ("datasets", "runs", "layers", "export", "predict", "fields", "annotate", "archive")
CALLED += ("delete", "restore", "sweep", "sweep-status", "sweep-collect", "evaluate", "image-map")
FETCHING = ("--download", "--storage", "--artifacts")  # which ask another machine
TEXTS = tuple(str(value) for value in ODD if str(value) and len(str(value)) < 400)
TEXTS += ("MNIST", "lenet5", "own", "tensorboard", "card", "script", "notebook", "--", "-", "0.5")


@functools.cache
def options(name: str) -> tuple[str, ...]:
    """The options that a command has."""
    import argparse

    parser = make_parser()
    (choices,) = (a for a in parser._actions if isinstance(a, argparse._SubParsersAction))
    found = choices.choices[name]._option_string_actions
    return tuple(sorted({*found} - {*FETCHING, "-h", "--help", "--winner-seeds", "--at-once"}))


def value(chance: random.Random, folder: Path) -> str:
    """What stands behind an option, or without one: right for something, or odd."""
    runs = [path.name for path in (folder / "store").iterdir()]
    places = [str(folder / name) for name in ("store", "data", "nothing", "store/x.png")]
    kinds = (TEXTS, runs, places, RANGES, WORDS, (random_text(chance),))
    text: str = chance.choice(chance.choice(kinds))
    return text.encode("utf-8", "replace").decode().replace("\0", "0")


def line(chance: random.Random, folder: Path) -> list[str]:
    name = chance.choice(CALLED)
    given = [name]
    for _ in range(chance.randint(0, 4)):
        kind = chance.random()
        if kind < 0.5 and (known := options(name)):
            option = chance.choice(known)
            given += chance.choice(([option, value(chance, folder)], [option]))
        else:
            given.append(value(chance, folder))
    return [*given, *(["--at-once", "0"] if name == "sweep" else [])]


def prepare() -> None:
    """Imports what the commands need."""
    import mnist_core.sweeps.collect  # noqa: F401
    from tests.tools.fuzzing.configs import warm_up

    warm_up()
    template()
    assert set(CALLED) <= set(COMMANDS)


@part("commands", prepare=prepare, count=60)
def call(chance: random.Random, folder: Path) -> None:
    """One line or two: each ends with an answer, or with a line on stderr and status 2."""
    shutil.copytree(template() / "store", folder / "store")
    shutil.copytree(template() / "data", folder / "data")
    if chance.random() < 0.3:
        run = chance.choice([*(folder / "store").iterdir()])
        if files := [path for path in run.iterdir() if path.is_file()]:
            spoil(chance, chance.choice(files))
    variables = {
        "MNIST_CHECKPOINTS": str(folder / "store"),
        "MNIST_DATA": str(folder / "data"),
        "MNIST_STUDIES": "",
    }
    with (
        mock.patch.dict(os.environ, variables),
        mock.patch.dict(DATASETS),
        mock.patch.object(spawn, "start"),
        contextlib.chdir(folder),
    ):
        for _ in range(chance.randint(1, 2)):
            _call(line(chance, folder))


def _call(given: list[str]) -> None:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            status = main(given)
        except SystemExit as ended:
            status = ended.code or 0
    told = err.getvalue()
    assert status in (0, 1, 2), f"{given}: status {status}"
    assert "it failed with" not in told and "Traceback" not in told, f"{given}: {told}"
    assert status != 2 or told.strip().count("\n") == 0 or "damaged" in told, f"{given}: {told}"
