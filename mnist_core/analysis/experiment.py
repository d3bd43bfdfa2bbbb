"""An experiment of the Learn page: a Markdown file with a header. Loads without torch.

The header is TOML between two lines of `+++`; sections of the text begin with `## `.
"""

from __future__ import annotations

import inspect
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from mnist_core.errors import InputError

SECTIONS = ("Question", "Try it", "Why", "Go on from here")
LINK = re.compile(r"^- \[([^\]]+)\]\((train|compare|playground)(?:\?([^)]*))?\)$")
Function = TypeVar("Function", bound=Callable[..., Any])
NAMED = re.compile(r"\{([a-z][a-z0-9_]*)\}")


@dataclass(frozen=True)
class Link:
    """A way into another page: its name, and the query of its address."""

    words: str
    page: str
    query: str


@dataclass(frozen=True)
class Experiment:
    """What a file says. `live` and `check` name what the page shows and computes, with options.

    `choices` are what can be predicted; the check says which is right. `figures` maps the names
    that the text has in braces to runs, each by fields of its config and its recipe.
    """

    name: str
    title: str
    choices: tuple[str, ...]
    live: Mapping[str, Any]
    check: Mapping[str, Any]
    sections: Mapping[str, str]
    links: tuple[Link, ...]
    figures: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def function_of(
    kinds: Mapping[str, Function], header: Mapping[str, Any], where: str, others: int
) -> tuple[Function, dict[str, Any]]:
    """What is registered for the kind that a table of a header names, and the table's options.

    Before the options the function takes so many `others`. Raises InputError, which begins with
    `where`, for a kind that is not registered, and for options that it does not take or lacks.
    """
    options = dict(header)
    kind = options.pop("kind")
    if kind not in kinds:
        known = ", ".join(kinds)
        raise InputError(f"{where}: {kind!r} was given; allowed is one of {known}")
    try:
        inspect.signature(kinds[kind]).bind(*range(others), **options)
    except TypeError as error:
        raise InputError(f"{where} {kind!r}: {error}") from error
    return kinds[kind], options


def read_experiments(folder: Path) -> tuple[list[Experiment], list[str]]:
    """All of a folder, in the order of their names; and of each with a mistake, what it is."""
    found, mistakes = [], []
    for path in sorted(folder.glob("*.md")):
        try:
            found.append(read_experiment(path))
        except InputError as error:
            mistakes.append(str(error))
    return found, mistakes


def read_experiment(path: Path) -> Experiment:
    """Raises InputError that names the file and what is wrong with it."""
    head, text = _split(path)
    if not isinstance(head.get("title"), str):
        raise InputError(f"{path.name}: the header needs a title")
    choices = head.get("choices")
    if not isinstance(choices, list) or len(choices) < 2:
        raise InputError(f"{path.name}: the header needs a list of two choices or more")
    for part in ("live", "check"):
        if not isinstance(head.get(part), dict) or not isinstance(head[part].get("kind"), str):
            raise InputError(f"{path.name}: the header needs a table [{part}] with a kind")
    sections = _sections(path, text)
    figures = head.get("figures", {})
    unknown = set(NAMED.findall(text)) - set(figures)
    if unknown:
        names = ", ".join(sorted(unknown))
        raise InputError(f"{path.name}: the text names {names}, which [figures] does not have")
    return Experiment(
        name=path.stem,
        title=head["title"],
        choices=tuple(map(str, choices)),
        live=head["live"],
        check=head["check"],
        sections=sections,
        links=tuple(_link(path, line) for line in sections["Go on from here"].splitlines()),
        figures=figures,
    )


def _split(path: Path) -> tuple[dict[str, Any], str]:
    try:
        parts = path.read_text("utf-8").split("+++\n", 2)
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path.name} cannot be read ({error})") from error
    if len(parts) != 3 or parts[0].strip():
        raise InputError(f"{path.name}: it needs a header between two lines of +++")
    try:
        return tomllib.loads(parts[1]), parts[2]
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{path.name}: the header is not valid TOML ({error})") from error


def _sections(path: Path, text: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)
    found = {
        name.strip(): words.strip() for name, words in zip(parts[1::2], parts[2::2], strict=True)
    }
    if tuple(found) != SECTIONS or not all(found.values()):
        raise InputError(f"{path.name}: its sections must be {', '.join(SECTIONS)}")
    return found


def _link(path: Path, line: str) -> Link:
    match = LINK.match(line.strip())
    if match is None:
        raise InputError(
            f"{path.name}: {line[:60]!r} is no link; write - [words](train?lr=0.5), with one of "
            "train, compare, playground"
        )
    return Link(match[1], match[2], match[3] or "")
