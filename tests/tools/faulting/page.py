"""Two runs on the Train page: kills of their processes and of the server.

They are started in a real browser, one of them from two tabs at once. The server is killed while
they train, and so are they, each time to be started again as the page's button does.
"""

from __future__ import annotations

import random
import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

import psutil
from playwright.sync_api import Browser, BrowserContext, Page

from mnist_core.analysis.url import query_of
from mnist_core.config import RunConfig
from mnist_core.jobs import launcher
from mnist_core.runs.run import Run
from mnist_core.runs.states import LIVE
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from tests.browser.conftest import at_rest
from tests.tools.faulting.bits import check_bits, trainers, two_configs
from tests.tools.live_server import STATUS, TIMEOUT, Server, require, until

REPORTED_WITHIN = 5.0  # seconds within which the store and the page must report what happened
AT_WORK = re.compile("training|waiting|★ epoch", re.IGNORECASE)  # of a run that goes on
BUTTON = ".st-key-train_now button"
CONTINUE = ".st-key-train_continue button"


@dataclass
class FaultTest:
    """Two runs that are killed again and again. The page shows the first."""

    store: RunStore
    configs: list[RunConfig]
    server: Server
    browser: Browser
    chance: random.Random
    page_within: float  # seconds within which the page must report that a run was killed
    page: Page | None = None
    from_page: bool = False  # whether the first run's process is the present server's child
    kills: dict[str, int] = field(default_factory=dict)
    server_kills: int = 0
    told: list[float] = field(default_factory=list)  # seconds until the page said so
    phases: list[str] = field(default_factory=list)  # what each killed process was doing

    def begin(self) -> None:
        """Starts both runs, the first from two tabs of the page."""
        self.store.set_at_once(2)
        self.server.ready()
        visitor = self.browser.new_context()  # both tabs are one visitor's, whichever is first
        self.page, second = tabs = [self.open(visitor), self.open(visitor)]
        self.chance.shuffle(tabs)
        for page in tabs:
            page.locator(BUTTON).wait_for()
            at_rest(page)
        for page in tabs:  # both at once: Playwright's own click may wait for seconds
            page.locator(BUTTON).evaluate("button => button.click()")
        launcher.start(self.store, self.configs[1])
        until(lambda: self.is_live(self.configs[0]), "the page did not start the run")
        with self.held():
            self.server.touch_sources()
            second.close()
        self.from_page = True

    @contextmanager
    def held(self) -> Iterator[None]:
        """Training stands still while a browser, however slow, does its part."""
        for config in self.configs:
            until(lambda c=config: self.may_be_held(c), f"{config.id} does not train")
        live = [run for run in map(self.run, self.configs) if not run.finished]
        found = (run.summary.process and run.summary.process.find() for run in live)
        asleep = [process for process in found if process]
        for process in asleep:
            process.suspend()
        try:
            yield
        finally:
            for process in asleep:
                with suppress(psutil.NoSuchProcess):
                    process.resume()

    def may_be_held(self, config: RunConfig) -> bool:
        """Whether it is past its first step, and so holds no lock that others wait for, or works
        no more."""
        if not self.is_live(config):
            return True
        progress = self.store.folder(config.id).progress()
        return progress.get("phase") == "training" and progress.get("step", 0) > 0

    def open(self, visitor: BrowserContext) -> Page:
        page = visitor.new_page()
        page.set_default_timeout(1000 * TIMEOUT)
        query = urlencode(query_of(self.configs[0]))
        page.goto(f"{self.server.url}/?{query}", wait_until="commit")
        return page

    def run(self, config: RunConfig) -> Run:
        return self.store.get(config.id)

    def is_live(self, config: RunConfig) -> bool:
        found = self.store.find_folder(config)
        return found is not None and found.state in LIVE

    def kill_server(self) -> None:
        """The server goes; its children train on, and a new server shows them."""
        live = [config for config in self.configs if not self.run(config).finished]
        before = [self.run(config).summary.process for config in live]
        self.server.kill()
        require(all(map(lambda p: p.find(), before)), "training ended with its server")
        with self.held():
            self.server.start()
            self.server.ready()
            self.server_kills += 1
            self.page.reload(wait_until="commit")
            self.page.locator(STATUS).get_by_text(AT_WORK).first.wait_for()
        self.from_page = False

    def kill(self, config: RunConfig) -> None:
        """SIGKILL; the store must report it at once, and nothing may be damaged."""
        before = self.run(config)
        self.phases.append(self.store.folder(config.id).progress().get("phase", "starting"))
        process = before.summary.process.find()
        if process is None or before.finished:
            return
        process.kill()
        self.kills[config.id] = self.kills.get(config.id, 0) + 1
        until(lambda: self.run(config).state == "interrupted", "still running", REPORTED_WITHIN)
        runs, damaged = self.store.list()
        require(not damaged and len(runs) == len(self.configs), f"damaged: {damaged}")
        after = self.run(config).summary
        require(after.epochs_done >= before.summary.epochs_done, "epochs were lost")
        if after.weights:
            self.run(config).weights()
        if config is self.configs[0] and not self.from_page:
            self.restart_on_page(config)
        else:
            launcher.start(self.store, config)

    def restart_on_page(self, config: RunConfig) -> None:
        status = self.page.locator(STATUS)
        with self.held():
            seen = until(lambda: "Interrupted" in status.inner_text(), "the page", self.page_within)
            self.told.append(round(seen, 2))
            at_rest(self.page)
            self.page.locator(CONTINUE).first.click()
            until(lambda: self.is_live(config), f"{config.id} was not started again")
        self.from_page = True

    def moment(self, config: RunConfig) -> Callable[[], bool]:
        """When this run is killed next: while it starts, or after some epochs and a bit."""
        if self.chance.random() < 0.3:
            at = time.monotonic() + self.chance.uniform(0, 2)
            return lambda: time.monotonic() > at
        epochs = self.run(config).summary.epochs_done + self.chance.randint(0, 3)
        bit = self.chance.uniform(0, 0.1)

        def reached() -> bool:
            training = self.store.folder(config.id).progress().get("phase") == "training"
            if not training or self.run(config).summary.epochs_done < epochs:
                return False
            time.sleep(bit)
            return True

        return reached

    def kill_repeatedly(self, kills: int, server_kills: int) -> None:
        """All the kills; the server's are spread among them, the first before them."""
        due = [round(kills * i / server_kills) for i in range(server_kills)]
        moments = {config.id: self.moment(config) for config in self.configs}
        while sum(self.kills.values()) < kills or self.server_kills < server_kills:
            done = sum(self.kills.values())
            if self.server_kills < server_kills and done >= due[self.server_kills]:
                self.kill_server()
            unfinished = [config for config in self.configs if not self.run(config).finished]
            require(bool(unfinished), f"both runs ended after {done} kills: give them more epochs")
            for config in unfinished:
                if sum(self.kills.values()) < kills and moments[config.id]():
                    self.kill(config)
                    moments[config.id] = self.moment(config)
            time.sleep(0.005)

    def end(self) -> None:
        for config in self.configs:
            until(lambda c=config: self.run(c).finished, f"{config.id} does not end")
        self.page.context.close()
        until(lambda: not trainers(self.store), "a process is left behind")


