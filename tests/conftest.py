"""Fixtures for all tests. Threads wait asleep, as in the lab's own processes."""

import os
import sys
from pathlib import Path

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ["CFLAGS"] = "-O1"  # networks compile in half the time

import pytest
from hypothesis import settings

from mnist_core.data import datasets
from mnist_core.data.idx import missing_files
from mnist_core.runs.store import RunStore
from tests.idx_data import write_dataset
from tests.scheduling import ByFile, in_browser

# The same examples on every machine and in every run: a failure is never a matter of luck.
settings.register_profile("lab", derandomize=True, deadline=None)
settings.load_profile("lab")


def pytest_collection_modifyitems(items):
    """The tests in a browser come first: they take longest."""
    items.sort(key=lambda item: not in_browser(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    return ByFile(config, log)


@pytest.fixture(scope="session", autouse=True)
def compiled_networks(tmp_path_factory):
    """The folder of compiled networks, one for all processes of this test run."""
    folder = tmp_path_factory.getbasetemp()
    folder = folder.parent if "PYTEST_XDIST_WORKER" in os.environ else folder
    os.environ["MNIST_CACHE"] = str(folder / "networks")


@pytest.fixture(scope="session", autouse=True)
def no_waiting_for_the_disk():
    """What tests write need not outlast a power cut."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, "fsync", lambda _: None)
        yield


@pytest.fixture
def no_compiler(monkeypatch):
    """As on a machine without any C compiler."""
    monkeypatch.setenv("PATH", "")
    monkeypatch.delenv("CC", raising=False)
    monkeypatch.setitem(sys.modules, "ziglang", None)


@pytest.fixture(scope="session")
def small_data(tmp_path_factory):
    """A folder with a small MNIST: 240 training images, 60 test images."""
    return write_dataset(tmp_path_factory.mktemp("data"))


REAL_DATA = os.environ.get("MNIST_DATA")  # as it was before any test set it


@pytest.fixture
def real_data():
    """Loads a data set from MNIST_DATA. Without that folder the test is skipped; in CI, where
    the folder is promised, a set that is missing from it is a failure."""

    def load(name):
        if REAL_DATA and not missing_files(name, Path(REAL_DATA)):
            return datasets.load(name, Path(REAL_DATA), download=False)
        assert not (REAL_DATA and os.environ.get("CI")), f"{name} is missing from {REAL_DATA}"
        pytest.skip(f"no {name} in MNIST_DATA")

    return load


@pytest.fixture
def store(tmp_path, monkeypatch):
    """An empty run store that commands and pages use, too."""
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(tmp_path / "store"))
    return RunStore(tmp_path / "store")


@pytest.fixture
def lab(store, small_data, monkeypatch):
    """The empty store, with the small data set as MNIST_DATA."""
    monkeypatch.setenv("MNIST_DATA", str(small_data))
    return store


@pytest.fixture(scope="session")
def data(small_data):
    """The small data set, loaded."""
    return datasets.load("MNIST", small_data)
