"""Measures a class that draws in one set: how soon a drawing is on the projector, and the load.

    python -m tests.tools.class_speed                      # 40 pupils, a drawing each every 20 s
    python -m tests.tools.class_speed --pupils 10 --every 10 --minutes 2

The pupils are tests.tools.protocol's, in this process; the server is one of its own on a copy of
the runs that ship. Each pupil's page looks at the set again by itself, as a browser's does.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import shutil
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import psutil

from mnist_core.data.drawing_sets import begin_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.evaluation.network import load_network
from mnist_core.runs.store import RunStore
from tests.browser.conftest import Server, serving
from tests.tools.crowd import drawings
from tests.tools.live_server import PROJECT
from tests.tools.protocol import Visitor

COUNT = re.compile(r">([\d,]+) drawings?,")


async def pupil(
    server: Server, key: str, number: int, options: Any, begin: asyncio.Barrier, waits: list[float]
) -> None:
    """Draws and saves; notes how long the page takes after the click."""
    visitor = Visitor(server.url, "playground", query=f"play_set={key}")
    await visitor.open()
    run_id = re.search(r"play_run=([a-z0-9-]+)", visitor.query)
    assert run_id
    todo = drawings(load_network(RunStore(server.store).get(run_id[1])), number)
    await begin.wait()
    end = time.monotonic() + 60 * options.minutes
    await asyncio.sleep(options.every * number / options.pupils)
    drawn = 0
    while (began := time.monotonic()) < end:
        visitor.set(f"play_canvas_{drawn}", json_value=next(todo).sent)
        await visitor.send()
        save = f"play_this_is_{number % 10}"
        visitor.set(save, trigger_value=True)
        waits.append((await visitor.send(having="Saved")).whole)
        del visitor.states[visitor.widgets[save][0]]
        drawn += 1
        await asyncio.sleep(max(0.0, began + options.every - time.monotonic()))
    await visitor.close()


async def projector(server: Server, key: str, seen: dict[int, float], messages: list[int]) -> None:
    """Notes when each number of drawings is first shown."""
    visitor = Visitor(server.url, "playground", query=f"play_set={key}&play_wall=true")
    await visitor.open()
    while True:
        for at, text in visitor._elements:
            if found := COUNT.search(text):
                seen.setdefault(int(found[1].replace(",", "")), at)
        visitor._elements.clear()
        messages[:] = [visitor.came]
        await asyncio.sleep(0.05)


async def watch_store(own: Handwriting, saved: dict[int, float]) -> None:
    """Notes when each number of drawings is first in the store."""
    while True:
        saved.setdefault(len(own.samples()), time.monotonic())
        await asyncio.sleep(0.05)


async def lesson(server: Server, process: psutil.Process, options: Any) -> dict[str, Any]:
    one = begin_set(server.store, "Class 7b")
    own = Handwriting(server.store, "MNIST", one.key)
    waits: list[float] = []
    saved: dict[int, float] = {}
    seen: dict[int, float] = {}
    begin = asyncio.Barrier(options.pupils + 1)
    watchers = [
        asyncio.create_task(projector(server, one.key, seen, [])),
        asyncio.create_task(watch_store(own, saved)),
    ]
    everyone = asyncio.gather(
        *(pupil(server, one.key, at, options, begin, waits) for at in range(options.pupils))
    )
    await begin.wait()
    before, began = sum(process.cpu_times()[:2]), time.monotonic()
    await everyone
    spent, took = sum(process.cpu_times()[:2]) - before, time.monotonic() - began
    for task in watchers:
        task.cancel()
    # A drawing counts as shown when this many or more are.
    shown = [
        min((at for n, at in seen.items() if n >= number), default=float("nan")) - at_saved
        for number, at_saved in saved.items()
        if number
    ]
    return {
        "drawings": len(own.samples()),
        "page_after_saving_p50_s": round(float(np.quantile(waits, 0.5)), 2),
        "page_after_saving_p95_s": round(float(np.quantile(waits, 0.95)), 2),
        "on_the_projector_p50_s": round(float(np.nanquantile(shown, 0.5)), 2),
        "on_the_projector_p95_s": round(float(np.nanquantile(shown, 0.95)), 2),
        "server_cores": round(spent / took, 2),
        "memory_mb": process.memory_info().rss // 2**20,
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--pupils", type=int, default=40)
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two drawings")
    parser.add_argument("--minutes", type=float, default=1.0)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        shared = {"MNIST_LIMITS": "waiting = 100\ndrawings = 100_000"}
        ends.enter_context(mock.patch.dict(os.environ, shared))
        root = Path(shutil.copytree(PROJECT / "checkpoints", Path(folder) / "store"))
        data = Path(os.environ.get("MNIST_DATA", folder))
        server = ends.enter_context(serving((root, ""), data, Path(folder) / "log.txt"))
        mine = psutil.Process().children()
        process = next(child for child in mine if "streamlit" in child.cmdline())
        print(json.dumps(asyncio.run(lesson(server, process, options))))


if __name__ == "__main__":
    main()
