"""Fine-tuned runs, from the command to what is kept; with the small data set."""

import json
import time

import numpy as np
import pytest
from numpy.testing import assert_allclose

from mnist_core.analysis.describe import describe, full_name
from mnist_core.analysis.fine_tuned import outcome
from mnist_core.analysis.table import runs_table
from mnist_core.cli.main import main
from mnist_core.config import Execution
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import Source, read_tuning_set
from mnist_core.errors import LabError
from mnist_core.evaluation.ensemble import best_of_each
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.predictions import logits_and_labels
from mnist_core.export.card import card
from mnist_core.export.notebook import notebook
from mnist_core.export.script import script_source
from mnist_core.inspection import novelty
from mnist_core.inspection.novelty_fit import adapted, fitted
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.fine_tune import plan, prepare
from mnist_core.jobs.permissions import Visitor
from mnist_core.jobs.worker import carry_out
from tests.idx_data import pictures
from tests.stores import add_run

LAYERS = "conv 8 5x5 stride 2, relu, pool 2, flatten, linear 10"
TORCH = Execution(engine="torch", device="cpu", threads=1)


@pytest.fixture
def parent(lab):
    """A small network that has learned nothing, and 24 drawings that are easy to learn."""
    own = Handwriting(lab.root, "MNIST")
    labels = np.arange(24) % 10
    for image, label in zip(pictures(labels, seed=9), labels.tolist(), strict=True):
        own.add(image, label)
    return add_run(lab, "custom", layers=LAYERS, epochs=2)


@pytest.fixture
def run(capsys):
    def run(*arguments):
        status = main([*arguments, "--json"])
        out, err = capsys.readouterr()
        return json.loads(out) if out else None, status, err

    return run


def teach(run, parent, *more, digits="everybody"):
    return run("fine-tune", parent.id, "--digits", digits, "--engine", "torch", *more)


def test_the_command_makes_a_run_and_says_what_it_brought(lab, parent, run, data):
    began = time.process_time()
    row, status, _ = teach(run, parent, "--part", "all", "--epochs", "8", "--lr", "0.01")
    assert status == 0 and row["parent"] == parent.id and row["state"] == "done"
    found, made = row["fine_tuning"], lab.get(row["id"])
    assert (found["part"], found["drawings"], found["folds"]) == ("all", 24, 10)
    before = load_network(parent)
    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    right = before.logits(drawings.images).argmax(1) == drawings.labels
    assert found["left_out"]["before"]["right"] == right.sum()
    assert found["left_out"]["after"]["right"] > right.sum()  # bars at ten places
    images, labels = data.test.images.numpy(), data.test.labels.numpy()
    for when, network in (("before", before), ("after", load_network(made))):
        counted = (network.logits(images).argmax(1) == labels).sum()
        assert found["test"][when]["right"] == counted
    assert made.summary.test_accuracy == found["test"]["after"]["accuracy"]
    assert metrics(made.logits()["test"], lab.labels(made)["test"]).accuracy == (
        made.summary.test_accuracy
    )
    assert row["epochs"] == row["epochs_done"] == 8
    assert [row["epoch"] for row in made.history] == list(range(1, 9))
    assert made.history[-1]["validation_accuracy"] == made.summary.validation_accuracy
    unseen = load_network(made).logits(data.validation.images[32:].numpy())  # a fifth of 40
    expected = metrics(unseen, data.validation.labels[32:].numpy())
    assert made.summary.validation_accuracy == expected.accuracy
    assert_allclose(made.summary.validation_loss, expected.loss, rtol=1e-3)
    kept, true = logits_and_labels(lab, made, "validation")
    assert np.array_equal(true, data.validation.labels[32:])
    assert_allclose(kept, unseen, rtol=1e-2, atol=1e-2)
    assert (found["epochs"], found["lr"]) == (8, 0.01)
    assert made.summary.seconds == found["seconds_in_all"]
    assert made.summary.cpu_seconds <= time.process_time() - began
    turned = len(found["turned_right"]) - len(found["turned_wrong"])
    assert turned == found["left_out"]["after"]["right"] - right.sum()
    again, _, _ = teach(run, parent, "--part", "all", "--epochs", "8", "--lr", "0.01")
    assert again["cached"] and again["id"] == row["id"]
    assert {each["id"] for each in run("runs")[0]} == {parent.id, row["id"]}
    assert "fine-tuned on 24 drawings" in full_name(made.config).lower()


def test_it_is_a_run_like_any_other_but_stands_for_no_network(lab, parent, run):
    row, _, _ = teach(run, parent, "--part", "last", "--epochs", "2")
    made = lab.get(row["id"])
    assert best_of_each([made, parent], "MNIST") == [parent]
    table = runs_table(lab, [made, parent])
    assert list(table["kind"]) == ["fine-tuned", ""]
    assert describe(made.config).startswith("Fine-tuned on 24 drawings (last layer) from ")
    text = card(made)["README.md"].decode()
    assert "## Fine-tuning" in text and "| drawings, each left out (24) |" in text
    assert "7 images of the data set for each drawing" in text and "test images in view" in text
    assert "fine-tuned on 24 drawings" in script_source(made)
    (cells,) = (json.loads(file)["cells"] for file in notebook(made).values())
    assert "fine-tuned on 24 drawings" in "".join(cells[0]["source"])
    assert "tuning" not in "".join(cells[2]["source"])
    _, status, err = teach(run, made)
    assert status == 2 and f"give the run that it comes from, {parent.id}" in err
    file = lab.root / "c.json"
    file.write_text(json.dumps(made.config.replace(seed=2).to_dict()))
    _, status, err = run("train", "--config", str(file))
    assert status == 2 and "fine-tune custom" not in err and "--digits SET" in err


