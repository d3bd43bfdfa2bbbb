"""Robustness computed in a background process."""

import pytest

from mnist_core.errors import LabError
from mnist_core.evaluation import robustness
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.jobs import robustness_job
from mnist_core.models import make_config
from mnist_core.runs import trash
from tests.stores import add_run, make_run


def test_what_is_stored_is_not_computed_again(lab):
    run, steps = add_run(lab), []
    robustness_job.compute_all(lab, [run.id], lambda run, done: steps.append(done))
    assert steps[-1] == robustness.STEPS and sorted(steps) == steps
    assert robustness_job.job(lab) is None and robustness.stored(run).images == 60
    robustness_job.compute_all(lab, [run.id], pytest.fail)


def test_a_run_deleted_meanwhile_stays_deleted(store, monkeypatch):
    deleted, other = make_run(store), make_run(store, make_config("small"))

    def compute(run, tell):
        if run.id == deleted.id:
            trash.delete(store, run.id)
        return robustness.Robustness(1, {kind: [] for kind in CORRUPTIONS})

    monkeypatch.setattr(robustness_job, "compute", compute)
    robustness_job.compute_all(store, [deleted.id, other.id], lambda *_: None)
    assert not deleted.path.exists() and robustness.stored(other).images == 1


def test_the_process_reports_its_progress_and_can_be_stopped(lab):
    run = add_run(lab)
    robustness_job.start(lab, [run.id])
    at = robustness_job.job(lab)
    assert at.run == run.id and at.total == robustness.STEPS
    process = at.process.find()
    robustness_job.stop(lab)
    process.wait(300)
    assert robustness_job.job(lab) is None


def test_there_is_nothing_to_start_without_runs(lab):
    with pytest.raises(LabError, match="None of these"):
        robustness_job.start(lab, [])


def test_why_it_failed_is_the_last_line_of_its_log(lab):
    assert robustness_job.why_it_failed(lab) == ""
    lab.root.mkdir(exist_ok=True)
    robustness_job.log_path(lab).write_text("x\npython -m mnist_core robustness: no such run\n")
    assert robustness_job.why_it_failed(lab) == "no such run"
