"""Packing: what a finished run keeps when it ships, and that its figures stay."""

import pytest

from mnist_core.config import Execution
from mnist_core.errors import LabError
from mnist_core.evaluation.predict import evaluate, load_model
from mnist_core.files import read_tensors_file
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.reproduce import packing
from mnist_core.reproduce.packing import pack
from tests.stores import make_run

ONE = Execution(threads=1, device="cpu")


def trained(store, **changes):
    quick = {"epochs": 2, "batch_size": 32, "lr": 0.05}
    return carry_out(store, make_config("lenet5", **{**quick, **changes}), ONE)


def names(run):
    return {path.name.partition("-")[0] for path in run.path.iterdir()}


WHOLE = {"config.json", "summary.json", "history.csv", "steps.csv", "weights"}


@pytest.mark.parametrize(
    "changes, more",
    [
        ({}, {"logits.safetensors", "resume.pt"}),
        ({"schedule": "one-cycle"}, {"logits.safetensors"}),  # it cannot go on
        ({"seed": 2}, set()),
    ],
)
def test_the_first_seed_keeps_more_than_the_others(lab, changes, more):
    run = trained(lab, **changes)
    figures = evaluate(lab, run)
    pack(lab, run)
    assert names(run) == WHOLE | more
    packed = lab.get(run.id)
    assert packed.summary == run.summary and packed.history == run.history
    assert evaluate(lab, packed) == figures


def test_a_large_resume_state_does_not_ship(lab, monkeypatch):
    monkeypatch.setattr(packing, "STATE_LIMIT", 1000)
    run = trained(lab)
    pack(lab, run)
    assert "resume.pt" not in names(run)


def test_large_weights_ship_in_half_precision(lab, monkeypatch):
    monkeypatch.setattr(packing, "LARGE", 1000)
    run = trained(lab, epochs=4)
    pack(lab, run)
    packed = lab.get(run.id)
    halves = read_tensors_file(packed.path / packed.summary.weights)
    assert {str(values.dtype) for values in halves.values()} == {"float16"}
    assert packed.summary.weights_bytes < 0.6 * run.summary.weights_bytes
    assert len(list(packed.path.glob("weights*"))) == 1
    model = load_model(packed)  # checks the new checksum
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    figures = evaluate(lab, packed)
    turned = abs(figures["test_accuracy"] - run.summary.test_accuracy) * figures["images"]
    assert turned <= packing.TOLERATED + 0.5
    pack(lab, packed)  # once more changes nothing
    assert lab.get(run.id).summary == packed.summary


def test_half_precision_that_turns_images_is_refused(lab, monkeypatch):
    monkeypatch.setattr(packing, "LARGE", 1000)
    run = trained(lab)
    wrong = {"test_accuracy": run.summary.test_accuracy - 0.1, "images": 60}
    monkeypatch.setattr("mnist_core.evaluation.predict.evaluate", lambda store, run: wrong)
    with pytest.raises(LabError, match="half precision changes 6 predictions"):
        pack(lab, run)
    assert lab.get(run.id).summary == run.summary
    load_model(lab.get(run.id))


def test_a_run_that_diverged_keeps_its_curves_only(store):
    run = make_run(store, state="diverged", weights="weights-epoch001.safetensors")
    (run.path / "weights-epoch001.safetensors").write_bytes(b"x")
    pack(store, run)
    packed = store.get(run.id)
    assert packed.summary.weights is None and packed.history == run.history
    assert not list(packed.path.glob("weights*"))
