"""A run folder that an older version wrote still loads, and goes on.

tests/assets/checkpoints/ holds a run of three epochs, paused after two, on the data set that
tests/idx_data.py writes. It was written when all modules of the core lay side by side.
"""

import shutil
from pathlib import Path

import pytest

from mnist_core.config import Execution
from mnist_core.evaluation.predict import load_model
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.states import RunState

ASSETS = Path(__file__).parents[2] / "assets" / "checkpoints"
RUN_ID = "mnist-ultrasmall-efcbbd0e31"


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
