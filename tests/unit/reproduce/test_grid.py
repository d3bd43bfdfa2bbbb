"""The grid: its points, and how it is made."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs.pool import Made, carry_out_here, train_all
from mnist_core.models import make_config, recipe_of
from mnist_core.models.grid import AXES, DATASETS, grid_configs
from mnist_core.paths import PROJECT
from mnist_core.reproduce.grid import WORKSHOP, make_grid
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.columns import LEFT_OUT
from mnist_core.runs.store import RunStore
from tests.stores import make_run
from tests.unit.jobs.processes import wait_for


@pytest.mark.parametrize("dataset", DATASETS)
def test_the_grid_has_every_setting_of_the_sliders_once(dataset):
    configs = grid_configs(dataset)
    assert len(configs) == len({config.id for config in configs}) == 10 * 5 * 7 * 3
    for name, values in AXES.items():
        assert {getattr(config, name) for config in configs} == set(values)
    fixed = {"model": "lenet5", "dataset": dataset, "epochs": 3, "optimizer": "SGD", "seed": 1}
    fixed |= {"momentum": 0.9, "weight_decay": 5e-4, "schedule": "constant", "rotation": 0}
    for config in configs:
        assert fixed.items() <= config.to_dict().items()
    assert recipe_of(configs[0]) == "grid"


@pytest.fixture(scope="module")
def three():
    """Three points of a small grid: one of them diverges."""
    base = make_config("lenet5", "grid", epochs=1, batch_size=64)
    return [base, base.replace(lr=0.001), base.replace(lr=10, batch_size=8)]


def one_after_another(store, configs, at_once, train_one):
    """In this process; those of a real pool are in the test with Ctrl-C."""
    for count, config in enumerate(configs, start=1):
        yield Made(train_one(store, config), count, len(configs), 0.0)


def test_what_is_missing_is_made_and_what_is_there_is_kept(lab, three, monkeypatch):
    monkeypatch.setattr("mnist_core.reproduce.grid.train_all", one_after_another)
    first = make_grid(lab, 1, configs=three[:1])[0]
    heard = []
    runs = make_grid(lab, 1, heard.append, configs=three)
    assert [run.config for run in runs] == three and runs[0] == first
    assert [made.done for made in heard] == [2, 3] and heard[-1].total == 3
    assert [run.state for run in runs] == ["done", "done", "diverged"]
    assert [(run.summary.threads, run.summary.device) for run in runs] == [(1, "cpu")] * 3
    assert len(runs[0].history) == 1 and runs[0].step_losses
    assert runs[0].first_kernels().shape == (6, 5, 5)
    wrong, labels = runs[0].mistakes(), lab.labels(runs[0])["test"]
    assert len(wrong.index) == round((1 - runs[0].summary.test_accuracy) * len(labels))
    assert (labels[wrong.index] != wrong.answer).all()
    assert not [path.name for path in lab.root.iterdir() if path.name.startswith(".making")]
    assert make_grid(lab, 1, heard.append, configs=three) == runs and len(heard) == 2


def test_finished_folders_in_the_workshop_are_bundled_without_training(lab, three):
    workshop = RunStore(lab.root / WORKSHOP)
    trained = [carry_out_here(workshop, config, "cpu") for config in three[:2]]
    figures = [(run.summary, run.history, run.first_kernels().tolist()) for run in trained]
    other = make_run(workshop, make_config("medium"), state="paused")
    heard = []
    runs = make_grid(lab, 1, heard.append, configs=three[:2])
    assert not heard and not any(run.path.exists() for run in (*trained, *runs))
    assert figures == [
        (replace(run.summary, **left_out(before)), run.history, run.first_kernels().tolist())
        for run, before in zip(runs, trained, strict=True)
    ]
    assert other.path.exists()


def left_out(run):
    return {name: getattr(run.summary, name) for name in LEFT_OUT}


def test_folders_stay_until_the_file_holds_them(lab, three, monkeypatch):
    workshop = RunStore(lab.root / WORKSHOP)
    run = carry_out_here(workshop, three[0], "cpu")
    content = (run.path / "history.csv").read_bytes()
    monkeypatch.setattr("mnist_core.reproduce.bundling.write_bundle", lambda *_: None)
    with pytest.raises(LabError, match="its folder is kept"):
        make_grid(lab, 1, configs=three[:1])
    assert (run.path / "history.csv").read_bytes() == content


def test_it_goes_on_after_ctrl_c(lab, small_data):
    """The command, interrupted twice, leaves whole runs and no process behind."""
    command = [sys.executable, "-m", "mnist_core", "reproduce", "grid", "--at-once", "2"]
    command += ["--only", "mnist"]
    env = os.environ | {"MNIST_CHECKPOINTS": str(lab.root), "MNIST_DATA": str(small_data)}
    process = subprocess.Popen(
        command,
        cwd=PROJECT,
        env=env,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=_hear_ctrl_c,
    )
    line = process.stderr.readline()
    assert line.startswith("1/1050 · mnist-lenet5-")
    os.killpg(process.pid, signal.SIGINT)
    assert process.wait(300) == 130
    assert 1 <= len(read_bundle(lab.bundle_path("MNIST")).runs) < 1050
    assert not [run for run in RunStore(lab.root / WORKSHOP).list()[0] if run.finished]
    wait_for(lambda: is_gone(process.pid))


def is_gone(group):
    """Whether no process of the group is left; one that ended shows until the system notes it."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    return False


def _hear_ctrl_c():
    """A suite that a shell put in the background ignores Ctrl-C, and so would what it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _end(store, config):
    os._exit(1)


def test_a_training_process_that_is_ended_is_a_sentence(lab, three):
    with pytest.raises(LabError, match="ended from outside; the same command goes on"):
        list(train_all(lab, three[:2], 1, _end))
