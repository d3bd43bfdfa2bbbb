"""Measures how long it takes to list, filter and show a store of many runs.

    python -m tests.tools.store_bench [--sizes 100 500 2000] [--json]

The store is made in a temporary folder; no network is trained. Loads without torch.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from mnist_core.analysis.aggregate import averaged_over_seeds
from mnist_core.analysis.table import runs_table, select
from mnist_core.cli.terminal import table
from mnist_core.config import RunConfig
from mnist_core.files import to_csv, write_bytes, write_json
from mnist_core.models import make_config, model_names
from mnist_core.models.stats import shipped_stats
from mnist_core.paths import PROJECT
from mnist_core.runs.folder import HISTORY
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary

SIZES = (100, 500, 2000)
SEEDS, EPOCHS, REPEATS = 3, 5, 3
# Opens Compare without a browser, as tests do, and runs its script again and again.
VISIT = """
import json, sys, time
from streamlit.testing.v1 import AppTest
page, times = AppTest.from_file(sys.argv[1], default_timeout=300), []
for _ in range(int(sys.argv[2])):
    begun = time.perf_counter()
    page.run()
    times.append(time.perf_counter() - begun)
    assert not page.exception, page.exception
assert not {"torch", "scipy"} & set(sys.modules), "the page loads torch or scipy"
print(json.dumps(times))
"""


def bench(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """A row of seconds for every size of a store; see `measure`."""
    for count in sizes:
        with tempfile.TemporaryDirectory(prefix="mnist-lab-bench-") as folder:
            yield {"runs": count, **measure(make_store(Path(folder), count))}


def make_store(root: Path, count: int) -> RunStore:
    """`count` finished runs of all networks, three seeds of each config, with made-up figures."""
    draws, store = random.Random(1998), RunStore(root)
    for config in configs(count):
        history = _history(draws)
        network = shipped_stats().networks[config.model]
        best = max(history, key=lambda row: row["validation_accuracy"])
        summary = Summary(
            "done",
            created=1.7e9 + draws.random(),
            epochs_done=EPOCHS,
            best_epoch=best["epoch"],
            seconds=EPOCHS * 5.0,
            device="cpu",
            threads=1,
            data_fingerprint="0123456789abcdef",
            test_accuracy=best["validation_accuracy"] - 0.001,
            **{name: best[name] for name in best if name.startswith("validation_")},
            **{name: network[name] for name in ("parameters", "macs", "receptive_field")},
        )
        path = store.folder(config.id).path
        write_json(path / "config.json", config.to_dict(), flush=False)
        write_json(path / "summary.json", summary.to_dict(), flush=False)
        write_bytes(path / "history.csv", to_csv(history), flush=False)
    return store


def configs(count: int) -> list[RunConfig]:
    names = [name for name in model_names() if name in shipped_stats().networks]
    return [
        make_config(
            names[number // SEEDS % len(names)],
            seed=1 + number % SEEDS,
            epochs=EPOCHS,
            lr=round(1e-4 * (1 + number // (SEEDS * len(names))), 6),
        )
        for number in range(count)
    ]


def _history(draws: random.Random) -> list[dict[str, Any]]:
    rows, accuracy = [], draws.uniform(0.9, 0.95)
    for epoch in range(1, EPOCHS + 1):
        accuracy += (0.995 - accuracy) * draws.uniform(0.2, 0.6)
        values = dict.fromkeys(HISTORY, 1.0) | {"epoch": epoch, "seconds": 5.0, "lr": 0.01}
        for part in ("train", "validation"):
            values |= {f"{part}_accuracy": accuracy, f"{part}_loss": 2 * (1 - accuracy)}
        rows.append(values)
    return rows


def measure(store: RunStore) -> dict[str, float]:
    """Seconds of wall-clock time, of repeated ones the least.

    `list_first` and `list`: the store's runs, then again when nothing has changed. `table`: the
    table of them; `filter`: searched by network and text, and averaged over seeds. `page_first` and
    `page`: Compare's whole script in a fresh process, then again.
    """
    first, runs = _timed(lambda: store.list()[0])
    again, _ = _least(lambda: store.list()[0])
    shaping, table = _least(lambda: runs_table(store, runs))
    filtering, _ = _least(lambda: averaged_over_seeds(select(table, "MNIST", (), "seed 2 done")))
    visits = visit(store, 1 + REPEATS)
    seconds = {"list_first": first, "list": again, "table": shaping, "filter": filtering}
    seconds |= {"page_first": visits[0], "page": min(visits[1:])}
    return {name: round(value, 3) for name, value in seconds.items()}


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return time.perf_counter() - begun, result


def _least(work: Callable[[], Any]) -> tuple[float, Any]:
    timings = [_timed(work) for _ in range(REPEATS)]
    return min(seconds for seconds, _ in timings), timings[-1][1]


def visit(store: RunStore, times: int) -> list[float]:
    """Seconds of so many runs of Compare's script, in one fresh process."""
    page = PROJECT / "pages" / "compare.py"
    done = subprocess.run(
        [sys.executable, "-c", VISIT, str(page), str(times)],
        cwd=PROJECT,
        env={
            **os.environ,
            "MNIST_CHECKPOINTS": str(store.root.resolve()),
            "PYTHONPATH": str(PROJECT),
        },
        capture_output=True,
        text=True,
    )
    if done.returncode:
        raise RuntimeError(f"Compare could not be opened: {done.stderr}")
    return json.loads(done.stdout.strip().splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="runs in the store")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    rows = list(bench(options.sizes))
    if options.json:
        print(json.dumps(rows))
    else:
        print("seconds of wall-clock time")
        print(table(rows))


if __name__ == "__main__":
    main()
