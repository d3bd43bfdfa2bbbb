"""Pages in tests start no processes by themselves, and leave nothing behind."""

import sys

import pytest

from mnist_core.jobs import cost_job


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The configs whose speed a page has asked to be measured; nothing is measured."""
    configs = []
    monkeypatch.setattr(
        cost_job, "measure_in_background", lambda store, config: configs.append(config)
    )
    return configs


@pytest.fixture(autouse=True)
def own_main():
    """AppTest makes the page the main module; a process that is spawned later would run it."""
    main = sys.modules["__main__"]
    yield
    sys.modules["__main__"] = main
