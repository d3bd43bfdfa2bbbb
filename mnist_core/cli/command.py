"""The registry of commands. A command is a function in a module that `main` imports."""

from argparse import ArgumentParser, Namespace
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Answer:
    """What a command prints, `value` as JSON for machines or `text` for people, and its status."""

    value: Any
    text: str
    status: int = 0
    indent: int | None = None  # of the JSON; it is one line where this is None


@dataclass(frozen=True)
class Command:
    about: str
    add_options: Callable[[ArgumentParser], None]
    run: Callable[[Namespace], Answer]


COMMANDS: dict[str, Command] = {}


def command(
    name: str, about: str, add_options: Callable[[ArgumentParser], None] = lambda _: None
) -> Callable[[Callable[[Namespace], Answer]], Callable[[Namespace], Answer]]:
    """Decorator: registers a function as the command `name`. Raises ValueError for a name in use.

    `add_options` adds the command's arguments to its parser; `--json` is there already.
    """
    if name in COMMANDS:
        raise ValueError(f"command {name!r} is registered already; choose another name")

    def register(run: Callable[[Namespace], Answer]) -> Callable[[Namespace], Answer]:
        COMMANDS[name] = Command(about, add_options, run)
        return run

    return register


def one_run(parser: ArgumentParser) -> None:
    parser.add_argument("id", metavar="RUN", help="the run's id")


def several_runs(parser: ArgumentParser) -> None:
    parser.add_argument("ids", metavar="RUN", nargs="+", help="a run's id")
