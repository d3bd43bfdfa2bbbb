"""Networks compiled for tests: quickly, and into a folder of the test run's own."""

import pytest

from mnist_core.engine import compiler
from mnist_core.engine.network import NativeNetwork


@pytest.fixture(scope="session")
def library_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("libraries")


@pytest.fixture
def build(library_cache, monkeypatch):
    """build(model, shape, batch_size, threads) -> NativeNetwork. The same code as elsewhere, but
    optimised less, which compiles three times as fast."""
    flags = tuple("-O0" if flag == "-O3" else flag for flag in compiler.FLAGS)
    monkeypatch.setattr(compiler, "FLAGS", flags)
    opened = []

    def make(model, shape, batch_size, threads=1):
        opened.append(NativeNetwork(model, shape, batch_size, threads, cache=library_cache))
        return opened[-1]

    yield make
    for network in opened:
        network.close()
