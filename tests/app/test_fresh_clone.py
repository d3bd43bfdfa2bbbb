"""What a newcomer sees who has the runs that ship and no data set: nothing is missing."""

import re
from pathlib import Path

import pytest

from mnist_core.models.zoo import shipped_ids
from tests.app.opening import open_page, texts_of

SHIPPED = Path(__file__).parents[2] / "checkpoints"
MISSING = re.compile(
    r"not shown|not computed|missing|not on this machine|left out|no weights|no snapshots"
    r"|do not ship|kept no|shown instead",
    re.I,
)
# Words that are on the page while the tab is open, and not otherwise.
TRAIN = {
    "Its mistakes": "are classified wrongly",
    "First kernels": "6 kernels of 5×5 weights",
    "Watch it learn": "A run whose training was recorded",
    "Training images": "Each epoch trains on",
    "Challenges": "The validation accuracy decides",
    "Files and command": "This command trains the same run",
}
PLAYGROUND = {
    "Why": "Class to explain",
    "Fool it": "Fast gradient sign method",
    "Move it": "Turn clockwise",
    "Watch it learn": "A run whose training was recorded",
    "My digits": "No drawings are saved yet",
    "How it was prepared": "Skip centring",
}
TABS = [("train", *each) for each in TRAIN.items()]
TABS += [("playground", *each) for each in PLAYGROUND.items()]


@pytest.fixture
def fresh(store, monkeypatch):
    """The shipped runs of the networks that the pages open with, and no images."""
    opening = [
        name for name in shipped_ids() if name.startswith(("mnist-lenet5-", "mnist-medium-"))
    ]
    store.root.mkdir()
    for name in ("labels", "grid", *opening):
        (store.root / name).symlink_to(SHIPPED / name)
    monkeypatch.setenv("MNIST_DATA", str(store.root / "nothing"))


@pytest.mark.parametrize("name, tab, shown", TABS)
def test_no_tab_says_that_something_is_missing(name, tab, shown, fresh, canvas):
    key = "train_tab" if name == "train" else "play_tab"
    said = " ".join(texts_of(open_page(name, **{key: tab})))
    assert shown in said
    found = MISSING.search(said)
    assert not found, said[max(0, found.start() - 80) :][:200]