def test_a_run_that_was_stopped_begins_anew_and_ends_with_the_same_bits(lab, parent, tmp_path):
    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    config = plan(lab, parent, drawings, "all", epochs=4)
    prepare(lab, parent, config, drawings)
    lab.get(config.id).folder.request("stop")
    stopped = carry_out(lab, config, TORCH)
    assert stopped.state == "stopped" and outcome(stopped) is None
    whole = carry_out(lab, config, TORCH)
    assert whole.state == "done"
    first = whole.summary.weights_sha256
    (whole.path / "summary.json").unlink()
    prepare(lab, parent, config, drawings)
    assert carry_out(lab, config, TORCH).summary.weights_sha256 == first


def test_drawings_that_came_later_change_nothing_and_removed_ones_are_missed(lab, parent):
    own = Handwriting(lab.root, "MNIST")
    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    config = plan(lab, parent, drawings, epochs=1)
    prepare(lab, parent, config, drawings)
    own.add(np.full((28, 28), 9, np.uint8), 3)
    assert carry_out(lab, config, TORCH).state == "done"
    other = plan(lab, parent, drawings, epochs=2)
    prepare(lab, parent, other, drawings)
    own.remove(drawings.files[0])
    with pytest.raises(LabError, match="have changed since or were removed"):
        carry_out(lab, other, TORCH)
    assert "have changed since" in lab.get(other.id).summary.note
    assert outcome(lab.get(config.id)).report.folds == 10


def test_without_the_data_set_only_the_last_layer_learns_and_says_so(
    lab, parent, run, capsys, monkeypatch, tmp_path
):
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "nothing"))
    _, status, err = teach(run, parent, "--part", "all")
    assert status == 2 and "only the last layer can learn" in err
    row, status, _ = teach(run, parent, "--epochs", "2")
    assert status == 0 and row["fine_tuning"]["test"] is None and row["fine_tuning"]["mixed"] == 0
    assert row["validation_accuracy"] is None and row["test_accuracy"] is None
    main(["fine-tune", parent.id, "--digits", "everybody", "--epochs", "2"])
    told = capsys.readouterr().out
    assert "was there already" in told and "What it forgot was neither limited nor measured" in told
    own = Handwriting(lab.root, "MNIST")
    for sample in own.samples():
        if sample.label == 3:
            own.remove(sample.file)
    _, status, err = teach(run, parent)
    assert status == 2 and "too few of 3" in err


@pytest.mark.parametrize(
    "options, words",
    [
        (("--part", "first"), "part: 'first' was given; allowed is last or all"),
        (("--epochs", "0"), "epochs: '0' was given; allowed is a whole number from 1 to 200"),
        (("--lr", "5"), "lr: '5' was given; allowed is a number from 1e-06 to 0.1"),
    ],
)
def test_bad_options_are_refused(parent, run, options, words):
    _, status, err = teach(run, parent, *options)
    assert status == 2 and words in err and err.count("\n") == 1


def test_the_threshold_of_novelty_is_set_on_images_that_were_not_learned(lab, parent, data):
    of_parent = fitted(load_network(parent), images=120)
    parent.folder.write_beside(novelty.NAME, of_parent.to_bytes(parent))
    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    config = plan(lab, parent, drawings, "all", epochs=2)
    prepare(lab, parent, config, drawings)
    made = carry_out(lab, config, TORCH)
    unseen = data.validation.images[32:].numpy()
    expected = adapted(of_parent, load_network(made), unseen).threshold
    assert novelty.stored(made).threshold == pytest.approx(expected, rel=1e-3)


def test_a_start_that_fails_leaves_a_run_that_its_visitor_can_begin_again(lab, parent, monkeypatch):
    def fails(*_):
        raise LabError("no process can be started")

    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    anne, bob = (Actions(lab, Visitor(name, trusted=False)) for name in ("anne", "bob"))
    with monkeypatch.context() as patch:
        patch.setattr("mnist_core.jobs.launcher.start", fails)
        with pytest.raises(LabError, match="no process can be started"):
            anne.fine_tune(parent, drawings, "last")
    begun = []
    monkeypatch.setattr("mnist_core.jobs.launcher.start", lambda _, config: begun.append(config))
    with pytest.raises(LabError, match="Only the person who started this run can continue"):
        bob.fine_tune(parent, drawings, "last")
    anne.fine_tune(parent, drawings, "last")
    assert len(begun) == 1 and anne.may_control_id(begun[0].id)


def test_a_visitor_begins_one_within_the_limits_and_owns_it(lab, parent, monkeypatch):
    begun = []
    monkeypatch.setattr("mnist_core.jobs.launcher.start", lambda _, config: begun.append(config))
    drawings = read_tuning_set(lab.root, "MNIST", Source("everybody"))
    monkeypatch.setenv("MNIST_LIMITS", "launches_per_hour = 1\nepochs = 1")
    anne, bob = (Actions(lab, Visitor(name, trusted=False)) for name in ("anne", "bob"))
    anne.fine_tune(parent, drawings, "last")
    (config,) = begun
    assert anne.may_control_id(config.id) and not bob.may_control_id(config.id)
    with pytest.raises(LabError, match="1 run per hour"):
        anne.fine_tune(parent, drawings, "all")
    with pytest.raises(LabError, match="Only the person who started this run can continue"):
        bob.fine_tune(parent, drawings, "last")
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    with pytest.raises(LabError, match="only for looking and drawing"):
        bob.fine_tune(parent, drawings, "all")
    assert begun == [config]
