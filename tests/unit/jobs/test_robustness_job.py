"""Robustness in a process of its own: its progress, its end, and why it failed."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import save

from mnist_core.evaluation import robustness
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


def test_the_process_of_its_own_tells_its_progress_and_can_be_stopped(lab, run):
    robustness_job.start(lab, [run.id])
    at = robustness_job.job(lab)
    assert at.run == run.id and at.total == robustness.STEPS
    process = at.process.find()
    robustness_job.stop(lab)
    process.wait(10)
    assert robustness_job.job(lab) is None


def test_why_it_failed_is_its_last_line(lab):
    assert robustness_job.why_it_failed(lab) == ""
    lab.root.mkdir(exist_ok=True)
    robustness_job.log_path(lab).write_text("x\npython -m mnist_core robustness: no such run\n")
    assert robustness_job.why_it_failed(lab) == "no such run"
