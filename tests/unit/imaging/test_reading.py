"""The shipped LeNet-5 reads drawings of every size, place and pen, and photographs.

All figures: python -m tests.tools.reading
"""

import pytest

from mnist_core.data.idx import missing_files
from mnist_core.evaluation.network import load_network
from mnist_core.paths import data_root
from mnist_core.runs.store import RunStore
from tests.browser.conftest import PROJECT
from tests.tools.reading import accuracy, drawings, photographs


@pytest.fixture(scope="module")
def lenet5():
    return load_network(RunStore(PROJECT / "checkpoints").get("mnist-lenet5-6e531d13ef"))


def test_drawings_of_five_sizes_nine_places_and_three_pens(lenet5):
    read, plain, labels = drawings(canvas=112)
    assert len(read) == 10 * 5 * 9 * 3
    share, unaided = accuracy(lenet5, read, labels), accuracy(lenet5, plain, labels)
    print(f"lenet5 reads {share:.1%} of {len(read)} drawings, {unaided:.1%} as drawn")
    assert share >= 0.97
    assert unaided < 0.5  # or there would be nothing to normalise


def test_photographs_of_ink_on_paper(lenet5, real_data):
    if missing_files("MNIST", data_root()):
        real_data("MNIST")  # skips, or fails where the data set is promised
    images, labels = photographs(24, side=240)
    assert accuracy(lenet5, images, labels) >= 0.9
