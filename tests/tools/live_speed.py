"""How often the Live canvas answers while the pen moves, in a real browser.

    python -m tests.tools.live_speed

For each network: answers in each second of drawing, their median and the lowest; and how much
processor time the page takes for one, which a busy machine hardly changes. A screen shows at most
60 a second. The pen's moves are made in the page itself, 125 a second, as a mouse makes them: moves
that come from outside wait for each other, and are no more than one for two pictures of the screen.
It reads the shipped runs, or those of MNIST_CHECKPOINTS.
"""

import argparse
import os
import shutil
import tempfile
from pathlib import Path
from statistics import median

from playwright.sync_api import CDPSession, Page, sync_playwright

from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.paths import store_root
from mnist_core.runs.store import RunStore
from tests.browser.conftest import FLAGS, NAMES, at_rest, serving

MODELS = ("lenet5", "medium", "ultrasmall")
SIDE = 320
# An answer changes all bars at once: the observer is called once for it.
COUNT = """bars => {
    window.answered = []
    const observer = new MutationObserver(() => window.answered.push(performance.now()))
    observer.observe(bars, { subtree: true, childList: true, attributes: true })
}"""

NOTE_POINTER = """canvas => {
    canvas.addEventListener("pointerdown", event => (window.pen = event.pointerId), { once: true })
}"""
# The pen goes round in loops that become wider and narrower.
MOVE = """(canvas, seconds) => new Promise(done => {
    const box = canvas.getBoundingClientRect()
    const end = performance.now() + 1000 * seconds
    let turn = 0
    const timer = setInterval(() => {
        turn += 0.06
        const reach = box.width * (0.2 + 0.15 * Math.sin(turn / 7))
        const clientX = box.left + box.width / 2 + reach * Math.cos(turn)
        const clientY = box.top + box.height / 2 + reach * Math.sin(turn)
        const place = { pointerId: window.pen, clientX, clientY }
        canvas.dispatchEvent(new PointerEvent("pointermove", place))
        if (performance.now() < end) return
        clearInterval(timer)
        done()
    }, 8)
})"""


def open_live(page: Page, url: str, run_id: str) -> None:
    page.goto(f"{url}/playground?play_run={run_id}")
    page.get_by_text("Live", exact=True).first.click()
    page.locator("canvas.ink").wait_for()
    at_rest(page)


def busy(clock: CDPSession) -> float:
    """Milliseconds of processor time that the page's thread has taken."""
    found = clock.send("Performance.getMetrics")["metrics"]
    return 1000 * next(each["value"] for each in found if each["name"] == "TaskDuration")


def draw(page: Page, seconds: float) -> tuple[list[float], float]:
    """Moves the pen in loops; when answers came, and the page's time for each, in milliseconds."""
    paper = page.locator("canvas.ink")
    paper.evaluate(NOTE_POINTER)
    paper.hover()
    page.mouse.down()
    clock = page.context.new_cdp_session(page)
    clock.send("Performance.enable", {"timeDomain": "threadTicks"})
    page.locator(".bars").evaluate(COUNT)
    before = busy(clock)
    paper.evaluate(MOVE, seconds)
    answered = page.evaluate("window.answered")
    took = (busy(clock) - before) / len(answered)
    page.mouse.up()
    return answered, took


def rates(times: list[float]) -> list[int]:
    """Answers in each whole second."""
    begin, end = times[0], times[-1]
    whole = int((end - begin) // 1000)
    return [
        sum(begin + 1000 * s <= at < begin + 1000 * (s + 1) for at in times) for s in range(whole)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=list(MODELS))
    parser.add_argument("--seconds", type=float, default=8)
    options = parser.parse_args()
    best = best_of_each(RunStore(store_root()).list()[0], "MNIST")
    runs = {run.config.model: run.id for run in best}
    with tempfile.TemporaryDirectory() as folder:
        data = Path(os.environ.get("MNIST_DATA", folder))
        store = (store_root(), "")
        with serving(store, data, Path(folder) / "log.txt") as server, sync_playwright() as play:
            path = next(filter(None, map(shutil.which, NAMES)))
            browser = play.chromium.launch(executable_path=path, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 720})
            print("answers a second      median  lowest   ms of processor time for one")
            for model in options.models:
                open_live(page, server.url, runs[model])
                times, took = draw(page, options.seconds)
                found = rates(times)
                print(f"  {model:20}{median(found):6.0f}{min(found):8d}{took:8.1f}", flush=True)
                at_rest(page)
            browser.close()


if __name__ == "__main__":
    main()
