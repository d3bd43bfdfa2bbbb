"""Figures and fields as people say them."""

import math
import re
import unicodedata
from collections.abc import Iterable, Sequence

JOINER = "\N{WORD JOINER}"  # has no width
UNSEEN = ("Cc", "Cf", "Cs")  # control characters, such as those that turn the direction of text
# Where links ("www.", "http://", an address of e-mail), icons and emoji (":name:") and arrows
# ("->") are recognised in text that is not Markdown any more.
REPLACED_IN_TEXT = re.compile(r"www(?=\.)|:(?=\S)|(?=@)|[<>~=-](?=[<>~=-])", re.IGNORECASE)


def percent(fraction: float | None, digits: int = 2) -> str:
    """0.98765 -> "98.77 %"; a missing figure is a dash."""
    if fraction is None or math.isnan(fraction):
        return "–"
    return f"{100 * fraction:.{digits}f} %"


def percent_spread(mean: float | None, deviation: float | None) -> str:
    """0.98, 0.0028 -> "98.00 ± 0.28 %"; one value has no deviation, a missing one is a dash."""
    if mean is None or deviation is None:
        return percent(mean)
    return f"{100 * mean:.2f} ± {100 * deviation:.2f} %"


def duration(seconds: float) -> str:
    """5.2 -> "5 s", 100 -> "2 min", 7200 -> "2.0 h"."""
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"


def number(value: object) -> str:
    """A value as people write it: 0.1, not 0.1000; the shortest text that means the same."""
    short = f"{value:g}" if isinstance(value, float) else str(value)
    return short if not isinstance(value, float) or float(short) == value else repr(value)


def counted(count: int, noun: str) -> str:
    """A count and its noun: "1 run", "1,200 runs"."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def points(difference: float) -> str:
    """A difference of two accuracies in points of a per cent: 0.0012 -> "0.12 points"."""
    return f"{100 * abs(difference):.2f} points"


def signed_points(difference: float) -> str:
    """A difference of two accuracies with its sign, in points: 0.0012 -> "+0.12"."""
    return true_minus(f"{100 * difference:+.2f}")


def short_count(count: int) -> str:
    """A count in a few characters: 847, 61706 -> "62k", 9172350 -> "9.2M"."""
    if count < 1000:
        return str(count)
    size, unit = (count / 1e6, "M") if count >= 999_500 else (count / 1e3, "k")
    return f"{size:.1f}{unit}" if size < 9.95 else f"{size:.0f}{unit}"


def true_minus(text: str) -> str:
    """The text with minus signs in place of hyphens, as in "−2.41"."""
    return text.replace("-", "−")


def short_number(value: float) -> str:
    """A number in a few characters: "0.137", "−2.41", "0"."""
    if value == 0:
        return "0"
    return true_minus(f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}")


def signed_number(value: float) -> str:
    """A number to five decimals with its sign, so that sums can be checked by hand."""
    return true_minus(f"{value:+.5f}")


def number_range(low: float, high: float) -> str:
    """The lowest and the highest value: "−3.1 to 3.1"."""
    return true_minus(f"{low:.3g} to {high:.3g}")


def percent_range(low: float, high: float) -> str:
    """An interval of fractions in per cent: (0.9775, 0.9825) -> "97.75–98.25"."""
    return f"{100 * low:.2f}–{100 * high:.2f}"


SPELLED = {
    "lr": "learning rate",
    "min_lr": "lowest learning rate",
    "model": "network",
    "optimizer": "optimiser",
    "warmup": "warm-up",
    "ema": "weight averaging",
    "elastic": "elastic distortion",
    "flip": "share mirrored",
    "shear": "slant",
    "fit": "fit to the input size",
    "scaling": "pixel scaling",
}


def field_name(name: str) -> str:
    """A config field's name in words."""
    return SPELLED.get(name, name.replace("_", " "))


def recipe_label(name: str) -> str:
    """What people are shown of a recipe's name, such as "As published"."""
    labels = {"grid": "Quick run", "reference": "As published", "improved": "Our best recipe"}
    labels["searched"] = "Found by a search"
    return labels.get(name, name[:1].upper() + name[1:])


def setting(name: str, value: object) -> str:
    """A field of a config and its value in words: "learning rate 0.1"."""
    return f"{field_name(name)} {number(value)}"


def plain(text: object) -> str:
    """Text for a place that reads Markdown, such as words from outside: it is shown as it is.

    What Markdown reads is escaped. What the page turns into a link or a picture after that, when
    escapes are gone, is broken up by a character that is not shown. Several spaces or line breaks
    become one space.
    """
    shown = re.sub(r"\s+", " ", str(text))
    shown = "".join(letter for letter in shown if unicodedata.category(letter) not in UNSEEN)
    shown = REPLACED_IN_TEXT.sub(f"\\g<0>{JOINER}", shown)
    if re.match(r"[-+=0-9 ]", shown):  # the first of a list, for instance
        shown = JOINER + shown
    return re.sub(r"([\\`*_\[\]<>#~$&])", r"\\\1", shown)


def sentence(error: Exception) -> str:
    """What a person is told of an error; of the system's, which file and what is wrong with it."""
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The lines of a Markdown table."""
    lines = [f"| {' | '.join(cells)} |" for cells in (heads, *rows)]
    return [lines[0], "|---" * len(heads) + "|", *lines[1:]]
