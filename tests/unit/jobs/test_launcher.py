"""Training in the background: started once, paused, stopped, taken over."""

import shutil
import signal
import subprocess
import sys
import threading

import psutil
import pytest

from mnist_core import paths
from mnist_core.config import Execution
from mnist_core.errors import InputError, LabError
from mnist_core.jobs import launcher, scheduler, standby
from mnist_core.jobs.worker import carry_out
from mnist_core.models import make_config
from mnist_core.runs.folder import RunFolder
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from tests.stores import quick_config as config
from tests.unit.jobs.processes import TRAINING, age, at_work, sleeper, wait_for


@pytest.fixture(autouse=True)
def nobody_left(store):
    """Training outlives whoever started it, but no test."""
    yield
    standby.end(store)
    for run in store.list()[0]:
        launcher.stop(store, run.id, grace=0.1)


def race(store, count=4):
    """Starts the same config from so many threads at once; returns the runs they get."""
    runs, barrier = [], threading.Barrier(count)

    def begin():
        barrier.wait()
        runs.append(launcher.start(store, config(epochs=12)))

    threads = [threading.Thread(target=begin) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return runs


def test_many_starts_make_one_run_on_standby_that_survives_edited_sources_and_a_pause(
    lab, tmp_path, monkeypatch
):
    copy = shutil.copytree(paths.PROJECT / "mnist_core", tmp_path / "copy" / "mnist_core")
    monkeypatch.setattr(launcher, "START_GRACE", 300.0)  # a busy machine takes its time
    monkeypatch.setattr(standby, "ANSWER", 300.0)
    with monkeypatch.context() as patch:
        patch.setattr(paths, "PROJECT", tmp_path / "copy")
        standby.prepare(lab, config(activation="ELU"))
        wait_for(lambda: standby.is_ready(lab))
        ready = standby.find(lab).process
        runs = race(lab)
    assert [run.summary.process for run in runs] == [ready] * 4
    run = runs[0]
    assert run.state == "queued"
    wait_for(lambda: run.folder.progress().get("phase") == "training")
    for path in copy.rglob("*.py"):
        path.write_text("this is no program")
    wait_for(lambda: lab.get(run.id).summary.epochs_done >= 1)
    launcher.pause(lab, run.id)
    wait_for(lambda: lab.get(run.id).state in ("paused", "done"))
    wait_for(lambda: not ready.find())
    ended = carry_out(lab, run.config, Execution())
    execution = Execution(device="cpu", threads=ended.summary.threads)
    whole = carry_out(RunStore(tmp_path / "other"), run.config, execution)
    assert ended.summary.weights_sha256 == whole.summary.weights_sha256
    assert launcher.start(lab, run.config).state == "done"


def test_runs_queue_and_stop_ends_all_processes_that_wait_for_the_run(lab):
    first = config(epochs=1000, batch_size=1, lr=1e-4)  # outlasts what happens beside it
    second, third = config(epochs=1, seed=2), config(seed=3)
    launcher.start(lab, first)
    wait_for(lambda: lab.get(first.id).state == "running")  # or the next would take it up
    command = [sys.executable, "-m", "mnist_core", "train", "--resume", first.id]
    waiting = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    assert b"waiting for it" in waiting.stderr.readline()
    wait_for(lambda: lab.get(first.id).summary.epochs_done >= 1)
    launcher.start(lab, second)
    assert launcher.start(lab, third).summary.process.role == scheduler.ROLE
    assert launcher.pause(lab, third.id).state == "paused"
    wait_for(lambda: lab.folder(second.id).progress().get("phase") == "waiting")
    assert lab.get(second.id).state == "queued" and lab.folder(second.id).progress()["ahead"] == 0
    process = lab.get(first.id).summary.process
    stopped = launcher.stop(lab, first.id)
    assert stopped.state == "stopped" and stopped.summary.epochs_done >= 1
    assert not process.find()
    wait_for(lambda: waiting.poll() is not None or lab.get(first.id).state == "running")
    if waiting.poll() is None:  # it took the run up after all: once more
        launcher.stop(lab, first.id)
    waiting.wait(300)
    assert lab.get(first.id).state == "stopped"
    wait_for(lambda: lab.get(second.id).finished)
    assert lab.get(third.id).state == "paused"
    assert not list((lab.root / ".queue").iterdir())


def test_stop_ends_a_process_that_ignores_requests_and_its_children(store):
    process = sleeper(ignore_term=True)
    run = at_work(store, process, phase="training", **TRAINING)
    assert launcher.stop(store, run.id, grace=0.2).state == "stopped"
    assert process.poll() is not None
    assert launcher.stop(store, run.id).state == "stopped"
    code = "import subprocess, time; subprocess.Popen(['sleep', '600']); print(flush=True); "
    parent = subprocess.Popen([sys.executable, "-c", code + "time.sleep(600)"], stdout=-1)
    parent.stdout.readline()
    child = psutil.Process(parent.pid).children()[0]
    launcher.stop(store, at_work(store, parent, seed=2).id, grace=0.1)
    wait_for(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


@pytest.mark.skipif(not psutil.LINUX, reason="elsewhere the system keeps the time of the start")
@pytest.mark.parametrize("seconds", [-3600, 3600])
def test_a_clock_that_jumps_hides_no_process(store, monkeypatch, seconds):
    process = sleeper()
    run = at_work(store, process, phase="training", **TRAINING)
    from psutil import _pslinux

    real = _pslinux.boot_time  # from which the system's clock tells when a process started
    monkeypatch.setattr(_pslinux, "boot_time", lambda: real() + seconds)
    assert store.get(run.id).state == "running"
    assert launcher.start(store, run.config).state == "running"
    assert launcher.stop(store, run.id, grace=0.1).state == "stopped"
    assert process.poll() is not None


def test_a_suspended_process_is_recognised_and_taken_over(store, monkeypatch):
    halted, next_one = sleeper(), sleeper()
    run = at_work(store, halted, phase="training", **TRAINING)
    halted.send_signal(signal.SIGSTOP)
    wait_for(lambda: psutil.Process(halted.pid).status() == psutil.STATUS_STOPPED)
    assert not run.unresponsive
    age(run, 40)
    silent = store.get(run.id)
    assert silent.state == "running" and silent.unresponsive and silent.heartbeat_age > 39
    asked = []
    with monkeypatch.context() as patch:
        patch.setattr(psutil.Process, "terminate", asked.append)
        again = launcher.take_over(store, run.id, lambda store, run: next_one)
    assert not asked and halted.poll() is not None  # it was ended at once
    assert again.state == "queued" and again.summary.process.pid == next_one.pid
    assert not again.unresponsive
    launcher.stop(store, run.id)
    assert next_one.poll() is not None


def test_a_process_of_another_host_counts_as_alive_while_its_heartbeat_is_recent(
    store, monkeypatch
):
    far = Process(pid=1, started=1.0, host="another.example")
    run = store.create(config(), Summary("running", process=far))
    assert run.state == "running" and launcher.start(store, run.config).state == "running"
    with pytest.raises(LabError, match="trains on another.example, which was asked to end it"):
        launcher.stop(store, run.id, grace=0.1)
    assert run.folder.requested() == "stop"
    age(run, 40)  # the other machine is gone
    late = store.get(run.id)
    assert late.state == "interrupted" and not late.unresponsive


def test_a_start_withdraws_a_pause_that_was_not_handled_yet(store):
    process = sleeper()
    run = at_work(store, process, phase="training", **TRAINING)
    with store.lock(run.id):
        assert launcher.pause(store, run.id).state == "running"
        assert run.folder.requested() == "pause"
        assert launcher.start(store, run.config).state == "running"
    assert run.folder.requested() is None
    process.kill()


def test_on_a_full_disk_no_process_is_left_behind(store, monkeypatch):
    process = sleeper()
    run = store.create(config(), Summary("interrupted"))

    def full(self, summary):
        raise LabError("The disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(RunFolder, "write_summary", full)
        with pytest.raises(LabError, match="The disk is full"):
            launcher.start(store, run.config, lambda store, run: process)
    assert process.poll() is not None and store.get(run.id).state == "interrupted"


def test_a_bad_config_is_never_started(store):
    bad = config().replace(model="lenet6")
    with pytest.raises(InputError, match="model: 'lenet6' was given"):
        launcher.start(store, bad)
    assert store.list() == ([], [])


def test_runs_of_small_networks_keep_snapshots():
    kept = {name: launcher.first_summary(make_config(name)) for name in ("lenet5", "mynetv1")}
    assert {name: summary.snapshots for name, summary in kept.items()} == {
        "lenet5": True,
        "mynetv1": False,
    }
