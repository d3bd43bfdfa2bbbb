"""Five tasks of a newcomer in a real browser: clicks, seconds, and what the page answers.

    python -m tests.tools.five_tasks [--only 135] [--url http://127.0.0.1:8501]

Without an address it serves the runs that ship, from a folder of their own. A click is a press of
the mouse; a stroke of the pen and a field filled in count as one each. The seconds are those of the
page, without the time in which a person reads and thinks. The window has 1280×720 pixels.
"""

import argparse
import os
import re
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from playwright.sync_api import Browser, Locator, Page

from mnist_core.imaging.sample_drawings import strokes_of
from mnist_core.models.zoo import shipped_ids
from mnist_core.paths import data_root
from pages.components.playground.canvas import SIDE
from tests.browser.conftest import at_rest, serving
from tests.tools.live_server import PROJECT, TIMEOUT, a_browser

WINDOW = {"width": 1280, "height": 720}
TASKS: dict[str, Callable[["Newcomer"], str]] = {}


class Newcomer:
    """A fresh window on the lab, and how often its visitor has clicked."""

    def __init__(self, browser: Browser, url: str) -> None:
        context = browser.new_context(viewport=WINDOW)
        context.set_default_timeout(1000 * TIMEOUT)
        self.page: Page = context.new_page()
        self.clicks, self.began = 0, time.monotonic()
        self.page.goto(url)
        at_rest(self.page)

    def click(self, target: Locator) -> None:
        target.click()
        self.clicks += 1
        at_rest(self.page)

    def choose(self, control: str, value: str) -> None:
        group = self.page.get_by_role("radiogroup", name=control)
        self.click(group.get_by_role("radio", name=value, exact=True))

    def fill(self, field: str, value: str) -> None:
        box = self.page.get_by_role("spinbutton", name=field, exact=True)
        box.fill(value)
        box.press("Enter")
        self.clicks += 1
        at_rest(self.page)

    def go(self, name: str) -> None:
        self.click(self.page.get_by_test_id("stTopNavLink").filter(has_text=name))

    def draw(self, points: np.ndarray) -> None:
        """One stroke through (N, 2) points of a canvas of side 1."""
        box = self.page.locator("canvas.upper-canvas").bounding_box()
        assert box
        places = [(box["x"] + SIDE * x, box["y"] + SIDE * y) for x, y in points]
        self.page.mouse.move(box["x"] + SIDE / 2, box["y"] + SIDE - 9)
        self.page.wait_for_timeout(300)  # the canvas's toolbar slides away from under the mouse
        self.page.mouse.move(*places[0])
        self.page.mouse.down()
        for place in places[1:]:
            self.page.mouse.move(*place, steps=6)
        self.page.mouse.up()
        self.clicks += 1


def task(function: Callable[[Newcomer], str]) -> Callable[[Newcomer], str]:
    TASKS[str(len(TASKS) + 1)] = function
    return function


def in_view(target: Locator) -> str:
    """What an element says, and whether that is seen without scrolling."""
    box, words = target.bounding_box(), target.inner_text()
    seen = box and box["y"] >= 0 and box["y"] + box["height"] <= WINDOW["height"]
    return f"{words!r} ({'in view' if seen else 'NOT IN VIEW'})"


@task
def best_learning_rate_for_batch_256_dropout_25_elu(me: Newcomer) -> str:
    for control, value in (("Batch", "256"), ("Dropout", ".25"), ("Activation", "ELU")):
        me.choose(control, value)
    return in_view(me.page.get_by_text(re.compile("^★ Best")))


@task
def train_a_setting_that_is_not_there_and_watch_it(me: Newcomer) -> str:
    me.click(me.page.get_by_text("More settings"))
    me.fill("Epochs", "5")
    status = me.page.locator(".st-key-train_status")
    estimate = status.inner_text().splitlines()[0]
    at = time.monotonic()
    me.page.get_by_role("button", name="Train", exact=True).click()
    me.clicks += 1
    me.page.locator(".st-key-train_loss .points path").first.wait_for()
    mark = time.monotonic() - at
    done = status.get_by_text(re.compile("epoch . of 5"))
    done.wait_for()
    took = f"first mark after {mark:.1f} s, done after {time.monotonic() - at:.1f} s"
    return f"{estimate!r}; {took}; {in_view(done)}"


@task
def is_medium_better_than_lenet_5_and_is_it_real(me: Newcomer) -> str:
    me.go("Compare")
    verdict = me.page.get_by_role("heading", name=re.compile("better|difference"))
    reasons = me.page.get_by_text(re.compile("^(Trained again|Other images)"))
    return "; ".join([in_view(verdict.first), *reasons.all_inner_texts()])


@task
def one_mistake_opened_in_the_playground(me: Newcomer) -> str:
    mistake = me.page.locator(".gallery a").first
    words = mistake.inner_text()
    me.click(mistake)
    answer = me.page.locator(".play-answer .words")
    answer.wait_for()
    return f"{words!r} → {in_view(answer.get_by_role('heading'))}"


@task
def a_4_turned_into_a_9_and_which_unit_saw_it(me: Newcomer) -> str:
    me.go("Playground")
    offer = me.page.locator(".st-key-play_try button:visible")
    words = offer.inner_text()
    me.click(offer)
    answer = me.page.locator(".play-answer").get_by_role("heading")
    me.page.get_by_text("Yours", exact=True).wait_for()
    before = answer.inner_text()
    lines = strokes_of("MNIST", 4)
    assert lines and "4" in words
    ends = np.array([lines[0][0], lines[-1][0]])  # the tops of the two upright strokes
    me.draw(np.array([ends[0], ends.mean(axis=0) - (0, 0.02), ends[1]]))
    told = me.page.locator(".flip")
    told.wait_for()
    at_rest(me.page)
    after, unit = answer.inner_text(), told.locator("b").inner_text()
    me.click(told.get_by_role("button"))
    opened = me.page.locator(".detail h3").inner_text()
    return f"{words!r}: {before} → {after}; {unit!r}; opened: {opened}"


@contextmanager
def shipped() -> Iterator[str]:
    """A server with the runs that ship; what is trained there is gone afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store"
        store.mkdir()
        for name in ("labels", "grid", *shipped_ids()):
            if (PROJECT / "checkpoints" / name).exists():
                (store / name).symlink_to(PROJECT / "checkpoints" / name)
        with serving((store, ""), data_root(), Path(folder) / "log.txt") as server:
            yield server.url


def carry_out(url: str, only: str) -> None:
    with a_browser() as browser:
        for number in only:
            newcomer = Newcomer(browser, url)
            answer = TASKS[number](newcomer)
            seconds = time.monotonic() - newcomer.began
            name = TASKS[number].__name__.replace("_", " ")
            print(f"{number} {name}: {newcomer.clicks} clicks, {seconds:.1f} s")
            print(f"  {answer}", flush=True)
            newcomer.page.context.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", default="".join(TASKS), help="the numbers of tasks, such as 135")
    parser.add_argument("--url", help="of a lab that is running")
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f}")
    if options.url:
        carry_out(options.url, options.only)
        return
    with shipped() as url:
        carry_out(url, options.only)


if __name__ == "__main__":
    main()
