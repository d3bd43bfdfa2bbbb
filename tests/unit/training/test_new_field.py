"""A field of the config, added to a copy of the core as CONTRIBUTING tells."""

import json
import os
import re
import shutil
import subprocess
import sys

import pytest

from mnist_core.paths import PROJECT
from mnist_core.runs.store import RunStore
from tests.idx_data import write_dataset

TRAIN = ("train", "--model", "lenet5", "--epochs", "1")


@pytest.fixture(scope="module")
def command(tmp_path_factory):
    """Runs a command of the changed core with --json; returns what it printed."""
    place = tmp_path_factory.mktemp("field")
    shutil.copytree(PROJECT / "mnist_core", place / "mnist_core")
    guide = (PROJECT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.split("## Add a field of the config")[1].split("\n## ")[0]
    option, use = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    insert(place / "mnist_core" / "config.py", "    shift: float", option)
    insert(place / "mnist_core" / "training" / "trainer.py", "batch = augment(", use)
    write_dataset(place / "data", "MNIST")

    def run(*arguments, store=place / "store"):
        paths = {"MNIST_DATA": str(place / "data"), "MNIST_CHECKPOINTS": str(store)}
        answer = subprocess.run(
            [sys.executable, "-m", "mnist_core", *arguments, "--json"],
            cwd=place,
            env=os.environ | paths,
            capture_output=True,
            text=True,
            timeout=120,
        )
        assert answer.returncode == 0, answer.stderr
        return json.loads(answer.stdout)

    return run


def insert(path, below, code):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (place,) = (number for number, line in enumerate(lines) if below in line)
    lines.insert(place + 1, code)
    path.write_text("".join(lines), encoding="utf-8")


def test_a_new_field_trains_and_makes_a_run_of_its_own(command):
    without, with_noise = command(*TRAIN), command(*TRAIN, "--noise", "90")
    assert (without["noise"], with_noise["noise"]) == (0.0, 90.0)
    assert without["id"] != with_noise["id"]
    assert without["weights_sha256"] != with_noise["weights_sha256"]


def test_older_runs_keep_their_ids(command):
    store = PROJECT / "checkpoints"
    before = [run.id for run in RunStore(store).list()[0]]
    assert [row["id"] for row in command("runs", store=store)] == before
