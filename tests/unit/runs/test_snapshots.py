"""Snapshots: which are kept, their file and its damage, and that training does not notice."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from safetensors.numpy import save

from mnist_core.config import Execution
from mnist_core.errors import LabError, NotFound
from mnist_core.evaluation.predict import load_model
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.extend import branch_off, extended
from mnist_core.runs.snapshots import SNAPSHOTS, kept_steps
from mnist_core.runs.store import RunStore
from mnist_core.training.trainer import Trainer
from tests.stores import make_run, quick_config

WITH = Execution(threads=1, device="cpu", snapshots=True)
STEPS = 7  # in an epoch of the small data set, with batches of 32


def file_of(run):
    return (run.path / SNAPSHOTS).read_bytes()


def test_the_first_steps_and_every_epoch_are_kept_while_there_is_room():
    assert kept_steps(0, 938) == {0}
    assert kept_steps(50, 938) == {0, 1, 3, 10, 30}
    assert kept_steps(3 * 938, 938) == {0, 1, 3, 10, 30, 100, 300, 938, 2 * 938, 3 * 938}
    assert len(kept_steps(13 * 938, 938)) == 20
    ends = [step // 938 for step in sorted(kept_steps(30 * 938, 938)) if step >= 938]
    assert ends == [1, 2, 4, 8, 16, 30]


@given(steps=st.integers(1, 2000), epochs=st.floats(0, 500), more=st.floats(0, 500))
def test_a_longer_run_keeps_what_the_shorter_one_kept_or_could_not_have(steps, epochs, more):
    done, more = int(epochs * steps), int(more * steps)
    shorter, longer = kept_steps(done, steps), kept_steps(done + more, steps)
    assert {step for step in longer if step <= done} <= shorter
    assert len(longer) <= 20 and (done + more) // steps * steps in longer


@pytest.mark.parametrize("engine", ["torch", "native"])
@pytest.mark.parametrize("model", ["lenet5", "fast"])  # with batch normalisation
def test_they_are_the_weights_at_that_step_and_change_no_bit(lab, data, engine, model, tmp_path):
    config = make_config(model, epochs=2, batch_size=32)
    execution = WITH.replace(engine=engine)
    run = carry_out(lab, config, execution)
    without = carry_out(RunStore(tmp_path / "b"), config, execution.replace(snapshots=False))
    assert run.summary.weights_sha256 == without.summary.weights_sha256
    seen = {}
    trainer = Trainer(config, data, execution)

    def note(step):
        state = trainer.model.state_dict()
        floats = {k: v.half().numpy() for k, v in state.items() if v.is_floating_point()}
        seen[(step.epoch - 1) * step.steps + step.step] = floats

    note(type("Start", (), {"epoch": 1, "step": 0, "steps": STEPS}))
    trainer.run_epoch(note)
    trainer.run_epoch(note)
    snapshots = run.snapshots()
    assert [s.step for s in snapshots] == [0, 1, 3, 7, 10, 14]
    assert [s.epoch for s in snapshots] == [0, 0, 0, 1, 1, 2]
    for snapshot in snapshots:
        assert snapshot.weights.keys() == seen[snapshot.step].keys()
        for name, values in snapshot.weights.items():
            np.testing.assert_array_equal(values, seen[snapshot.step][name])
    tensors = {name: torch.tensor(v) for name, v in snapshots[-1].weights.items()}
    missing, unexpected = load_model(run).load_state_dict(tensors, strict=False)
    assert not unexpected and all(name.endswith("num_batches_tracked") for name in missing)


def test_a_resumed_and_an_extended_run_end_with_the_same_file(lab, tmp_path):
    whole = carry_out(RunStore(tmp_path / "whole"), quick_config(epochs=16), WITH)

    def pause(progress):
        if progress["phase"] == "epoch" and progress["epoch"] == 1:
            lab.folder(quick_config(epochs=9).id).request("pause")

    assert carry_out(lab, quick_config(epochs=9), WITH, on_progress=pause).state == "paused"
    parent = carry_out(lab, quick_config(epochs=9), WITH.replace(snapshots=False))  # recorded
    assert parent.summary.snapshots and len(parent.snapshots()) == 14
    longer = extended(parent, 16)
    branch_off(lab, parent, longer)
    child = carry_out(lab, longer, Execution(threads=1, device="cpu"))
    assert file_of(child) == file_of(whole)
    steps = [snapshot.step for snapshot in whole.snapshots()]
    assert steps == [0, 1, 3, 7, 10, 14, 28, 30, 56, 100, 112]
    assert whole.summary.weights_sha256 == child.summary.weights_sha256


def test_a_run_that_kept_none_says_so_and_can_keep_the_later_ones(lab):
    parent = carry_out(lab, quick_config(epochs=1), WITH.replace(snapshots=False))
    with pytest.raises(NotFound, match=r"snapshots\.safetensors is not there"):
        parent.snapshots()
    longer = extended(parent, 2)
    branch_off(lab, parent, longer)
    assert [s.step for s in carry_out(lab, longer, WITH).snapshots()] == [10, 14]


HALF = np.zeros(2, np.float16)


@pytest.mark.parametrize(
    "content, reason",
    [
        (b"torn", "damaged"),
        (save({}), "not of one network"),
        (save({"weight": HALF}), "'weight' is no part of a snapshot"),
        (save({"0/x/weight": HALF}), "is no part of a snapshot"),
        (save({f"0/{'9' * 5000}/weight": HALF}), "is no part of a snapshot"),
        (save({"0/0/weight": HALF, "0/1/bias": HALF}), "not of one network"),
        (save({"0/0/weight": np.zeros(2, np.float32)}), "finite numbers of 16 bits"),
        (save({"0/0/weight": HALF + np.float16(np.nan)}), "finite numbers of 16 bits"),
    ],
)
def test_a_damaged_file_is_one_sentence(store, content, reason):
    run = make_run(store)
    run.folder.write_snapshots(content)
    with pytest.raises(LabError, match=reason):
        run.snapshots()


def test_training_does_not_go_on_from_a_damaged_file(lab):
    def pause(progress):
        if progress["phase"] == "epoch":
            lab.folder(quick_config().id).request("pause")

    run = carry_out(lab, quick_config(), WITH, on_progress=pause)
    run.folder.write_snapshots(b"torn")
    with pytest.raises(LabError, match=r"snapshots\.safetensors is damaged .*; delete it to"):
        carry_out(lab, quick_config(), WITH)
    (run.path / SNAPSHOTS).unlink()
    assert [s.step for s in carry_out(lab, quick_config(), WITH).snapshots()] == [10, 14]
