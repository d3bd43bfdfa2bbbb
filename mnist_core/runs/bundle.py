"""Many runs in one file, without their weights: how a grid ships. Loads without torch.

The first line of JSON says what the others hold, and has the values that all runs share. Each
other line is one run, with the values in which it differs.
"""

import functools
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.files import is_number, signature, write_bytes
from mnist_core.runs.folder import HISTORY, STEP_LOSSES, STEP_LOSSES_KEY
from mnist_core.runs.run import Damaged, Run
from mnist_core.runs.states import FINISHED
from mnist_core.runs.summary import Summary

FORMAT = "mnist-lab bundle 1"
# Meaningless for a run that keeps no weights.
LEFT_OUT = ("process", "weights", "weights_sha256", "weights_bytes")

Rows = tuple[tuple[float, ...], ...]


@dataclass(frozen=True)
class BundledRun(Run):
    """A finished run of a bundle. `path` is where its folder would be; there is none."""

    history_rows: Rows = field(default=(), repr=False)
    step_rows: Rows = field(default=(), repr=False)

    @functools.cached_property
    def history(self) -> list[dict[str, float]]:
        return [dict(zip(HISTORY, row, strict=True)) for row in self.history_rows]

    @functools.cached_property
    def step_losses(self) -> list[dict[str, float]]:
        return [dict(zip(STEP_LOSSES, row, strict=True)) for row in self.step_rows]


def bundled(run: Run) -> BundledRun:
    """A finished run as a bundle keeps it: config, figures and history. Raises LabError."""
    if not run.finished:
        raise LabError(f"{run.id} is {run.state}; only a finished run can be bundled.")
    summary = run.summary.without(*LEFT_OUT)
    rows = tuple(tuple(row[name] for name in HISTORY) for row in run.history)
    steps = tuple(tuple(row[name] for name in STEP_LOSSES) for row in run.step_losses)
    return BundledRun(run.path, run.config, summary, rows, steps)


def write_bundle(path: Path, runs: Sequence[BundledRun]) -> None:
    """Replaces the file in one step. Raises LabError when it cannot be written."""
    configs = [run.config.to_dict() for run in runs]
    summaries = [run.summary.to_dict() for run in runs]
    head: dict[str, Any] = {"format": FORMAT, "history": HISTORY, STEP_LOSSES_KEY: STEP_LOSSES}
    head |= {"config": _shared(configs), "summary": _shared(summaries)}
    lines = [head]
    for run, config, summary in zip(runs, configs, summaries, strict=True):
        own = {"config": _own(config, head["config"]), "summary": _own(summary, head["summary"])}
        lines.append(own | {"history": run.history_rows, STEP_LOSSES_KEY: run.step_rows})
    texts = [json.dumps(line, separators=(",", ":"), allow_nan=False) + "\n" for line in lines]
    write_bytes(path, "".join(texts).encode())


def _shared(dictionaries: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The entries that are the same in all."""
    first = dictionaries[0] if dictionaries else {}
    return {k: v for k, v in first.items() if all(d[k] == v for d in dictionaries)}


def _own(values: Mapping[str, Any], shared: Mapping[str, Any]) -> dict[str, Any]:
    return {k: v for k, v in values.items() if k not in shared}


def read_bundle(path: Path) -> tuple[list[BundledRun], list[Damaged]]:
    """The runs of a bundle and its lines that are damaged; no runs when there is no file."""
    try:
        return _read(path, signature(path))
    except FileNotFoundError:
        return [], []
    except OSError as error:
        return [], [Damaged(path, f"{path.name} cannot be read ({error.strerror}).")]


@functools.lru_cache(maxsize=8)
def _read(path: Path, _signature: tuple[int, int, int]) -> tuple[list[BundledRun], list[Damaged]]:
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
        return [], [Damaged(path, f"{path.name} is damaged and was left out: {error}.")]
    runs, damaged = [], []
    for number, line in enumerate(lines, start=2):
        try:
            runs.append(_parse(path.parent, json.loads(line), *shared))
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            reason = f"{path.name}: line {number} is damaged and was left out: {error}."
            damaged.append(Damaged(path, reason))
    return runs, damaged


def _parse(folder: Path, own: Any, shared_config: Any, shared_summary: Any) -> BundledRun:
    """The run of one line. Raises ValueError, KeyError or TypeError for a damaged one."""
    config = RunConfig.from_dict(shared_config | own["config"])
    summary = Summary.from_dict(shared_summary | own["summary"])
    if summary.state not in FINISHED or summary.weights:
        raise ValueError("it is not a finished run without weights")
    rows = _rows(own["history"], len(HISTORY)), _rows(own[STEP_LOSSES_KEY], len(STEP_LOSSES))
    if len(rows[0]) != summary.epochs_done:
        raise ValueError("its history has a different number of epochs")
    return BundledRun(folder / config.id, config, summary, *rows)


def _rows(values: Iterable[Any], width: int) -> Rows:
    rows = tuple(tuple(row) for row in values)
    if not all(len(row) == width and all(map(is_number, row)) for row in rows):
        raise ValueError("its history holds more than numbers")
    return rows
