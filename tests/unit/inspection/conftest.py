"""A trained network, and a digit that it reads."""

import pytest

from mnist_core.evaluation.network import load_network
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.paths import PROJECT
from mnist_core.runs.store import RunStore
from tests.drawing import draw


@pytest.fixture(scope="module")
def lenet():
    return load_network(RunStore(PROJECT / "checkpoints").get("mnist-lenet5-6e531d13ef"))


@pytest.fixture(scope="module")
def seven():
    return from_canvas(draw(7)).final
