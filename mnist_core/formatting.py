"""Figures and fields as people say them."""

import re
from collections.abc import Iterable, Sequence


def percent(fraction: float | None, digits: int = 2) -> str:
    """0.98765 -> "98.77 %"; a missing figure is a dash."""
    return "–" if fraction is None else f"{100 * fraction:.{digits}f} %"


def duration(seconds: float) -> str:
    """5.2 -> "5 s", 100 -> "2 min", 7200 -> "2.0 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def number(value: object) -> str:
    """A value as people write it: 0.1, not 0.1000; the shortest text that means the same."""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def field_name(name: str) -> str:
    """A config field's name in words."""
    spelled = {"lr": "learning rate", "min_lr": "lowest learning rate"}
    return spelled.get(name, name.replace("_", " "))


def setting(name: str, value: object) -> str:
    """A field of a config and its value in words: "learning rate 0.1"."""
    return f"{field_name(name)} {number(value)}"


def plain(text: object) -> str:
    """Text for a place that reads Markdown, where words from outside must make no link."""
    return re.sub(r"([\\`\[\]<>$]|:(?=//))", r"\\\1", str(text))


def sentence(error: Exception) -> str:
    """What a person is told of an error; of the system's, which file and what is wrong with it."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return [lines[0], "|---" * len(heads) + "|", *lines[1:]]
