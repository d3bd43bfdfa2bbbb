"""The results of `bench`: kept in the run store as bench.json, printed as tables.

Loads without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from mnist_core.benchmarks.measurements import MEASUREMENTS
from mnist_core.errors import LabError
from mnist_core.files import read_json, write_json
from mnist_core.formatting import markdown_table
from mnist_core.models import model_spec
from mnist_core.runs.store import RunStore

FORMAT = "mnist-lab bench 1"
# The README's tables stand between these two lines.
BEGIN = "<!-- speed: made by `python -m mnist_core bench table` -->"
END = "<!-- end of speed -->"

Kept = dict[str, dict[str, Any]]


def path(store: RunStore) -> Path:
    return store.root / "bench.json"


def keep(store: RunStore, name: str, result: Mapping[str, Any]) -> None:
    """Replaces the measurement's last result. Raises LabError."""
    write_json(path(store), {"format": FORMAT, "results": kept(store) | {name: dict(result)}})


def kept(store: RunStore) -> Kept:
    """The last result of each measurement made so far. Raises LabError for a damaged file."""
    try:
        found = read_json(path(store))
        if found["format"] != FORMAT or not set(found["results"]) <= set(MEASUREMENTS):
            raise ValueError("it is of another version")
        return dict(found["results"])
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise LabError(
            f"{path(store)} is damaged ({error}); delete it and measure again."
        ) from error


def markdown(results: Kept) -> str:
    """The results as Markdown: a table of goals, one of the loops, and where it was measured."""
    head = ("measured", "elsewhere", "in the lab", "", "threads", "load before")
    rows = [row for name in ROWS if name in results for row in ROWS[name](results[name])]
    parts = [*markdown_table(head, rows)]
    if "overhead" in results:
        parts += ["", *_loops(results["overhead"])]
    return "\n".join([*parts, "", _where(results)])


def _sides(result: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any], str]:
    """The lab's figures, the stock pipeline's, and the threads of both as a cell."""
    ours, stock = result["ours"], result["stock"]
    return ours, stock, f"{stock['threads']}; {ours['threads']}"


def _time_to_99(result: Mapping[str, Any]) -> Iterator[list[str]]:
    ours, stock, threads = _sides(result)
    yield [
        "time to 99 % of MNIST, CPU seconds",
        f"{stock['cpu']:,.0f} ({_accuracy(stock)})",
        f"{ours['cpu']:.1f} ({_accuracy(ours)})",
        f"{result['times']:.0f} times less",
        threads,
        _load(result),
    ]
    seconds = [f"{stock['wall']:,.0f}", f"{ours['wall']:.1f}"]
    less = f"{stock['wall'] / ours['wall']:.0f} times less"
    yield ["… seconds on the clock", *seconds, less, threads, ""]


def _accuracy(side: Mapping[str, Any]) -> str:
    deviation = f" ± {100 * side['deviation']:.2f}" if "deviation" in side else ""
    epochs = "1 epoch" if side["epochs"] == 1 else f"{side['epochs']} epochs"
    return f"{epochs}, {100 * side['accuracy']:.2f}{deviation} %, {side['seeds']} seeds"


def _lenet5(result: Mapping[str, Any]) -> Iterator[list[str]]:
    ours, stock, threads = _sides(result)
    yield [
        "LeNet-5, batch 256, 32×32: images a second",
        f"{stock['images_per_second']:,.0f}",
        f"{ours['images_per_second']:,.0f}",
        f"{result['times']:.1f} times as many",
        threads,
        _load(result),
    ]
    seconds = [f"{side['cpu']:.1f}" for side in (stock, ours)]
    less = f"{stock['cpu'] / ours['cpu']:.1f} times less"
    yield ["… CPU seconds an epoch of 50,000", *seconds, less, threads, ""]


def _under_load(result: Mapping[str, Any]) -> Iterator[list[str]]:
    for row in result["rows"]:
        yield [
            f"LeNet-5 beside {row['busy']} busy processes: times slower",
            f"{row['fair']:.2f} is a fair share",
            f"{row['slower']:.2f}",
            f"{row['slower'] / row['fair']:.2f} of it",
            str(row["threads"]),
            _load(result),
        ]


def _two_at_once(result: Mapping[str, Any]) -> Iterator[list[str]]:
    for row in result["rows"]:
        yield [
            f"two runs of {model_spec(row['model']).title}, {row['images']:,} images each: seconds",
            f"{row['in_turn']:.1f} one after the other",
            f"{row['at_once']:.1f} at once",
            f"{row['times']:.2f} times faster at once",
            "2; 1 each",
            _load(result),
        ]


ROWS: dict[str, Callable[[Mapping[str, Any]], Iterator[list[str]]]] = {
    "time-to-99": _time_to_99,
    "lenet5": _lenet5,
    "under-load": _under_load,
    "two-at-once": _two_at_once,
}


def _loops(result: Mapping[str, Any]) -> list[str]:
    head = ["µs an image", "threads", "torch's layers, bare loop", "the lab's order of them"]
    head += ["the lab's whole loop", "part of the bare loop's speed"]
    rows = [
        [
            model_spec(row["model"]).title,
            str(row["threads"]),
            *(f"{row[loop]:,.0f}" for loop in ("plain", "bare", "engine")),
            f"{row['share']:.3f}",
        ]
        for row in result["rows"]
    ]
    return markdown_table(head, rows)


def _load(result: Mapping[str, Any]) -> str:
    return "–" if result["load"] is None else f"{result['load']:.1f}"


def _where(results: Kept) -> str:
    machines = sorted({result["machine"] for result in results.values()})
    dates = sorted({result["date"] for result in results.values()})
    return f"Measured on {' and on '.join(machines)}; {' and '.join(dates)}."
