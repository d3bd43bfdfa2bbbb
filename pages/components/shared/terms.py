"""The terms of the glossary, and links to them from all pages. Reads one small file, once."""

from __future__ import annotations

import functools
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from mnist_core.errors import InputError

PATH = Path(__file__).parents[2] / "glossary.toml"
MARKED = re.compile(r"\[([^\]]+)\]\(term\)")


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
    """The term that some words mean, also in the plural. Raises InputError for none."""
    slug = words.lower().replace(" ", "-")
    known = {"steps": "step", "epochs": "epoch", "parameters": "parameter", "logits": "logit"}
    known |= {"calibrated": "calibration", "batches": "batch", "kernels": "kernel"}
    found = terms().get(known.get(slug, slug))
    if found is None:
        raise InputError(f"{PATH.name} has no term {words!r}")
    return found


def term(words: str) -> str:
    """Markdown: the words as a link to the glossary."""
    return f"[{words}](learn?learn_tab=Glossary&term={find(words).slug})"


def with_terms(text: str) -> str:
    """Markdown in which [words](term) becomes a link to the glossary."""
    return MARKED.sub(lambda match: term(match[1]), text)
