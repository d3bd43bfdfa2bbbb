"""The results of `bench`: kept in the run store as bench.json, printed as tables.

Loads without torch.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from mnist_core.benchmarks import goals
from mnist_core.benchmarks.measurements import MEASUREMENTS
from mnist_core.errors import LabError
from mnist_core.files import read_json, write_json
from mnist_core.formatting import markdown_table, percent
from mnist_core.models import model_spec
from mnist_core.runs.store import RunStore

FORMAT = "mnist-lab bench 1"
# Rows of the report's tables; `_figures` fills them in.
COMPARISONS = {
    "time-to-99": (
        "time to 99 % of MNIST, CPU seconds | {stock[cpu]:,.0f} ({reached[stock]}) | "
        "{ours[cpu]:.1f} ({reached[ours]}) | {times:.0f} times less | {sides} | {load}",
        "… seconds on the clock | {stock[wall]:,.0f} | {ours[wall]:.1f} | "
        "{less[wall]:.0f} times less | {sides} | ",
    ),
    "lenet5": (
        "LeNet-5, batch 256, 32×32: images a second | {stock[images_per_second]:,.0f} | "
        "{ours[images_per_second]:,.0f} | {times:.1f} times as many | {sides} | {load}",
        "… CPU seconds an epoch of 50,000 | {stock[cpu]:.1f} | {ours[cpu]:.1f} | "
        "{less[cpu]:.1f} times less | {sides} | ",
    ),
    "under-load": (
        "LeNet-5 beside {busy} busy processes: times slower | {fair:.2f} is a fair share | "
        "{slower:.2f} | {of_fair:.2f} of it | {threads} | {load}",
    ),
    "two-at-once": (
        "two runs of {title}, {images:,} images each: seconds | "
        "{in_turn:.1f} one after the other | {at_once:.1f} at once | "
        "{times:.2f} times faster at once | 2; 1 each | {load}",
    ),
}
LOOPS = {
    "overhead": (
        "{title} | {threads} | {plain:,.0f} | {bare:,.0f} | {engine:,.0f} | {share:.3f}{natively}",
    ),
}

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
    """The results as Markdown: goals, comparisons, the loops, and where it was measured."""
    head = ["measured", "elsewhere", "in the lab", "", "threads", "load before"]
    lines = markdown_table(head, _rows(results, COMPARISONS))
    if reached := goals.table(results):
        lines = [*reached, "", *lines]
    if loops := _rows(results, LOOPS):
        head = ["µs an image", "threads", "torch's layers, bare loop", "the lab's order of them"]
        head += ["the lab's whole loop", "part of the bare loop's speed"]
        head += ["the native engine", "times as fast", "part of the cores' peak"]
        head = head[: len(loops[0])]
        lines += ["", *markdown_table(head, loops)]
    machines = sorted({result["machine"] for result in results.values()})
    dates = sorted({result["date"] for result in results.values()})
    where = f"Measured on {' and on '.join(machines)}; {' and '.join(dates)}."
    return "\n".join([*lines, "", where])


def _rows(results: Kept, templates: Mapping[str, Sequence[str]]) -> list[list[str]]:
    return [
        template.format(**figures).split(" | ")
        for name, rows in templates.items()
        if name in results
        for figures in _figures(results[name])
        for template in rows
    ]


def _figures(result: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The figures of a result, with those of each of its rows if it has any; and what follows."""
    rows = result.get("rows", [{}])
    any_native = any("native" in row for row in rows)
    for row in rows:
        figures = {**result, **row}
        figures["load"] = "–" if result["load"] is None else f"{result['load']:.1f}"
        if "model" in row:
            figures["title"] = model_spec(row["model"]).title
            figures["natively"] = _natively(row) if any_native else ""
        if "fair" in row:
            figures["of_fair"] = row["slower"] / row["fair"]
        if "stock" in result:
            ours, stock = result["ours"], result["stock"]
            figures["sides"] = f"{stock['threads']}; {ours['threads']}"
            figures["less"] = {name: stock[name] / ours[name] for name in ("wall", "cpu")}
            figures["reached"] = {name: _accuracy(result[name]) for name in ("stock", "ours")}
        yield figures


def _natively(row: Mapping[str, Any]) -> str:
    """The native engine's cells; it cannot compute every network."""
    if "native" not in row:
        return " | – | – | –"
    return f" | {row['native']:,.0f} | {row['faster']:.1f} | {percent(row['peak'], 0)}"


def _accuracy(side: Mapping[str, Any]) -> str:
    """The accuracy after how many epochs; empty where none was measured."""
    if "accuracy" not in side:
        return ""
    deviation = f" ± {100 * side['deviation']:.2f}" if "deviation" in side else ""
    epochs = "1 epoch" if side["epochs"] == 1 else f"{side['epochs']} epochs"
    return f"{epochs}, {100 * side['accuracy']:.2f}{deviation} %, {side['seeds']} seeds"
