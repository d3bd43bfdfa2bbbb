"""Reads the grid in its older form, a line of JSON for each run. Loads without torch."""

import functools
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.files import is_number, signature
from mnist_core.runs.bundle import NOTHING, Bundle, BundledRun
from mnist_core.runs.column_reader import Columns
from mnist_core.runs.folder import HISTORY, STEP_LOSSES, STEP_LOSSES_KEY
from mnist_core.runs.run import Damaged
from mnist_core.runs.states import FINISHED
from mnist_core.runs.summary import Summary

FORMAT = "mnist-lab bundle 1"
Rows = tuple[tuple[float, ...], ...]


class _Lines(Columns):
    """One run's rows; it keeps neither mistakes nor kernels."""

    def __init__(self, history: Rows, steps: Rows) -> None:
        self._rows = history, steps

    def history(self, row: int) -> list[dict[str, float]]:  # noqa: ARG002
        return [dict(zip(HISTORY, values, strict=True)) for values in self._rows[0]]

    def step_losses(self, row: int) -> list[dict[str, float]]:  # noqa: ARG002
        return [dict(zip(STEP_LOSSES, values, strict=True)) for values in self._rows[1]]

    def mistakes(self, row: int) -> None:  # noqa: ARG002
        return None

    def kernels(self, row: int) -> None:  # noqa: ARG002
        return None


def read_old_bundle(path: Path) -> Bundle:
    """The runs of a bundle; none when there is no file."""
    try:
        return _read(path, signature(path))
    except FileNotFoundError:
        return NOTHING
    except OSError as error:
        return Bundle({}, [Damaged(path, f"{path.name} cannot be read ({error.strerror}).")])


@functools.lru_cache(maxsize=8)
def _read(path: Path, _signature: tuple[int, int, int]) -> Bundle:
    """The file's signature is a key of the cache: each content is parsed once."""
    first, *lines = path.read_bytes().splitlines() or [b""]
    try:
        head = json.loads(first)
        if not isinstance(head, dict) or head.get("format") != FORMAT:
            raise ValueError("its first line is not that of a bundle")
        columns = [tuple(head[name]) for name in ("history", STEP_LOSSES_KEY)]
        if columns != [HISTORY, STEP_LOSSES]:
            raise ValueError("it has other columns")
        shared = dict(head["config"]), dict(head["summary"])
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        return Bundle({}, [Damaged(path, f"{path.name} is damaged and was left out: {error}.")])
    runs, damaged = {}, []
    for number, line in enumerate(lines, start=2):
        try:
            run = _parse(path.parent, json.loads(line), *shared)
            runs[run.id] = run
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"{path.name}: line {number} is damaged and was left out: {error}."
            damaged.append(Damaged(path, reason))
    return Bundle(runs, damaged)


def _parse(folder: Path, own: Any, shared_config: Any, shared_summary: Any) -> BundledRun:
    """The run of one line. Raises ValueError, KeyError or TypeError for a damaged one."""
    config = RunConfig.from_dict(shared_config | own["config"])
    summary = Summary.from_dict(shared_summary | own["summary"])
    if summary.state not in FINISHED or summary.weights:
        raise ValueError("it is not a finished run without weights")
    rows = _rows(own["history"], len(HISTORY)), _rows(own[STEP_LOSSES_KEY], len(STEP_LOSSES))
    if len(rows[0]) != summary.epochs_done:
        raise ValueError("its history has a different number of epochs")
    return BundledRun(folder / config.id, config, summary, _Lines(*rows), 0)


def _rows(values: Iterable[Any], width: int) -> Rows:
    rows = tuple(tuple(row) for row in values)
    if not all(len(row) == width and all(map(is_number, row)) for row in rows):
        raise ValueError("its history holds more than numbers")
    return rows
