"""Robustness of a run: computed from its weights, kept with it, in a process of its own."""

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from mnist_core.data.datasets import load
from mnist_core.data.transforms import resize
from mnist_core.errors import LabError
from mnist_core.evaluation import robustness
from mnist_core.evaluation.predict import load_model, logits_of
from mnist_core.imaging import corruptions
from mnist_core.jobs import robustness_job
from mnist_core.models import create_model, make_config
from tests.stores import make_run


@pytest.fixture
def run(lab):
    """A run with weights, which nobody trained."""
    torch.manual_seed(1)
    made = make_run(lab, make_config("lenet5"))
    state = create_model("lenet5").state_dict()
    fields = made.folder.write_weights(1, save(state))
    made.folder.write_summary(replace(made.summary, **fields))
    return lab.get(made.id)


def test_every_level_is_counted_on_the_test_set(lab, run):
    steps = []
    robustness_job.compute_all(lab, [run.id], lambda run, done: steps.append(done))
    found = robustness.stored(run)
    assert found.images == 60 and steps[-1] == robustness.STEPS and sorted(steps) == steps
    test = load("MNIST").test
    turned = corruptions.corrupt(test.images.numpy(), "rotation", 45)
    pixels = resize(torch.from_numpy(turned), 32, "resize")
    right = (logits_of(load_model(run), pixels, run.config).argmax(1) == test.labels).sum()
    assert dict(found.curves["rotation"])[45] == right
    whole = {dict(found.curves[kind])[each.neutral] for kind, each in robustness_items()}
    assert len(whole) == 1
    assert robustness_job.job(lab) is None
    robustness_job.compute_all(lab, [run.id], pytest.fail)  # kept: nothing to do


def robustness_items():
    return corruptions.CORRUPTIONS.items()


def test_what_is_kept_is_checked(lab, run):
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


def test_a_run_without_weights_says_so(lab):
    bare = make_run(lab, make_config("small"))
    with pytest.raises(LabError, match="no weights"):
        robustness.compute(bare)
    with pytest.raises(LabError, match="None of these"):
        robustness_job.start(lab, [])
