"""A run folder that another version wrote still loads, and goes on.

tests/assets/checkpoints/ holds runs of three epochs on the data set that tests/idx_data.py writes.
One was paused after two epochs, when all modules of the core lay side by side; one within the
second epoch, by the version before processes were told by the machine's boot; and one as a later
version might leave it, with more fields in every file.
"""

import json
import shutil
from pathlib import Path

import pytest

from mnist_core.config import Execution
from mnist_core.errors import NewerVersion
from mnist_core.evaluation.predict import load_model
from mnist_core.jobs import launcher
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.states import RunState

ASSETS = Path(__file__).parents[2] / "assets" / "checkpoints"
RUN_ID = "mnist-ultrasmall-efcbbd0e31"
LAST, NEXT = "mnist-ultrasmall-5914ddeda3", "mnist-ultrasmall-b68798d81e"


@pytest.fixture
def older(lab):
    """A copy of the folder in an empty store."""
    shutil.copytree(ASSETS / RUN_ID, lab.root / RUN_ID)
    return lab.get(RUN_ID)


def test_config_id_figures_and_weights_are_read(older, lab):
    assert [run.id for run in lab.list()[0]] == [RUN_ID] and not lab.list()[1]
    assert older.config == make_config("ultrasmall", epochs=3, batch_size=32)
    assert older.config.id == older.id == RUN_ID
    summary = older.summary
    assert summary.state == RunState.PAUSED and (summary.epochs_done, summary.best_epoch) == (2, 1)
    assert [row["epoch"] for row in older.history] == [1, 2]
    assert older.history[0]["validation_accuracy"] == summary.validation_accuracy
    assert [(row["epoch"], row["step"]) for row in older.step_losses] == [
        (1, 4), (1, 7), (2, 4), (2, 7)
    ]  # fmt: skip
    assert sum(p.numel() for p in load_model(older).parameters()) == summary.parameters


def test_training_goes_on_from_where_it_stopped(older, lab):
    history, step_losses = older.history, older.step_losses
    run = carry_out(lab, older.config, Execution(device="cpu"))
    assert run.state == RunState.DONE and run.summary.epochs_done == 3
    assert run.history[:2] == history and run.step_losses[:4] == step_losses
    assert run.summary.created == older.summary.created
    assert older.summary.engine is None and run.summary.engine == "torch"
    assert run.logits()["test"].shape == (60, 10)


@pytest.mark.parametrize("run_id", [LAST, NEXT])
def test_the_last_and_the_next_versions_runs_go_on_within_their_epoch(lab, run_id):
    shutil.copytree(ASSETS / run_id, lab.root / run_id)
    (run,), damaged = lab.list()
    assert not damaged and run.id == run_id and run.position == "in epoch 2 of 3, step 4 of 7"
    assert launcher.stop(lab, run_id).state == RunState.PAUSED
    history, step_losses = run.history, run.step_losses
    ended = carry_out(lab, run.config, Execution())
    assert ended.state == RunState.DONE and ended.summary.engine == "torch"
    assert ended.history[:1] == history and ended.step_losses[:3] == step_losses[:3]


@pytest.mark.parametrize(
    "name, changes, run_id, told",
    [
        ("config.json", {"noise": 3.0}, "mnist-ultrasmall-0123456789", "its config has 'noise'"),
        ("summary.json", {"state": "archived"}, NEXT, "its state is 'archived'"),
    ],
)
def test_what_only_a_newer_version_knows_is_told_as_that(lab, name, changes, run_id, told):
    path = shutil.copytree(ASSETS / NEXT, lab.root / run_id) / name
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    reason = f"{run_id} was written by a newer version of the lab and was left out: {told}."
    assert [each.reason for each in lab.list()[1]] == [reason]
    with pytest.raises(NewerVersion, match=reason):
        lab.get(run_id)


def test_what_a_newer_version_wrote_is_not_set_aside(lab):
    path = shutil.copytree(ASSETS / NEXT, lab.root / NEXT) / "summary.json"
    config = lab.get(NEXT).config
    path.write_text('{"state": "archived"}')
    with pytest.raises(NewerVersion, match=f"{NEXT} was written by a newer version"):
        carry_out(lab, config, Execution())
    assert path.read_text() == '{"state": "archived"}'
