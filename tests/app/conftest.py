"""Pages in tests start no processes by themselves."""

import pytest

from mnist_core import speed


@pytest.fixture(autouse=True)
def measured(monkeypatch):
    """The configs whose speed a page has asked to be measured; nothing is measured."""
    configs = []
    monkeypatch.setattr(
        speed, "measure_in_background", lambda store, config: configs.append(config)
    )
    return configs
