"""Measures many visitors at once: how long each waits, whose answer each gets, and the memory.

    python -m tests.tools.crowd draw --visitors 40 --every 4
    python -m tests.tools.crowd draw --visitors 20 --every 10
    python -m tests.tools.crowd move --visitors 10 --every 4 --training 2   # needs MNIST_DATA
    python -m tests.tools.crowd draw --visitors 40 --every 4 --minutes 30   # is memory flat?

The visitors are tests.tools.protocol's, in this process; the server is one of its own on a copy of
the runs that ship. A visitor who draws has to get the networks' answer to his own drawing; one who
moves the Train page's sliders the figures of his own setting. Times are the server's share: from a
message's sending until the answer is here, and until the whole page is. The processor's time, which
other load changes little, is the server's in all, divided by the messages.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import itertools
import json
import os
import random
import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from PIL import Image

from mnist_core.evaluation.ensemble import vote
from mnist_core.evaluation.network import Network, load_network
from mnist_core.formatting import percent
from mnist_core.imaging.digits import digits_of
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.jobs import launcher
from mnist_core.models import make_config
from mnist_core.models.grid import AXES, opening_config
from mnist_core.runs.store import RunStore
from pages.components.playground.canvas import SIDE
from tests.browser.conftest import Server, serving
from tests.drawing import WHITE, draw, encode, placed_strokes
from tests.tools.live_server import PROJECT
from tests.tools.protocol import Visitor

DRAWINGS = 6  # of each visitor, one after the other, again and again
LONG = 1000  # epochs of a run that trains beside the visitors


@dataclass
class Seen:
    """What all visitors met."""

    answer: list[float] = field(default_factory=list)  # seconds
    whole: list[float] = field(default_factory=list)
    mixed: list[str] = field(default_factory=list)  # what should have come
    memory: list[int] = field(default_factory=list)  # megabytes of the server, every ten seconds


@dataclass(frozen=True)
class Drawing:
    """What the canvas sends, and what the page has to say of it."""

    sent: str
    says: str


def drawings(network: Network, seed: int) -> Iterator[Drawing]:
    """A visitor's drawings, for ever; no two visitors have the same."""
    rng = np.random.default_rng(seed)
    made = []
    while len(made) < DRAWINGS:
        digit, size = int(rng.integers(10)), float(rng.uniform(0.4, 0.8))
        picture = draw(digit, ink=WHITE, canvas=SIDE, size=size, rng=rng)
        stages = from_canvas(picture)
        assert stages
        if len(digits_of(stages)) == 1:
            lines, width = placed_strokes(digit, SIDE, size, rng=rng)
            made.append(Drawing(_sent(picture, lines, width), _says(network, stages.final)))
    return itertools.cycle(made)


def _sent(picture: np.ndarray, lines: list[np.ndarray], width: float) -> str:
    objects = []
    for line in lines:
        steps: list[list[Any]] = [["L", *map(float, point)] for point in line.round(2)]
        steps[0][0] = "M"
        objects.append({"type": "Path", "path": steps, "strokeWidth": width})
    data = base64.b64encode(encode(Image.fromarray(picture))).decode()
    drawing = {"raw": {"objects": objects}, "data": f"data:image/png;base64,{data}"}
    return json.dumps({"drawing": drawing})


def _says(network: Network, image: np.ndarray) -> str:
    own = vote([network], image)[0]
    return f"<b>{own.label}</b> · {percent(own.confidence, 1)}"


async def draws(visitor: Visitor, todo: Iterator[Drawing]) -> tuple[str, Any]:
    """One stroke; what should have come, and what came."""
    one = next(todo)
    visitor.set("play_canvas_0", json_value=one.sent)
    return one.says, await visitor.send(having="<h2>Reads")


