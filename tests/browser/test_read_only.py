"""A read-only lab in a real browser: whatever a visitor presses, nothing on the server changes."""

import shutil
import subprocess
import sys
from urllib.parse import urlencode

import numpy as np
import psutil
import pytest

from mnist_core.data.drawing_sets import begin_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from tests.browser.conftest import PROJECT, TIMEOUT, at_rest, serving
from tests.stores import DEAD, make_run
from tests.tools.fuzzing.studies import tables

GRID = PROJECT / "checkpoints" / "grid" / "MNIST.parquet"
MOST = 60  # presses on one page
# Presses the next thing on the page that can be pressed and was not yet; tells what it was.
PRESS = """pressed => {
    const kinds = ["stButton", "stPopover", "stFormSubmitButton"].map(
        kind => `[data-testid=${kind}] button:enabled`
    );
    kinds.push("[data-testid=stExpander] summary", "[data-testid=stCheckbox] input:enabled");
    kinds.push("[class*=st-key-learn_guess] button");
    for (const each of document.querySelectorAll(kinds.join())) {
        const box = each.closest("label") ?? each;
        if (!box.checkVisibility()) continue;
        const key = each.closest("[class*=st-key-]")?.className.match(/st-key-(\\S+)/)?.[1] ?? "";
        const name = `${key}: ${box.innerText.trim()}`;
        if (pressed.includes(name)) continue;
        each.click();
        return name;
    }
    return null;
}"""


@pytest.fixture
def looked_at(tiny_store, small_data, tmp_path, monkeypatch):
    """A read-only lab with something of everything; its server, store, and a set's key."""
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    root, tiny = tiny_store
    store = RunStore(shutil.copytree(root, tmp_path / "store"))
    trainer = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    make_run(store, opening_config(), state="running", process=Process.of(trainer.pid))
    make_run(store, make_config("small"), state="running", process=Process.of(trainer.pid))
    make_run(store, make_config("medium"), state="paused", process=DEAD)
    (store.root / "grid").mkdir(exist_ok=True)
    shutil.copy(GRID, store.root / "grid")  # experiments look things up in it
    (store.root / "sweeps").mkdir(exist_ok=True)
    (store.root / "sweeps" / "made-up.json").write_bytes(tables()[0])
    group = begin_set(store.root, "Class 7b")
    for key in (None, group.key):
        Handwriting(store.root, "MNIST", key).add(np.full((28, 28), 200, np.uint8), 3, "Anna")
    with serving((store.root, tiny), small_data, tmp_path / "log.txt") as server:
        yield server, store, group.key
        trainer.communicate(b"\n")


def views(tiny, key):
    """The pages, each with the addresses at which it shows all that it has."""
    return {
        "": [{}, {"model": "medium"}, {"lr": "0.07"}, {"train_tab": "Search"}],
        "compare": [{"cmp_runs": tiny, "cmp_recipe": "all", "cmp_tab": tab} for tab in COMPARED],
        "playground": [{"play_tab": "My digits"}, {"play_set": key}],
        "learn": [{}],
    }


COMPARED = ("All runs", "Robustness")


def test_nothing_that_can_be_pressed_changes_anything(browser, looked_at):
    server, store, key = looked_at
    files, processes = files_of(store), children(server)
    page = browser.new_page(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page.set_default_timeout(1000 * TIMEOUT)
    for name, queries in views(server.tiny, key).items():
        pressed = []
        for query in queries:
            address = f"{server.url}/{name}?{urlencode(query)}"
            press_all(page, address, pressed)
            assert files_of(store) == files, (address, pressed)
            assert children(server) == processes, (address, pressed)
            assert not page.get_by_test_id("stFileUploader").count(), address
        assert pressed and len(pressed) < MOST, pressed
    page.close()


def press_all(page, address, pressed):
    """Presses whatever can be pressed at this address, and what appears then."""
    open_page(page, address)
    while len(pressed) < MOST and (name := page.evaluate(PRESS, pressed)):
        pressed.append(name)
        at_rest(page, quiet=0.2)
        if page.url.split("?")[0] != address.split("?")[0]:  # it led to another page
            open_page(page, address)
    at_rest(page)
    assert not page.get_by_test_id("stException").count(), (address, pressed)


def open_page(page, address):
    page.goto(address)
    page.get_by_test_id("stMain").get_by_role("heading").first.wait_for()
    at_rest(page)


def files_of(store):
    return {path: path.lstat().st_mtime_ns for path in store.root.rglob("*")}


def children(server):
    """The processes that this test's server has begun; other tests' servers have theirs."""
    port = f"--server.port={server.url.rsplit(':')[-1]}"
    (process,) = (each for each in psutil.Process().children() if port in each.cmdline())
    return {child.pid for child in process.children(recursive=True)}