def run_faults(
    store: RunStore,
    folder: Path,
    browser: Browser,
    kills: int,
    server_kills: int,
    seed: int,
    page_within: float = TIMEOUT,
    engine: str = "auto",
) -> dict[str, object]:
    """The whole test. Raises Lost; returns what was done. MNIST_DATA names the data."""
    configs = two_configs(30 + 10 * kills)  # most kills find both at work
    if engine != "auto":  # a run goes on with the engine that is recorded
        for config in configs:
            store.create(config, Summary("interrupted", device="cpu", engine=engine))
    server = Server(folder, store)
    test = FaultTest(store, configs, server, browser, random.Random(seed), page_within)
    try:
        test.begin()
        test.kill_repeatedly(kills, server_kills)
        test.end()
    finally:
        server.kill()
        for run in store.list()[0]:
            launcher.stop(store, run.id, grace=0.1)
    check_bits([store.get(config.id) for config in configs], RunStore(folder / "whole"))
    engines = {store.get(config.id).summary.engine for config in configs}
    require(engine in ("auto", *engines) and len(engines) == 1, f"trained by {engines}")
    return {
        "runs": len(configs),
        "engine": engines.pop(),
        "lost_or_damaged": 0,
        "kills": test.kills,
        "killed_while": {name: test.phases.count(name) for name in sorted({*test.phases})},
        "server_kills": test.server_kills,
        "page_told_after_s": test.told,
        "weights_sha256": [store.get(config.id).summary.weights_sha256 for config in configs],
    }
