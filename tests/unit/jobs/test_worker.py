"""Runs carried out whole: what is kept, pause, stop, and what is refused."""

import os
import shutil
from copy import deepcopy

import pytest
import torch

from mnist_core.cli.main import main
from mnist_core.config import Execution
from mnist_core.errors import InputError, LabError
from mnist_core.evaluation.metrics import confusion, metrics
from mnist_core.evaluation.predict import evaluate
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.summary import Summary
from tests.idx_data import write_dataset
from tests.stores import quick_config as config

CPU = Execution(device="cpu")

ONE = Execution(threads=1, device="cpu")

NATIVE = ONE.replace(engine="native")


@pytest.fixture(params=["torch", "native"])
def one(request):
    """One thread, with each engine."""
    return ONE.replace(engine=request.param)


def test_a_finished_run_keeps_what_later_pages_need(lab, one):
    run = carry_out(lab, config(epochs=4), one)
    summary = run.summary
    assert run.state == "done" and run.has_weights and summary.process is None
    assert [row["epoch"] for row in run.history] == [1, 2, 3, 4]
    best = run.history[summary.best_epoch - 1]
    assert summary.validation_accuracy == best["validation_accuracy"]
    assert (summary.parameters, summary.receptive_field, summary.threads) == (61_706, 14, 1)
    assert (summary.engine, summary.engine_note) == (one.engine, "")
    assert summary.macs == 416_520 and summary.versions["torch"] == torch.__version__
    logits, labels = run.logits(), lab.labels(run)
    for part, accuracy in [
        ("validation", summary.validation_accuracy),
        ("test", summary.test_accuracy),
    ]:
        assert metrics(logits[part], labels[part]).accuracy == accuracy
    assert confusion(logits["test"].argmax(axis=1), labels["test"], 10).sum() == 60
    assert run.folder.progress() == {} and len(list(run.path.glob("weights*"))) == 1


def test_the_weights_are_those_of_the_best_epoch(lab):
    run = carry_out(lab, config(epochs=6), ONE)
    best = carry_out(lab, config(epochs=run.summary.best_epoch), ONE)
    assert run.summary.weights_sha256 == best.summary.weights_sha256
    assert run.summary.test_accuracy == best.summary.test_accuracy


def test_figures_are_the_same_from_weights_and_from_kept_logits(lab, monkeypatch, tmp_path):
    run = carry_out(lab, config(), ONE)
    computed = evaluate(lab, run)
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    kept = evaluate(lab, run)
    assert computed["from"] != kept["from"]
    assert computed["test_accuracy"] == kept["test_accuracy"] == run.summary.test_accuracy
    assert computed["confusion"] == kept["confusion"]


def test_a_finished_run_is_not_trained_again(lab):
    first = carry_out(lab, config(), ONE)
    written = (first.path / "summary.json").stat().st_mtime_ns
    again = carry_out(lab, config(), ONE)
    assert again.summary == first.summary
    assert (first.path / "summary.json").stat().st_mtime_ns == written


@pytest.mark.parametrize("asked, state", [("pause", "paused"), ("stop", "stopped")])
def test_paused_or_stopped_and_resumed_ends_in_the_same_bits(lab, asked, state, one, tmp_path):
    whole = carry_out(lab, config(epochs=3), one).summary.weights_sha256
    other = type(lab)(tmp_path / "other")
    epochs = []

    def request(progress):
        if progress["phase"] == "epoch":
            epochs.append(progress["epoch"])
            if len(epochs) == 1:
                other.folder(config(epochs=3).id).request(asked)

    broken = carry_out(other, config(epochs=3), one, on_progress=request)
    assert broken.state == state and broken.summary.epochs_done < 3
    run = carry_out(other, config(epochs=3), ONE)  # which takes the engine that is recorded
    assert (
        run.state == "done"
        and run.summary.engine == one.engine
        and run.summary.weights_sha256 == whole
    )
    assert [row["epoch"] for row in run.history] == [1, 2, 3]


def after_checks(number, what):
    """Asks when a run looks for the number-th time what is asked of it."""
    left = iter(range(number - 1))
    return lambda: None if next(left, None) is not None else what


@pytest.mark.parametrize("asked, state", [("pause", "paused"), ("stop", "stopped")])
def test_a_pause_keeps_the_steps_of_the_epoch(lab, asked, state, one, tmp_path, monkeypatch):
    monkeypatch.setattr("mnist_core.jobs.progress.PERIOD", 0.0)  # looks after every step
    settings, one = config(dropout=0.2), one.replace(snapshots=True, echo_every=1)
    whole = carry_out(type(lab)(tmp_path / "whole"), settings, one)
    for checks, position in [
        (5, "in epoch 1 of 2, step 3 of 7"),  # twice before the first step
        (5, "in epoch 1 of 2, step 6 of 7"),
        (7, "in epoch 2 of 2, step 3 of 7"),  # once between the epochs
    ]:
        run = carry_out(lab, settings, one, signalled=after_checks(checks, asked))
        assert (run.state, run.position) == (state, position)
        done = 7 * run.summary.epochs_done + run.summary.step
        assert run.step_losses == whole.step_losses[:done]
        steps = [snapshot.step for snapshot in run.snapshots()]
        assert steps == [step for step in (0, 1, 3, 7, 10, 14) if step <= done]
    told = []
    run = carry_out(lab, settings, one, on_progress=lambda now: told.append(deepcopy(now)))
    training = next(each for each in told if each["phase"] == "training")
    assert [step for step, _ in training["losses"]] == [1, 2, 3, 4]
    assert run.state == "done" and (run.summary.step, run.summary.steps) == (None, None)
    assert run.summary.weights_sha256 == whole.summary.weights_sha256
    assert run.step_losses == whole.step_losses
    for name in ("train_loss", "train_accuracy", "train_top5", "validation_loss"):
        assert [row[name] for row in run.history] == [row[name] for row in whole.history]
    assert (run.path / SNAPSHOTS).read_bytes() == (whole.path / SNAPSHOTS).read_bytes()


