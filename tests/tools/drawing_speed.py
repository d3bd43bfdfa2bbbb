"""Measures drawing in a real browser: from the pen's lifting to the answer on the screen.

    python -m tests.tools.drawing_speed                # 100 strokes, eight networks voting
    python -m tests.tools.drawing_speed --visitors 20  # 20 browser windows draw at once

Eight networks with random weights vote, unless MNIST_CHECKPOINTS names a store (its MNIST runs).
Three shares are told apart: the canvas component (pen lifted → the browser sends), the server
(sent → the last message with the answer is back), the screen (that message → the answer stands).
"""

from __future__ import annotations

import argparse
import base64
import io
import os
import re
import shutil
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page, expect, sync_playwright

from mnist_core.evaluation.ensemble import best_of_each, vote
from mnist_core.evaluation.network import Network, load_network
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.runs.store import RunStore
from pages.components.playground.canvas import SIDE
from tests.browser.conftest import FLAGS, NAMES, at_rest, serving
from tests.browser.pen import CHANGED, READ, source
from tests.drawing import placed_strokes

EIGHT = ("lenet5", "lenet5-1998", "lenet", "myfullconvnet", "mynetv2", "medium", "small")
EIGHT += ("ultrasmall",)
ANSWER = re.compile(r"Reads an? (\d) · (\d+\.\d) %")
# Notes when the pen is lifted, when messages leave and come, and when the answer changes.
WATCH = """() => {
    const lab = window.lab = {up: 0, sent: [], came: [], changed: []};
    document.addEventListener("mouseup", () => { lab.up = performance.now() }, true);
    const Socket = window.WebSocket;
    window.WebSocket = class extends Socket {
        constructor(...given) {
            super(...given);
            this.addEventListener("message", () => lab.came.push(performance.now()));
        }
        send(data) { lab.sent.push(performance.now()); return super.send(data) }
    };
}"""
OBSERVE = """() => new MutationObserver(changes => {
    const inside = node => (node.nodeType === 1 ? node : node.parentElement)
        ?.closest?.(".st-key-play_answer");
    if (changes.some(change => inside(change.target))) {
        requestAnimationFrame(() => window.lab.changed.push(performance.now()));
    }
}).observe(document.body, {subtree: true, childList: true, characterData: true,
                           attributes: true, attributeFilter: ["src", "style"]})"""


def random_runs(root: Path) -> RunStore:
    """A store with a run of each of EIGHT: weights drawn at random cost as much as trained ones."""
    import torch
    from safetensors.torch import save

    from mnist_core.models import create_model, make_config
    from mnist_core.runs.summary import Summary

    store = RunStore(root)
    for seed, name in enumerate(EIGHT):
        torch.manual_seed(seed)
        config, summary = make_config(name), Summary("done", best_epoch=1, validation_accuracy=0.5)
        store.create(config, summary)
        weights = store.folder(config.id).write_weights(1, save(create_model(name).state_dict()))
        store.folder(config.id).write_summary(replace(summary, **weights))
    return store


def open_page(browser: Browser, url: str) -> Page:
    """A visitor of his own, on the playground, with the clock running."""
    page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
    page.set_default_timeout(120_000)
    page.add_init_script(f"({WATCH})()")
    page.goto(f"{url}/playground")
    page.locator("canvas.upper-canvas").wait_for()
    page.get_by_alt_text(READ).first.wait_for()
    at_rest(page)
    page.evaluate(OBSERVE)
    return page


def stroke(page: Page, line: np.ndarray, rest: int = 300) -> None:
    """One stroke of the pen, as a hand would: a few points, then up.

    First the mouse rests on the canvas for `rest` milliseconds: while it comes, the component's
    toolbar, which slides out from under it, still covers the upper right corner.
    """
    box = page.locator("canvas.upper-canvas").bounding_box()
    page.mouse.move(box["x"] + SIDE / 2, box["y"] + SIDE - 9)
    page.wait_for_timeout(rest)
    points = [(box["x"] + x, box["y"] + y) for x, y in line]
    page.mouse.move(*points[0])
    page.mouse.down()
    for point in points[1:]:
        page.mouse.move(*point, steps=3)
    page.evaluate("() => { lab.sent = []; lab.came = []; lab.changed = [] }")
    page.mouse.up()


