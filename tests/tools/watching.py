"""Measures what it costs a training run that somebody watches it.

    python -m tests.tools.watching [--rounds N] [--epochs N] [--json]

Trains the Train page's opening network on MNIST (from MNIST_DATA) with the default settings,
started as the page starts it, and has a browser look at the run for some epochs, then at nothing
for as many, and so on, in rounds that begin with the one or the other. All epochs are of one
process, so that nothing else differs; the epoch in which a round begins is left out. The machine
must have nothing else to do.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import statistics
import sys
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from urllib.parse import urlencode

from playwright.sync_api import Page

from mnist_core.analysis.url import query_of
from mnist_core.data.idx import missing_files
from mnist_core.jobs import launcher
from mnist_core.models.grid import opening_config
from mnist_core.paths import data_root
from mnist_core.runs.run import Run
from mnist_core.runs.store import RunStore
from tests.tools.live_server import STATUS, TIMEOUT, Server, a_browser, until
from tests.tools.report import in_lines

MOST_EPOCHS = 1000


def measured(store: RunStore, run: Run, epochs: int) -> list[float]:
    """Images per second in so many epochs, after the one that is in progress."""
    first = len(store.get(run.id).history) + 1

    def enough() -> bool:
        time.sleep(0.2)
        return store.get(run.id).summary.epochs_done >= first + epochs

    until(enough, "training does not go on", TIMEOUT * (epochs + 1))
    return [row["images_per_second"] for row in store.get(run.id).history[first : first + epochs]]


def open_page(browser: object, server: Server, run: Run) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.set_default_timeout(1000 * TIMEOUT)
    page.goto(f"{server.url}/?{urlencode(query_of(run.config))}")
    page.locator(STATUS).get_by_text("images/s").first.wait_for()
    return page


def watch(store: RunStore, server: Server, run: Run, watched: bool, epochs: int) -> list[float]:
    """Half a round, with a browser that looks at the run or with none at all."""
    with a_browser() if watched else nullcontext() as browser:
        page = open_page(browser, server, run) if watched else None
        speeds = measured(store, run, epochs)
        if page:
            page.locator(STATUS).get_by_text("images/s").first.wait_for()  # it looks to the end
    return speeds


def measure(folder: Path, rounds: int, epochs: int) -> dict[str, object]:
    """Raises live_server.Lost when training or page do not keep up."""
    store = RunStore(folder / "store")
    server = Server(folder, store)
    speeds: dict[bool, list[float]] = {True: [], False: []}
    ratios = []
    try:
        server.ready()
        run = launcher.start(store, opening_config().replace(epochs=MOST_EPOCHS))
        until(lambda: store.get(run.id).summary.epochs_done, "training does not begin")
        for number in range(rounds):
            round_ = {}
            for watched in (True, False) if number % 2 == 0 else (False, True):
                round_[watched] = watch(store, server, run, watched, epochs)
                speeds[watched] += round_[watched]
            ratios.append(statistics.median(round_[True]) / statistics.median(round_[False]))
        threads = store.get(run.id).summary.threads
    finally:
        server.kill()
        for left in store.list()[0]:
            launcher.stop(store, left.id)
    alone, watched = (statistics.median(speeds[which]) for which in (False, True))
    return {
        "images_per_second_page_closed": round(alone),
        "images_per_second_page_open": round(watched),
        "ratio": round(watched / alone, 4),
        "ratio_by_round": [round(ratio, 4) for ratio in ratios],
        "slowest_epoch_page_open": round(min(speeds[True]) / alone, 4),
        "slowest_epoch_page_closed": round(min(speeds[False]) / alone, 4),
        "epochs_of_each": len(speeds[True]),
        "threads": threads,
        "load_average_before": round(LOAD_BEFORE, 2),
    }


LOAD_BEFORE = os.getloadavg()[0]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.tools.watching", description=__doc__)
    parser.add_argument(
        "--rounds", type=int, default=3, help="rounds with the page open and closed"
    )
    parser.add_argument("--epochs", type=int, default=4, help="that count in each half of a round")
    parser.add_argument("--json", action="store_true", help="one JSON value on stdout")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # and so through every `finally`
    if missing_files("MNIST", data_root()):
        print(
            f"tests.tools.watching: MNIST is not in {data_root()}; set MNIST_DATA", file=sys.stderr
        )
        return 2
    os.environ["MNIST_DATA"] = str(data_root().resolve())
    with tempfile.TemporaryDirectory() as name:
        result = measure(Path(name), options.rounds, options.epochs)
    if options.json:
        print(json.dumps(result))
    else:
        print(in_lines(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