def test_a_diverged_run_is_a_result_with_a_sentence(lab, one):
    wild = config(lr=10, epochs=9)
    run = carry_out(lab, wild, one)
    assert run.state == "diverged" and "at learning rate 10" in run.summary.note
    assert carry_out(lab, wild, ONE).state == "diverged"
    assert run.summary.test_accuracy is None


def test_a_missing_data_set_leaves_no_empty_run(lab):
    with pytest.raises(LabError, match="QMNIST could not be downloaded"):
        carry_out(lab, make_config("lenet5", dataset="QMNIST"), ONE)
    assert lab.list() == ([], [])


def test_damaged_data_or_a_missing_device_leave_no_empty_run(lab, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(lab.root / "none"))  # nothing is downloaded before
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(InputError, match="which this machine lacks"):
        carry_out(lab, config(), Execution(device="cuda"))
    monkeypatch.setenv("MNIST_DATA", str(write_dataset(tmp_path / "torn", train=12)))
    (tmp_path / "torn" / "MNIST" / "raw" / "t10k-images-idx3-ubyte").write_bytes(b"torn")
    with pytest.raises(LabError, match="t10k-images-idx3-ubyte is not an IDX file"):
        carry_out(lab, config(), ONE)
    assert lab.list() == ([], [])


def test_an_engine_that_cannot_be_leaves_no_empty_run(lab, no_compiler):
    with pytest.raises(InputError, match=r"engine: 'native' was given; .* No C compiler was found"):
        carry_out(lab, config(), NATIVE)
    assert lab.list() == ([], [])


def test_without_a_compiler_training_uses_torch_and_says_so(lab, no_compiler):
    told = []
    run = carry_out(lab, config(), ONE, on_progress=told.append)
    assert run.state == "done" and run.summary.engine == "torch"
    note = run.summary.engine_note
    assert note.startswith("No C compiler was found") and note.endswith("which takes longer.")
    assert [each["note"] for each in told if each["phase"] == "note"] == [note]


def test_a_run_that_began_natively_goes_on_where_there_is_no_compiler(lab, request):
    def pause(progress):
        if progress["phase"] == "epoch":
            lab.folder(config().id).request("pause")

    begun = carry_out(lab, config(), NATIVE, on_progress=pause)
    assert begun.summary.engine == "native"
    request.getfixturevalue("no_compiler")
    run = carry_out(lab, config(), ONE)
    assert run.state == "done" and run.summary.engine == "torch" and run.summary.engine_note


def test_a_run_whose_data_is_missing_says_why_it_was_interrupted(lab):
    queued = make_config("lenet5", dataset="QMNIST")
    lab.create(queued, Summary("interrupted"))
    with pytest.raises(LabError):
        carry_out(lab, queued, ONE)
    run = lab.get(queued.id)
    assert run.state == "interrupted" and "QMNIST could not be downloaded" in run.summary.note


def test_whatever_torch_raises_is_one_sentence_with_status_2(lab, monkeypatch, capsys):
    def broken(*arguments, seed):
        raise ValueError("Expected more than 1 value per channel\nwhen training")

    monkeypatch.setattr("mnist_core.training.engines.TorchEngine.step", broken)
    assert main(["train", "--engine", "torch", "--epochs", "1"]) == 2
    said = "Training ended with ValueError: Expected more than 1 value per channel."
    assert capsys.readouterr().err.endswith(f"train: {said}\n")
    assert [run.summary.note for run in lab.list()[0]] == [said]


def test_an_unexpected_error_is_noted_in_the_summary(lab, monkeypatch):
    def exhausted(*arguments):
        raise MemoryError("no memory\nfor this")

    monkeypatch.setattr(RunFolder, "write_resume_state", exhausted)
    with pytest.raises(LabError, match="There is not enough memory to train with batches of 32;"):
        carry_out(lab, config(), ONE)
    run = lab.get(config().id)
    assert run.state == "interrupted" and run.summary.process is None
    assert run.summary.note.startswith("There is not enough memory")


def test_deleting_the_folder_ends_training_and_the_folder_stays_away(lab):
    def delete(progress):
        if progress["phase"] == "epoch":
            shutil.rmtree(lab.folder(config().id).path)

    with pytest.raises(LabError, match="was deleted; nothing more is written there"):
        carry_out(lab, config(), ONE, on_progress=delete)
    assert lab.list() == ([], []) and not lab.folder(config().id).path.exists()


def test_two_that_train_at_once_share_the_machine(lab, monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 6)
    large = [config(seed=seed, batch_size=1000) for seed in (1, 2)]
    runs = [carry_out(lab, each, CPU, at_once=lambda: 3) for each in large]
    assert [run.summary.threads for run in runs] == [2, 2]
    recorded = lab.create(config(seed=3), Summary("interrupted", threads=1, device="cpu"))
    assert carry_out(lab, recorded.config, CPU, at_once=lambda: 3).summary.threads == 1