def settled(page: Page, before: str | None) -> dict[str, float]:
    """Waits for another image than `before`; the three shares and their sum, in milliseconds."""
    page.wait_for_function(CHANGED, arg=[READ, before], polling=50)
    at_rest(page, quiet=0.4)
    times = page.evaluate("() => window.lab")
    up, answer = times["up"], max(times["changed"])
    sent = min(at for at in times["sent"] if at >= up)
    came = max(at for at in times["came"] if at <= answer)
    return {
        "canvas": sent - up,
        "server": came - sent,
        "screen": answer - came,
        "all": answer - up,
    }


def draw_alone(page: Page, count: int) -> list[dict[str, float]]:
    """`count` strokes of digits, cleared after each digit."""
    rng, rows = np.random.default_rng(0), []
    while len(rows) < count:
        digit, size = int(rng.integers(10)), float(rng.uniform(0.4, 0.9))
        for line in placed_strokes(digit, SIDE, size=size, rng=rng)[0]:
            before = source(page)
            stroke(page, line)
            rows.append(settled(page, before))
        page.get_by_role("button", name="Clear").click()
        page.get_by_text("Nothing drawn yet").first.wait_for()
        at_rest(page)
        expect(page.locator("canvas.upper-canvas")).to_have_count(1)
    return rows[:count]


def draw_together(browser: Browser, url: str, store: RunStore, count: int, rounds: int) -> int:
    """`count` visitors draw at once; each has to get the answers to what is on his own canvas.

    Returns how many answers were not the visitor's own, and pages that show an error; prints round
    by round how long it took after the last stroke until all had theirs.
    """
    network = load_network(best_of_each(store.list()[0], "MNIST")[0])
    pages = [open_page(browser, url) for _ in range(count)]
    rng, mixed = np.random.default_rng(1), 0
    for number in range(rounds):
        before = [source(page) for page in pages]
        for page in pages:
            digit, place = int(rng.integers(10)), tuple(rng.uniform(0.1, 0.9, 2))
            stroke(page, placed_strokes(digit, SIDE, size=0.4, position=place, rng=rng)[0][0], 0)
        began = time.monotonic()
        for page, old in zip(pages, before, strict=True):
            page.wait_for_function(CHANGED, arg=[READ, old], polling=50)
        waited = time.monotonic() - began
        for page in pages:
            at_rest(page)
        wrong = sum(not is_own(page, network) for page in pages)
        errors = sum(page.get_by_test_id("stException").count() for page in pages)
        mixed += wrong + errors
        print(
            f"round {number + 1}: all {count} answered {waited:.1f} s after the last stroke, "
            f"{wrong} answers not the visitor's own, {errors} errors",
            flush=True,
        )
    for page in pages:
        page.context.close()
    return mixed


def is_own(page: Page, network: Network) -> bool:
    """Whether the answer on the page is the network's answer to what is on this page's canvas."""
    data = page.locator("canvas.dc-canvas.lower-canvas").evaluate("c => c.toDataURL()")
    picture = Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGBA")
    expected = vote([network], from_canvas(np.asarray(picture)).final)[0]
    words = page.get_by_role("heading", name=ANSWER).inner_text()
    label, share = ANSWER.search(words).groups()
    return int(label) == expected.label and abs(float(share) / 100 - expected.confidence) < 6e-4


def tell(rows: list[dict[str, float]]) -> None:
    print(f"{len(rows)} strokes, milliseconds:   median     p95     max")
    for share in rows[0]:
        values = np.array([row[share] for row in rows])
        figures = (np.median(values), np.quantile(values, 0.95), values.max())
        print(f"  {share:24}" + "".join(f"{figure:8.0f}" for figure in figures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--strokes", type=int, default=100)
    parser.add_argument("--visitors", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        given = os.environ.get("MNIST_CHECKPOINTS")
        root = Path(given) if given else random_runs(Path(folder) / "store").root
        data, log = Path(os.environ.get("MNIST_DATA", folder)), Path(folder) / "log.txt"
        with serving((root, ""), data, log) as server, sync_playwright() as playwright:
            path = next(filter(None, map(shutil.which, NAMES)))
            browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
            if options.visitors > 1:
                store, many = RunStore(root), options.visitors
                mixed = draw_together(browser, server.url, store, many, options.rounds)
                print(f"{many * options.rounds} strokes: {mixed} mixed-up answers or errors")
            else:
                page = open_page(browser, server.url)
                draw_alone(page, 3)  # the first strokes load what later ones find
                tell(draw_alone(page, options.strokes))
            browser.close()


if __name__ == "__main__":
    main()
