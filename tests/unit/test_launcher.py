"""Training in a process of its own: one run for two starts, and kills that lose nothing."""

import os
import signal
import subprocess
import sys
import time

import pytest

from mnist_core import launcher
from mnist_core.config import Execution
from mnist_core.errors import InputError
from mnist_core.models import make_config
from mnist_core.summary import Process, Summary
from mnist_core.worker import carry_out

ONE = Execution(threads=1, device="cpu")


def config(**changes):
    quick = {"epochs": 2, "batch_size": 32, "lr": 0.05}
    return make_config("lenet5", **{**quick, **changes})


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


def test_the_launcher_trains_apart_and_two_starts_make_one_run(lab):
    first = launcher.start(lab, config())
    second = launcher.start(lab, config())
    assert first.id == second.id and first.state in ("queued", "running")
    wait_for(lambda: lab.get(first.id).finished)
    assert lab.get(first.id).state == "done"
    assert launcher.start(lab, config()).state == "done"


def test_stop_ends_the_process_and_keeps_what_is_done(lab):
    long = config(epochs=1000)
    run = launcher.start(lab, long)
    wait_for(lambda: lab.get(run.id).summary.epochs_done >= 2)
    process = lab.get(run.id).summary.process.find()
    stopped = launcher.stop(lab, run.id)
    assert stopped.state == "stopped" and stopped.summary.epochs_done >= 2
    assert not process.is_running() or process.status() == "zombie"
    assert launcher.stop(lab, run.id).state == "stopped"


def test_stop_ends_a_process_that_does_not_listen(lab):
    deaf = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    process = subprocess.Popen([sys.executable, "-c", deaf])
    time.sleep(0.5)
    lab.create(config(), Summary("running", process=Process.of(process.pid)))
    assert launcher.stop(lab, config().id, grace=0.3).state == "stopped"
    assert process.poll() is not None


def test_a_killed_process_is_interrupted_and_goes_on_to_the_same_bits(lab, tmp_path):
    settings = config(epochs=8)
    whole = carry_out(type(lab)(tmp_path / "other"), settings, ONE).summary
    lab.create(settings, Summary("interrupted", threads=1, device="cpu"))
    for kill_after in (1, 3):
        run = launcher.start(lab, settings)
        wait_for(lambda n=kill_after: lab.get(settings.id).summary.epochs_done >= n)
        os.kill(lab.get(settings.id).summary.process.pid, signal.SIGKILL)
        wait_for(lambda: lab.get(settings.id).state != "running", 5)
        if lab.get(settings.id).finished:
            break
        assert lab.get(run.id).state == "interrupted"
    launcher.start(lab, settings)
    wait_for(lambda: lab.get(settings.id).finished)
    assert lab.get(settings.id).summary.weights_sha256 == whole.weights_sha256


def test_stop_also_ends_those_who_waited_for_the_run(lab):
    long = config(epochs=1000)
    run = launcher.start(lab, long)
    wait_for(lambda: lab.get(run.id).summary.epochs_done >= 1)
    command = [sys.executable, "-m", "mnist_core", "train", "--resume", run.id]
    waiting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert b"waiting for it" in waiting.stderr.readline()
    assert launcher.stop(lab, run.id).state == "stopped"
    wait_for(lambda: waiting.poll() is not None or lab.get(run.id).state == "running", 30)
    if waiting.poll() is None:  # it took the run up after all: once more
        launcher.stop(lab, run.id)
    assert waiting.wait(30) is not None
    assert lab.get(run.id).state == "stopped"


def test_runs_take_turns(lab):
    first, second = config(epochs=1000), config(epochs=1, seed=2)
    launcher.start(lab, first, at_once=1)
    wait_for(lambda: lab.get(first.id).state == "running")
    launcher.start(lab, second, at_once=1)
    wait_for(lambda: lab.progress(second.id).get("phase") == "waiting")
    assert lab.get(second.id).state == "queued"
    launcher.stop(lab, first.id)
    wait_for(lambda: lab.get(second.id).finished)


def test_a_bad_config_is_never_started(store):
    bad = config().replace(model="lenet6")
    with pytest.raises(InputError, match="model: 'lenet6' was given"):
        launcher.start(store, bad)
    assert store.list() == ([], [])
