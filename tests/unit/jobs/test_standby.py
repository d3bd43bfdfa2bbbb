"""The process on standby: it gets one run, and wherever it is killed, no run is lost.

The processes here wait as the real one does, but do without torch, and say which run they got.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from dataclasses import replace

import psutil
import pytest

from mnist_core import paths
from mnist_core.jobs import handover, launcher, spawn, standby
from mnist_core.jobs.handover import AGREED, WITHDRAWN, Handover
from mnist_core.runs.process import Process
from mnist_core.runs.summary import Summary
from tests.stores import quick_config as config
from tests.unit.jobs.processes import sleeper, wait_for

CODE = """
import sys, time
from mnist_core.config import RunConfig
from mnist_core.jobs import standing_by
from mnist_core.runs.store import RunStore
store, of_use, offered = RunStore(), standing_by._Watch._of_use, False

def look(self, age):  # tells that it has looked; the offer may take as long as it takes
    global offered
    offered = offered or self.handover.offer() is not None
    found = of_use(self, age) if offered else True
    with open(store.root / "looks", "a") as file:
        file.write("look")
    return found

standing_by.CHECK = 0.1
standing_by._Watch._of_use = look
standing_by._get_ready = lambda config, watch: watch.handover.mark_ready()
handed = standing_by.stand_by(store, RunConfig(), float(sys.argv[1]))
print("got", handed and handed.run_id, flush=True)
time.sleep(600 if handed else 0)
"""


@pytest.fixture
def light(store, monkeypatch):
    """Processes without torch stand by; they end with the test."""
    processes = []

    def start(store, arguments, log):
        idle = arguments[arguments.index("--standby") + 1]
        command = [sys.executable, "-c", CODE, idle]
        variables = spawn.environment(store) | {"PYTHONPATH": str(paths.PROJECT)}
        processes.append(subprocess.Popen(command, env=variables, stderr=log.open("wb")))
        return processes[-1]

    monkeypatch.setattr(standby.spawn, "start", start)
    monkeypatch.setattr(standby, "PAUSE", 0.0)
    monkeypatch.setattr(standby, "ANSWER", 300.0)  # on a busy machine, too, they all answer
    store.root.mkdir()
    yield processes
    for process in processes:
        process.kill()
        process.wait()


def on_standby(store):
    """The process on standby, ready."""
    standby.prepare(store, config())
    wait_for(lambda: standby.is_ready(store))
    return standby.find(store).process.find()


def created(store, seed=1):
    return store.create(config(seed=seed), Summary("interrupted"))


def log_of(store, run):
    log = run.folder.log_file
    return log.read_text() if log.exists() else ""


def test_there_is_one_at_a_time_and_it_gets_one_run(store, light):
    process = on_standby(store)
    standby.prepare(store, config())
    assert len(light) == 1
    run, other = created(store), created(store, seed=2)
    assert standby.take(store, run.id) == process
    assert standby.take(store, other.id) is None and standby.find(store) is None
    wait_for(lambda: log_of(store, run) == f"got {run.id}\n")
    assert on_standby(store) != process and process.is_running()
    standby.end(store)
    assert standby.find(store) is None and light[1].poll() is not None and light[0].poll() is None
    assert [file.name for file in (store.root / ".standby").rglob("*.*")] == ["config.json"]


def test_of_many_that_have_a_run_one_gets_the_process(store, light):
    process = on_standby(store)
    runs = [created(store, seed) for seed in range(4)]
    got, barrier = {}, threading.Barrier(4)

    def take(run):
        barrier.wait()
        got[run.id] = standby.take(store, run.id)

    threads = [threading.Thread(target=take, args=(run,)) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [run for run in runs if got[run.id]]
    assert [got[run.id] for run in winners] == [process]
    wait_for(lambda: log_of(store, winners[0]))
    assert [log_of(store, run) for run in runs].count("") == 3


def test_the_launcher_names_it_and_a_kill_before_training_leaves_a_run_that_can_go_on(store, light):
    process = on_standby(store)
    run = launcher.start(store, config())
    assert run.state == "queued" and run.summary.process == Process.of(process.pid)
    process.kill()
    process.wait()
    assert store.get(run.id).state == "interrupted"
    next_one = on_standby(store)
    again = launcher.start(store, run.config)
    assert again.state == "queued" and again.summary.process.pid == next_one.pid
    assert launcher.stop(store, run.id, grace=0.1).state == "stopped"
    wait_for(lambda: not next_one.is_running())


def test_one_that_was_killed_while_it_waited_is_replaced(store, light):
    process = on_standby(store)
    process.kill()
    process.wait()
    assert standby.find(store) is None and standby.take(store, created(store).id) is None
    assert on_standby(store).is_running()
    assert len(list((store.root / ".standby").rglob("[0-9]*.json"))) == 1


def test_one_that_does_not_answer_gets_no_run_even_when_it_wakes_up(store, light, monkeypatch):
    monkeypatch.setattr(standby, "ANSWER", 0.2)
    process, run = on_standby(store), created(store)
    process.send_signal(signal.SIGSTOP)
    wait_for(lambda: process.status() == psutil.STATUS_STOPPED)  # a signal takes its time
    assert standby.take(store, run.id) is None
    assert standby.find(store) is None
    process.send_signal(signal.SIGCONT)
    wait_for(lambda: light[0].poll() is not None)
    assert log_of(store, run) == ""


def test_processes_that_end_at_once_are_not_started_again_and_again(store, light, monkeypatch):
    monkeypatch.setattr(standby, "IDLE", 0.0)
    monkeypatch.setattr(standby, "PAUSE", 3600.0)
    for _ in range(3):
        standby.prepare(store, config())
        light[0].wait(300)
    assert len(light) == 1


def test_the_first_to_decide_decides(store):
    ours, theirs = Handover(store.root, 1), Handover(store.root, 1)
    ours.request("mnist-lenet5-0123456789")
    assert theirs.requested() == "mnist-lenet5-0123456789" and not theirs.is_decided
    assert theirs.decide(AGREED) and not ours.decide(WITHDRAWN) and ours.is_decided
    ours.clear()
    assert theirs.requested() is None and theirs.offer() is None


def test_it_ends_when_nobody_comes(store, light, monkeypatch):
    monkeypatch.setattr(standby, "IDLE", 0.5)
    standby.prepare(store, config())
    wait_for(lambda: light[0].poll() is not None)
    assert standby.find(store) is None


@pytest.fixture
def offered(store, light):
    """What a process on standby offers, and a way to change that."""
    process = on_standby(store)
    place = Handover(store.root, process.pid)

    def change(**fields):
        place.write_offer(replace(place.offer(), **fields))

    return change


def test_it_ends_with_the_server_that_started_it(offered, store, light):
    server = sleeper()
    offered(starter=Process.of(server.pid))
    looks = store.root / "looks"
    before = looks.stat().st_size
    wait_for(lambda: looks.stat().st_size > before + len("look"))  # the second knows of it
    assert light[0].poll() is None
    server.kill()
    server.wait()
    wait_for(lambda: light[0].poll() is not None)


def test_it_ends_when_the_sources_change_and_with_its_store(offered, store, light):
    offered(sources="older")
    assert standby.take(store, created(store).id) is None
    wait_for(lambda: light[0].poll() is not None)
    on_standby(store)
    shutil.rmtree(store.root / ".standby")
    wait_for(lambda: light[1].poll() is not None)


def test_a_server_with_another_environment_does_without_it(offered, store, light, monkeypatch):
    server = sleeper()
    offered(starter=Process.of(server.pid))
    monkeypatch.setenv("MNIST_DATA", "elsewhere")
    assert standby.take(store, created(store).id) is None
    standby.prepare(store, config())  # that of the other server stays
    assert len(light) == 1 and light[0].poll() is None
    offered(starter=Process.of(os.getpid()))
    on_standby(store)  # our own is replaced
    assert light[0].poll() is not None and standby.take(store, created(store).id)
    server.kill()
    server.wait()


def test_a_change_of_any_source_file_is_seen(tmp_path, monkeypatch):
    source = tmp_path / "mnist_core" / "models" / "lenet.py"
    source.parent.mkdir(parents=True)
    source.touch()
    monkeypatch.setattr(paths, "PROJECT", tmp_path)
    seen = {handover.sources()}
    (source.parent / "__pycache__").mkdir()
    (source.parent / "__pycache__" / "lenet.pyc").touch()
    assert handover.sources() in seen
    for change in (lambda: source.write_text("1"), lambda: os.utime(source, (1, 1)), source.unlink):
        change()
        assert handover.sources() not in seen
        seen.add(handover.sources())


def test_a_damaged_offer_counts_as_none(offered, store, light):
    path = next((store.root / ".standby").rglob("[0-9]*.json"))
    for content in (
        b"",
        b"[]",
        b"{}",
        b'{"process": 3}',
    ):
        path.write_bytes(content)
        assert standby.find(store) is None and standby.take(store, created(store).id) is None
