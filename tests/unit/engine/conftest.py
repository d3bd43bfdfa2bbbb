"""Networks compiled for tests: quickly, and into a folder of the test run's own."""

import pytest

from mnist_core.engine.network import NativeNetwork


@pytest.fixture(scope="session")
def library_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture
def build(library_cache, monkeypatch):
    """build(model, shape, batch_size, threads) -> NativeNetwork. The same code as elsewhere, but
    not optimised, which compiles several times as fast."""
    monkeypatch.setenv("CFLAGS", "-O0")
    opened = []

    def make(model, shape, batch_size, threads=1):
        opened.append(NativeNetwork(model, shape, batch_size, threads, cache=library_cache))
        return opened[-1]

    yield make
    for network in opened:
        network.close()
