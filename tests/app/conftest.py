"""Pages in tests start no processes by themselves, and leave nothing behind."""

import functools
import sys
import types

import pytest
import streamlit as st
from streamlit.components.v2 import manifest_scanner

from mnist_core.jobs import cost_job, launcher, standby
from mnist_core.models import make_config
from tests.app.play_canvas import Canvas
from tests.stores import make_run


@pytest.fixture(scope="session", autouse=True)
def components_are_looked_for_once():
    """AppTest reads the metadata of all installed packages for each page that it opens."""
    with pytest.MonkeyPatch.context() as patch:
        scan = functools.cache(manifest_scanner.scan_component_manifests)
        patch.setattr(manifest_scanner, "scan_component_manifests", scan)
        yield


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The configs whose speed a page has asked to be measured; nothing is measured."""
    configs = []
    monkeypatch.setattr(
        cost_job, "measure_in_background", lambda store, config: not configs.append(config)
    )
    return configs


@pytest.fixture(autouse=True)
def prepared(monkeypatch):
    """The configs for which a page has asked for a process on standby; none is started."""
    configs = []
    monkeypatch.setattr(standby, "prepare", lambda store, config: configs.append(config))
    return configs


@pytest.fixture(autouse=True)
def no_cookies(monkeypatch):
    """The browser of a first visit; AppTest has none."""
    monkeypatch.setattr(type(st.context), "cookies", {})


@pytest.fixture(autouse=True)
def own_main():
    """AppTest makes the page the main module; a process that is spawned later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main


@pytest.fixture
def started(monkeypatch):
    """The configs that a page has asked the launcher to train; nothing is trained."""
    configs = []
    monkeypatch.setattr(launcher, "start", lambda store, config: configs.append(config))
    return configs


@pytest.fixture
def canvas(monkeypatch):
    """A stand-in for the canvas component, which AppTest cannot run."""
    stand_in = Canvas()
    module = types.ModuleType("streamlit_drawable_canvas")
    module.st_canvas = stand_in.st_canvas
    monkeypatch.setitem(sys.modules, module.__name__, module)
    return stand_in


@pytest.fixture
def three(store):
    """A run for each of three data sets."""
    sets = {"MNIST": 0.991, "FashionMNIST": 0.909, "KMNIST": 0.98}
    return {
        name: make_run(store, make_config("lenet5", dataset=name), accuracy=accuracy)
        for name, accuracy in sets.items()
    }
