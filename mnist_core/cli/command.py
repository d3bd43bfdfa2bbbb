"""The registry of commands. A command is a function in a module that `main` imports."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass

AddOptions = Callable[[argparse.ArgumentParser], None]
Run = Callable[[argparse.Namespace], int]


@dataclass(frozen=True)
class Command:
    """`run` takes the parsed options and returns the exit status."""

    name: str
    about: str
    add_options: AddOptions
    run: Run


_registry: dict[str, Command] = {}


def _no_options(parser: argparse.ArgumentParser) -> None:
    pass


def command(name: str, about: str, add_options: AddOptions = _no_options) -> Callable[[Run], Run]:
    """Decorator: registers a function as the command `name`. Raises ValueError for a name in use.

    `add_options` adds the command's arguments to its parser; `--json` is there already.
    """
    if name in _registry:
        raise ValueError(f"command {name!r} is registered already; choose another name")

    def register(run: Run) -> Run:
        _registry[name] = Command(name, about, add_options, run)
        return run

    return register


def commands() -> tuple[Command, ...]:
    """All registered commands, in order of registration."""
    return tuple(_registry.values())


def one_run(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("id", metavar="RUN", help="the run's id")


def several_runs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("ids", metavar="RUN", nargs="+", help="a run's id")
