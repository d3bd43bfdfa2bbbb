"""A real server and a real browser. Without Chromium the tests are skipped; in CI they fail."""

import os
import shutil
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright

from mnist_core.config import Execution
from mnist_core.jobs import launcher
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.store import RunStore
from tests.ports import reserved_port
from tests.stores import save_known_costs

PROJECT = Path(__file__).parents[2]
NAMES = ("chromium", "chromium-browser", "google-chrome", "chrome")
FLAGS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
FLAGS += ("--disable-component-update", "--disable-sync")
MENU = ["Learn", "Train", "Compare", "Playground"]
TIMEOUT = 180  # seconds that a busy machine may take
expect.set_options(timeout=1000 * TIMEOUT)


@dataclass(frozen=True)
class Server:
    """The lab, running: its address, the run store it reads, and the id of the tiny run there."""

    url: str
    store: Path
    tiny: str


@pytest.fixture(scope="session")
def tiny_store(tmp_path_factory, small_data) -> tuple[Path, str]:
    """A run store with one LeNet-5, trained for seconds on the small data set; and its id."""
    store = RunStore(tmp_path_factory.mktemp("store"))
    config = make_config("lenet5", epochs=3, batch_size=16, seed=7)
    save_known_costs(store)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_DATA", str(small_data))
        run = carry_out(store, config, Execution(device="cpu", threads=1, snapshots=True))
    assert run.state == "done"
    return store.root, run.id


@pytest.fixture(scope="session")
def server(tiny_store, small_data, tmp_path_factory):
    """`streamlit run app.py` on a free port of this machine, until the last test is over."""
    with serving(tiny_store, small_data, tmp_path_factory.mktemp("server") / "log.txt") as server:
        yield server


@contextmanager
def serving(tiny_store: tuple[Path, str], data: Path, log: Path) -> Iterator[Server]:
    store, tiny = tiny_store
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
    env = os.environ | {"MNIST_CHECKPOINTS": str(store), "MNIST_DATA": str(data)}
    with reserved_port() as port, log.open("w") as output:
        command += ["--server.address=127.0.0.1", f"--server.port={port}"]
        process = subprocess.Popen(command, cwd=PROJECT, env=env, stdout=output, stderr=output)
        try:
            wait_for(f"http://127.0.0.1:{port}/_stcore/health", process, log)
            yield Server(f"http://127.0.0.1:{port}", store, tiny)
        finally:
            process.terminate()
            process.wait(TIMEOUT)
            for run in RunStore(store).list()[0]:  # training outlives the server, not the tests
                launcher.stop(RunStore(store), run.id)


def wait_for(url: str, process: subprocess.Popen, log: Path) -> None:
    for _ in range(10 * TIMEOUT):
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
    raise AssertionError(f"no server after {TIMEOUT} s: {log.read_text()}")


@pytest.fixture(scope="session")
def browser():
    """Chromium without a window."""
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        assert not os.environ.get("CI"), f"no browser: none of {', '.join(NAMES)} is installed"
        pytest.skip("Chromium is not installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def context(browser: Browser):
    """One for all tests of a process: the lab's scripts are fetched and compiled once."""
    context = browser.new_context(reduced_motion="reduce")
    context.set_default_timeout(1000 * TIMEOUT)
    yield context
    context.close()


@pytest.fixture
def page(context: BrowserContext):
    """A visitor's fresh window, still empty. Errors of scripts fail the test."""
    page, errors = context.new_page(), []
    page.set_viewport_size({"width": 1280, "height": 900})
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    broken = page.get_by_test_id("stException").all_inner_texts()
    if page.url.startswith("http"):
        page.evaluate("localStorage.clear()")  # the next test's visitor is another one
    page.close()
    context.clear_cookies()
    assert not errors and not broken


def at_rest(page: Page, quiet: float = 0.5) -> None:
    """Waits until no script has been running for `quiet` seconds.

    A page that looks after something every second comes to rest in between.
    """
    last, end = time.monotonic(), time.monotonic() + TIMEOUT
    while time.monotonic() - last < quiet:
        if page.get_by_test_id("stApp").get_attribute("data-test-script-state") != "notRunning":
            last = time.monotonic()
        assert time.monotonic() < end, f"the page does not come to rest within {TIMEOUT} s"
        page.wait_for_timeout(50)


def menu(page: Page) -> list[str]:
    """The names in the menu, once it is there."""
    links = page.get_by_test_id("stTopNavLink")
    links.first.wait_for()
    at_rest(page)
    return [entry.split("\n")[-1] for entry in links.all_inner_texts()]
