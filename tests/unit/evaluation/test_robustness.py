"""Robustness of a run: computed from its weights, and stored with it."""

import json

import pytest
import torch

from mnist_core.data.datasets import load
from mnist_core.data.transforms import resize
from mnist_core.errors import LabError
from mnist_core.evaluation import robustness
from mnist_core.evaluation.predict import load_model, logits_of
from mnist_core.imaging import corruptions
from mnist_core.models import make_config
from tests.stores import add_run, make_run


@pytest.fixture
def run(lab):
    return add_run(lab)


def test_every_level_is_counted_on_the_test_set(run):
    steps = []
    found = robustness.compute(run, steps.append)
    assert found.images == 60 and steps[-1] == robustness.STEPS and sorted(steps) == steps
    test = load("MNIST").test
    turned = corruptions.corrupt(test.images.numpy(), "rotation", 45)
    pixels = resize(torch.from_numpy(turned), 32, "resize")
    right = (logits_of(load_model(run), pixels, run.config).argmax(1) == test.labels).sum()
    assert dict(found.curves["rotation"])[45] == right
    uncorrupted = {dict(found.curves[kind])[each.neutral] for kind, each in robustness_items()}
    assert len(uncorrupted) == 1


def robustness_items():
    return corruptions.CORRUPTIONS.items()


def test_what_is_stored_is_checked(run):
    assert robustness.stored(run) is None
    path = run.path / "robustness.json"
    curves = {kind: [[level, 3] for level in each.levels] for kind, each in robustness_items()}
    good = {"format": robustness.FORMAT, "weights_sha256": run.summary.weights_sha256}
    good |= {"images": 60, "curves": curves}
    path.write_text(json.dumps(good))
    assert robustness.stored(run).curves["scale"][0] == (0.5, 3)
    path.write_text(json.dumps(good | {"weights_sha256": "other"}))
    assert robustness.stored(run) is None
    for bad in ({"images": 2}, {"images": None}, {"curves": {}}, {"curves": {"rotation": 1}}):
        path.write_text(json.dumps(good | bad))
        with pytest.raises(LabError, match="damaged"):
            robustness.stored(run)
    for text in ("{", "[]", "[" * 100_000):
        path.write_text(text)
        with pytest.raises(LabError, match="damaged"):
            robustness.stored(run)


def test_a_run_without_weights_is_an_error(lab):
    bare = make_run(lab, make_config("small"))
    with pytest.raises(LabError, match="no weights"):
        robustness.compute(bare)
