"""`train` in a process of its own: killed, stopped by Ctrl-C, its terminal closed, its output full.

So that all of it happens in the middle of an epoch on any machine, the process stands still there
until it is let go.
"""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from mnist_core.config import Execution
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.store import RunStore
from tests.unit.jobs.processes import wait_for

FRESH = ["train", "--model", "lenet5", "--epochs", "3", "--batch-size", "32", "--lr", "0.05"]
FRESH += ["--threads", "1"]
# The command, which after the step that is named says so with a file, and waits for it to go.
HELD = """
import sys, time
from pathlib import Path
from mnist_core.cli.main import main
from mnist_core.jobs import progress

here, epoch, number = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
progress.PERIOD = 0.0  # it looks after every step for what it is asked
on_step = progress.Reporter.on_step

def held(self, step):
    if (step.epoch, step.step) == (epoch, number):
        here.touch()
        while here.exists():
            time.sleep(0.01)
    on_step(self, step)

progress.Reporter.on_step = held
sys.exit(main(sys.argv[4:]))
"""


@contextmanager
def held(here, epoch, step, *arguments, **pipes):
    """The process, as it stands still after this step; at the end it is gone."""
    command = [sys.executable, "-c", HELD, str(here), str(epoch), str(step), *arguments]
    process = subprocess.Popen(command, **pipes)
    try:
        wait_for(lambda: here.exists() or process.poll() is not None)
        assert process.poll() is None, "it has ended before"
        yield process
    finally:
        process.kill()
        process.wait()
        here.unlink(missing_ok=True)


def test_killed_stopped_and_without_its_terminal_it_ends_in_the_same_bits(lab, tmp_path):
    here, silent = tmp_path / "here", {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with held(here, 2, 3, *FRESH, **silent) as process:
        process.kill()
        process.wait()
    (run,) = lab.list()[0]
    assert run.state == "interrupted" and run.summary.epochs_done == 1

    resume = ["train", "--resume", run.id]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    with held(here, 2, 5, *resume, **pipes) as process:
        process.send_signal(signal.SIGINT)
        here.unlink()
        out, errors = process.communicate(timeout=300)
    assert process.returncode == 1 and f"Continue: train --resume {run.id}" in out
    assert "Traceback" not in errors
    stopped = lab.get(run.id)
    assert stopped.state == "stopped" and stopped.position == "in epoch 2 of 3, step 5 of 7"

    reader, writer = os.pipe()
    pipes = {"stdout": subprocess.PIPE, "stderr": writer, "text": True}
    with held(here, 3, 2, *resume, "--json", **pipes) as process:
        os.close(writer)
        os.close(reader)
        process.send_signal(signal.SIGHUP)
        here.unlink()
        out, _ = process.communicate(timeout=300)
    answer = json.loads(out)
    assert process.returncode == 0 and (answer["state"], answer["epochs_done"]) == ("done", 3)
    execution = Execution(device="cpu", threads=answer["threads"])
    whole = carry_out(RunStore(tmp_path / "whole"), run.config, execution)
    assert whole.summary.weights_sha256 == answer["weights_sha256"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs Linux")
def test_output_for_which_there_is_no_room_is_told_once(lab):
    with open("/dev/full", "wb") as full:
        command = [sys.executable, "-m", "mnist_core", "datasets"]
        done = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1
    assert done.stderr.endswith("datasets: output: No space left on device\n")
