"""The runs that ship: whole, consistent with what their summaries say, and without images."""

from pathlib import Path

import pytest

from mnist_core.datasets import resize
from mnist_core.evaluation import confusion, load_model, logits_of, metrics
from mnist_core.runs import RunStore

SHIPPED = RunStore(Path(__file__).parents[2] / "checkpoints")
RUNS = [run for run in SHIPPED.list()[0] if run.state == "done" and run.has_weights]


def test_every_data_set_with_images_at_hand_has_a_lenet5():
    trained = {run.config.dataset for run in RUNS if run.row()["recipe"] == "reference"}
    assert {"MNIST", "FashionMNIST", "KMNIST"} <= trained
    assert SHIPPED.list()[1] == []


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_its_files_agree(run):
    summary = run.summary
    load_model(run)  # checks the checksum, too
    best = run.history[summary.best_epoch - 1]
    assert best["validation_accuracy"] == summary.validation_accuracy
    assert len(run.history) == summary.epochs_done
    logits, labels = run.logits(), SHIPPED.labels(run)
    for part in ("validation", "test"):
        figures = metrics(logits[part], labels[part])
        assert figures.accuracy == pytest.approx(getattr(summary, f"{part}_accuracy"), abs=1e-9)
    assert confusion(logits["test"], labels["test"]).sum() == len(labels["test"])


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_its_weights_give_its_test_accuracy_again(run, real_data):
    test = real_data(run.config.dataset).test
    pixels = resize(test.images, run.config.input_size, run.config.fit)
    logits = logits_of(load_model(run), pixels, run.config).numpy()
    assert metrics(logits, test.labels.numpy()).accuracy == run.summary.test_accuracy
