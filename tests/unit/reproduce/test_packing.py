"""Packing: what a finished run keeps when it ships, and that its figures stay."""

import pytest

from mnist_core.config import Execution
from mnist_core.evaluation import quantized
from mnist_core.evaluation.predict import evaluate, load_model
from mnist_core.evaluation.robustness import ROBUSTNESS
from mnist_core.files import read_tensors_file
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.reproduce import packing
from mnist_core.reproduce.packing import in_fewer_bits, pack
from tests.stores import make_run

ONE = Execution(threads=1, device="cpu")


def trained(store, **changes):
    quick = {"epochs": 2, "batch_size": 32, "lr": 0.05}
    return carry_out(store, make_config("lenet5", **{**quick, **changes}), ONE)


def names(run):
    return {path.name.partition("-")[0] for path in run.path.iterdir()}


WHOLE = {"config.json", "summary.json", "history.csv", "steps.csv", "weights", "logits.packed.gz"}


@pytest.mark.parametrize(
    "changes, more",
    [
        ({}, {"resume.pt"}),
        ({"schedule": "one-cycle"}, set()),  # it cannot go on
        ({"seed": 2}, set()),
    ],
)
def test_every_seed_keeps_its_logits_and_the_first_keeps_more(lab, changes, more):
    run = trained(lab, **changes)
    figures, logits = evaluate(lab, run), run.logits()["test"]
    pack(lab, run)
    assert names(run) == WHOLE | more
    packed = lab.get(run.id)
    assert packed.history == run.history
    assert (packed.logits()["test"].argmax(1) == logits.argmax(1)).all()
    first = run.config.seed == 1
    assert (packed.summary == run.summary) == first != in_fewer_bits(packed)
    if first:
        assert evaluate(lab, packed) == figures


def test_a_large_resume_state_does_not_ship(lab, monkeypatch):
    monkeypatch.setattr(packing, "STATE_LIMIT", 1000)
    run = trained(lab)
    pack(lab, run)
    assert "resume.pt" not in names(run)


@pytest.mark.parametrize(
    "large, seed, kind, share",
    [(10**9, 2, "-half", 0.6), (1000, 1, "-8bit", 0.4), (1000, 2, "-8bit", 0.4)],
)
def test_weights_ship_in_fewer_bits(lab, monkeypatch, large, seed, kind, share):
    monkeypatch.setattr(packing, "LARGE", large)
    monkeypatch.setattr(quantized, "MANY", 1000)
    run = trained(lab, epochs=4, seed=seed)
    pack(lab, run)
    packed = lab.get(run.id)
    assert f"{kind}.safetensors" in packed.summary.weights and in_fewer_bits(packed)
    kinds = {str(v.dtype) for v in read_tensors_file(packed.path / packed.summary.weights).values()}
    assert kinds == ({"float16"} if kind == "-half" else {"float16", "int8", "float32"})
    assert packed.summary.weights_bytes < share * run.summary.weights_bytes
    assert len(list(packed.path.glob("weights*"))) == 1
    model = load_model(packed)  # checks the new checksum
    assert {str(p.dtype) for p in model.parameters()} == {"torch.float32"}
    figures = evaluate(lab, packed)
    turned = abs(figures["test_accuracy"] - run.summary.test_accuracy) * figures["images"]
    assert turned <= packing.TOLERATED + 0.5
    pack(lab, packed)  # once more changes nothing
    assert lab.get(run.id).summary == packed.summary


def test_weights_that_change_more_images_stay_exact(lab, monkeypatch):
    monkeypatch.setattr(packing, "LARGE", 1000)
    run = trained(lab)
    tried = []

    def wrong(store, run):
        tried.append(run.summary.weights)
        return {"test_accuracy": run.summary.test_accuracy - 0.1, "images": 60}

    monkeypatch.setattr("mnist_core.evaluation.predict.evaluate", wrong)
    pack(lab, run)
    assert [name.rpartition("-")[2] for name in tried] == ["8bit.safetensors", "half.safetensors"]
    assert lab.get(run.id).summary == run.summary
    assert len(list(run.path.glob("weights*"))) == 1
    load_model(lab.get(run.id))


def test_a_run_that_ships_without_weights_keeps_its_logits(lab, monkeypatch):
    run = trained(lab)
    monkeypatch.setattr(packing, "recipe_of", lambda config: "huge")
    monkeypatch.setattr(packing, "WITHOUT_WEIGHTS", (("lenet5", "huge"),))
    (run.path / ROBUSTNESS).write_text("{}")
    pack(lab, run)
    packed = lab.get(run.id)
    assert not packed.has_weights and packed.logits_file.exists()
    assert not (run.path / ROBUSTNESS).exists()
    assert packed.summary.test_accuracy == run.summary.test_accuracy


def test_a_run_that_diverged_keeps_its_curves_only(store):
    run = make_run(store, state="diverged", weights="weights-epoch001.safetensors")
    (run.path / "weights-epoch001.safetensors").write_bytes(b"x")
    pack(store, run)
    packed = store.get(run.id)
    assert packed.summary.weights is None and packed.history == run.history
    assert not list(packed.path.glob("weights*"))
