"""The terms of the glossary, and links to them from all pages. Reads one small file, once."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mnist_core.errors import InputError

PATH = Path(__file__).parents[2] / "glossary.toml"
MARKED = re.compile(r"\[([^\]]+)\]\(term(?:: ([^)]+))?\)")


@dataclass(frozen=True)
class Term:
    """`picture` is one of components.learn.illustrations; `see` a link's words, page and query."""

    name: str
    words: str
    picture: str
    see: tuple[str, str]

    @property
    def slug(self) -> str:
        return self.name.lower().replace(" ", "-")


@functools.cache
def terms(path: Path = PATH) -> dict[str, Term]:
    """By their slugs, in the order of the file. Raises InputError for a mistake in it."""
    try:
        rows = tomllib.loads(path.read_text("utf-8"))["term"]
        found = [Term(r["name"], r["words"], r["picture"], tuple(r["see"])) for r in rows]
    except (tomllib.TOMLDecodeError, KeyError, TypeError) as error:
        raise InputError(f"{path.name}: {error}") from error
    return {term.slug: term for term in found}


def find(words: str) -> Term:
    """The term that some words are, also in the plural. Raises InputError for none."""
    slug = words.lower().replace(" ", "-")
    for each in (slug, slug.removesuffix("s"), slug.removesuffix("es")):
        if each in terms():
            return terms()[each]
    raise InputError(f"{PATH.name} has no term {words!r}")


def term(words: str, name: str = "") -> str:
    """Markdown: the words as a link to the glossary, to the term `name` where it is another."""
    return f"[{words}](learn?learn_tab=Glossary&term={find(name or words).slug})"


def see(words: str) -> str:
    """What follows a control's help: where its term is explained."""
    return f" See {term(words)}."


def with_terms(text: str) -> str:
    """Markdown in which [words](term), or [words](term: name), becomes a link to the glossary."""
    return MARKED.sub(lambda match: term(match[1], match[2] or ""), text)
