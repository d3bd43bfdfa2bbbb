"""The pages without a browser, for parts that open them: a store of a few runs, nothing started."""

import functools
import os
import shutil
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import streamlit as st
from streamlit.testing.v1 import AppTest

from mnist_core.data.drawing_sets import begin_set
from mnist_core.data.handwriting import Handwriting
from mnist_core.jobs import cost_job, launcher, robustness_job, standby
from mnist_core.runs.store import RunStore
from tests.app.play_canvas import Canvas
from tests.idx_data import write_dataset
from tests.stores import add_run, make_run
from tests.tools.fuzzing.studies import tables

# A page that is opened without a browser leaves some 18 MB behind, which no Python object holds.
PER_PROCESS = 12
STARTERS = ((cost_job, "measure_in_background"), (standby, "prepare"), (launcher, "start"))
STARTERS += ((robustness_job, "start"),)


@functools.cache
def template() -> Path:
    """A folder with a small data set and a store of three runs, of which two have weights, a study
    and a set of drawings."""
    folder = Path(tempfile.mkdtemp(prefix="mnist-lab-fuzz-"))
    write_dataset(folder / "data")
    store = RunStore(folder / "store")
    add_run(store, "lenet5")
    add_run(store, "ultrasmall", state="stopped")
    make_run(store)
    (folder / "store" / "sweeps").mkdir()
    (folder / "store" / "sweeps" / "made-up.json").write_bytes(tables()[0])
    group = begin_set(store.root, "![x](//evil.example/p.png) www.evil.example")
    drawing = np.full((28, 28), 200, np.uint8)
    Handwriting(store.root, "MNIST", group.key).add(drawing, 3, "Anna")
    return folder


@contextmanager
def alone(folder: Path) -> Iterator[Canvas]:
    """Pages in this process use a store in `folder`, start no process, and draw on the stand-in
    that is given."""
    canvas, module = Canvas(), types.ModuleType("streamlit_drawable_canvas")
    module.st_canvas = canvas.st_canvas  # type: ignore[attr-defined]
    shutil.copytree(template() / "store", folder / "store")
    variables = {
        "MNIST_CHECKPOINTS": str(folder / "store"),
        "MNIST_DATA": str(template() / "data"),
        "MNIST_CACHE": str(template() / "cache"),
    }
    with ExitStack() as stack:
        stack.enter_context(mock.patch.dict(os.environ, variables))
        # A page becomes the main module; a process that is spawned later would run it.
        modules = {module.__name__: module, "__main__": sys.modules["__main__"]}
        stack.enter_context(mock.patch.dict(sys.modules, modules))
        for where, name in STARTERS:
            stack.enter_context(mock.patch.object(where, name))
        yield canvas
        # Every case has a store of its own, so what is cached of one serves no other.
        st.cache_data.clear()
        st.cache_resource.clear()


def check(page: AppTest) -> None:
    """Raises AssertionError when the page shows an exception."""
    shown = [element.value for element in page.exception]
    assert not shown, f"an exception box: {shown}"


def warm_up() -> None:
    """Opens each page once: imports take longer than a case may."""
    from tests.app.opening import open_page

    with tempfile.TemporaryDirectory() as name, alone(Path(name)):
        for page in ("learn", "train", "compare", "playground"):
            open_page(page)
