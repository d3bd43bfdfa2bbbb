"""Output of the command line: JSON for machines, tables and a progress line for people."""

import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.formatting import percent


def printable(text: str) -> str:
    """The text without what would move a terminal's cursor, or do more; lines stay lines."""
    return "".join(
        c if c.isprintable() or c == "\n" else c.encode("unicode_escape").decode() for c in text
    )


def one_line(text: str) -> str:
    """The same as a single line: a file's name may hold anything."""
    return printable(text).replace("\n", "\\n")


def say(text: str) -> None:
    """One line on stderr; where nobody can read it any more, nothing happens."""
    with suppress(OSError):
        print(one_line(text), file=sys.stderr, flush=True)


def print_json(value: Any, indent: int | None = None) -> None:
    """One JSON value on stdout. Raises LabError for NaN and infinity, which JSON lacks."""
    try:
        print(json.dumps(value, allow_nan=False, indent=indent))
    except ValueError as error:
        raise LabError(f"a figure is not finite, so there is no JSON for it ({error})") from error


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    return f"{value:,}" if isinstance(value, int) else str(value)


def table(rows: Sequence[Mapping[str, Any]], columns: Sequence[str] = ()) -> str:
    """Plain columns, by default all, with numbers to the right; "none" without rows."""
    if not rows:
        return "none"
    columns = columns or list(rows[0])
    cells = [[_cell(row[name]) for name in columns] for row in rows]
    heads = [name.replace("_", " ") for name in columns]
    widths = [max(map(len, column)) for column in zip(heads, *cells, strict=True)]
    right = [any(isinstance(row[name], int) for row in rows) for name in columns]
    lines = []
    for line in (heads, *cells):
        padded = (
            text.rjust(width) if numeric else text.ljust(width)
            for text, width, numeric in zip(line, widths, right, strict=True)
        )
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


class ProgressLine:
    """Progress on stderr: a line that is redrawn on a terminal, else one line an epoch."""

    def __init__(self, config: RunConfig) -> None:
        self.config = config
        self.live = sys.stderr.isatty()
        self.drawn = False

    def show(self, progress: Mapping[str, Any]) -> None:
        phase = progress["phase"]
        if phase == "epoch":
            self._print(
                f"epoch {progress['epoch']}/{progress['epochs']}"
                f" · training loss {progress['train_loss']:.4f}"
                f" · validation loss {progress['validation_loss']:.4f}"
                f" · validation {percent(progress['validation_accuracy'])}"
                f" · top-5 {percent(progress['validation_top5'])}"
                f" · {progress['seconds']:.1f} s · {progress['images_per_second']:,.0f} images/s"
            )
        elif phase == "note":
            self._print(f"note: {progress['note']}")
        elif self.live and phase == "training":
            done = progress["step"] / progress["steps"]
            bar = ("▓" * round(20 * done)).ljust(20, "░")
            loss = f" · loss {progress['losses'][-1][1]:.4f}" if progress["losses"] else ""
            unit = "part" if self.config.tuning else "epoch"  # of a fine-tuned run, see tuning_work
            self._draw(
                f"{unit} {progress['epoch']}/{progress['epochs']} {bar}{loss}"
                f" · {progress['images_per_second']:,.0f} images/s"
                f" · {progress['seconds_left']:.0f} s left"
            )
        elif self.live:
            self._draw(f"{self.config.id}: {phase}")

    def _draw(self, text: str) -> None:
        print(f"\r\x1b[2K{text}", end="", file=sys.stderr, flush=True)
        self.drawn = True

    def _print(self, text: str) -> None:
        self.end()
        print(text, file=sys.stderr, flush=True)

    def end(self) -> None:
        if self.drawn:
            print("\r\x1b[2K", end="", file=sys.stderr, flush=True)
            self.drawn = False