async def moves(visitor: Visitor, chosen: dict[str, Any], store: RunStore) -> tuple[str, Any]:
    """One move of a slider of the Train page to another value, of which the grid has a run."""
    name = random.choice(list(AXES))
    place = random.choice([i for i, v in enumerate(AXES[name]) if v != chosen.get(name)])
    chosen[name] = AXES[name][place]
    run = store.find(opening_config().replace(**chosen))
    assert run
    key = f"control_{name}"
    content = visitor.widgets[key][1].options[place].content
    visitor.set(key, string_array_value={"data": [content]})
    answer = await visitor.send(having="Best validation accuracy")  # below the map
    reached = run.summary.validation_accuracy
    if reached is None:
        return "**Diverged**", answer
    short = percent(reached, 1)  # as one reads of a run that did not learn
    return short if short in answer.text else percent(reached), answer


async def visit(
    server: Server, options: Any, number: int, minutes: float, begin: asyncio.Barrier, seen: Seen
) -> None:
    """One visitor, who does something every so many seconds, when all have opened the page."""
    store, chosen = RunStore(server.store), {}
    visitor = Visitor(server.url, "playground" if options.what == "draw" else "")
    await visitor.open()
    if options.what == "draw":
        run_id = re.search(r"play_run=([a-z0-9-]+)", visitor.query)
        assert run_id
        todo = drawings(load_network(store.get(run_id[1])), number)
    await begin.wait()
    end = time.monotonic() + 60 * minutes
    await asyncio.sleep(options.every * number / options.visitors)
    while (began := time.monotonic()) < end:
        if options.what == "draw":
            says, answer = await draws(visitor, todo)
        else:
            says, answer = await moves(visitor, chosen, store)
        seen.answer.append(answer.matched)
        seen.whole.append(answer.whole)
        if says not in answer.text:
            seen.mixed.append(says)
        await asyncio.sleep(max(0.0, began + options.every - time.monotonic()))
    await visitor.close()


async def look(process: psutil.Process, seen: Seen) -> None:
    while True:
        seen.memory.append(process.memory_info().rss // 2**20)
        await asyncio.sleep(10)


async def crowd(server: Server, process: psutil.Process, options: Any) -> dict[str, Any]:
    warm = Seen()  # the first visitor loads what later ones find
    await visit(server, options, 0, 0.2, asyncio.Barrier(1), warm)
    seen = Seen()
    watch = asyncio.create_task(look(process, seen))
    begin = asyncio.Barrier(options.visitors + 1)
    everyone = asyncio.gather(
        *(
            visit(server, options, at, options.minutes, begin, seen)
            for at in range(options.visitors)
        )
    )
    await begin.wait()
    before = sum(process.cpu_times()[:2])
    await everyone
    watch.cancel()
    spent = sum(process.cpu_times()[:2]) - before
    fifth = max(1, len(seen.memory) // 5)
    return {
        "messages": len(seen.answer),
        "answer_p50_s": round(float(np.quantile(seen.answer, 0.5)), 3),
        "answer_p95_s": round(float(np.quantile(seen.answer, 0.95)), 3),
        "whole_p95_s": round(float(np.quantile(seen.whole, 0.95)), 3),
        "mixed_answers": len(seen.mixed),
        "server_cpu_ms_a_message": round(1000 * spent / len(seen.answer), 1),
        "memory_mb_second_fifth": round(float(np.median(seen.memory[fifth : 2 * fifth] or [0]))),
        "memory_mb_last_fifth": round(float(np.median(seen.memory[-fifth:]))),
        "load_average": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=("draw", "move"))
    parser.add_argument("--visitors", type=int, default=40)
    parser.add_argument("--every", type=float, default=4.0, help="seconds between two messages")
    parser.add_argument("--minutes", type=float, default=1.0)
    parser.add_argument("--training", type=int, default=0, help="runs that train beside them")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as ends:
        root = Path(shutil.copytree(PROJECT / "checkpoints", Path(folder) / "store"))
        data = Path(os.environ.get("MNIST_DATA", folder))
        server = ends.enter_context(serving((root, ""), data, Path(folder) / "log.txt"))
        store = RunStore(root)
        store.set_at_once(max(1, options.training))
        for seed in range(options.training):
            launcher.start(store, make_config("lenet5", epochs=LONG, seed=100 + seed))
        mine = psutil.Process().children()
        process = next(child for child in mine if "streamlit" in child.cmdline())
        print(json.dumps(asyncio.run(crowd(server, process, options))))


if __name__ == "__main__":
    main()
