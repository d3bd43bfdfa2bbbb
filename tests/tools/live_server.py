"""What faults and watching share: a server that can be killed, a browser, and waiting."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from mnist_core.runs.store import RunStore
from tests.browser.conftest import FLAGS, NAMES, wait_for
from tests.ports import reserved_port

PROJECT = Path(__file__).parents[2]
TIMEOUT = 300  # seconds for whatever has no limit of its own, on a busy machine
STATUS = ".st-key-train_status"


class Lost(AssertionError):
    """Something was lost, or not told in time."""


def require(held: bool, words: str) -> None:
    if not held:
        raise Lost(words)


def until(condition: Callable[[], object], words: str, seconds: float = TIMEOUT) -> float:
    """Waits for the condition; returns how many seconds it took. Raises Lost."""
    began = time.monotonic()
    while not condition():
        require(time.monotonic() - began < seconds, f"{words}: not within {seconds:g} s")
        time.sleep(0.02)
    return time.monotonic() - began


class Server:
    """`streamlit run app.py` from a copy of the project, whose files can be touched."""

    def __init__(self, folder: Path, store: RunStore) -> None:
        self.store, self.log = store, folder / "server.log"
        self.project = folder / "project"
        self.project.mkdir()
        shutil.copy(PROJECT / "app.py", self.project)
        for part in ("mnist_core", "pages"):
            leave = shutil.ignore_patterns("__pycache__")
            shutil.copytree(PROJECT / part, self.project / part, ignore=leave)
        self.ports = ExitStack()  # reserved as long as this object lives
        self.port = self.ports.enter_context(reserved_port())
        self.url = f"http://127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.headless=true"]
        command += ["--server.address=127.0.0.1", f"--server.port={self.port}"]
        env = os.environ | {"MNIST_CHECKPOINTS": str(self.store.root)}
        env["MNIST_LIMITS"] = "waiting = 100"  # visitors are told apart
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                command, cwd=self.project, env=env, stdout=log, stderr=log
            )

    def ready(self) -> None:
        wait_for(f"{self.url}/_stcore/health", self.process, self.log)

    def touch_sources(self) -> None:
        for path in self.project.rglob("*.py"):
            path.touch()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@contextmanager
def a_browser() -> Iterator[Browser]:
    path = next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        sys.exit(f"no browser: none of {', '.join(NAMES)} is installed")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()
