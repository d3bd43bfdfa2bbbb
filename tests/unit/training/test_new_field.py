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

TRAIN = ["train", "--model", "lenet5", "--epochs", "1"]
# One process for all commands: each would import torch anew.
CODE = """
import json, os, sys
from mnist_core.cli.main import main

for store, arguments in json.loads(sys.argv[1]):
    os.environ["MNIST_CHECKPOINTS"] = store
    status = main([*arguments, "--json"])
    if status:
        sys.exit(status)
json.dump("torch._dynamo" in sys.modules, sys.stdout)
"""


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    """What commands of the changed core print, and at last whether they loaded torch._dynamo."""
    place = tmp_path_factory.mktemp("field")
    shutil.copytree(PROJECT / "mnist_core", place / "mnist_core")
    guide = (PROJECT / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = guide.split("## Add a field of the config")[1].split("\n## ")[0]
    option, use = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    insert(place / "mnist_core" / "config.py", "    shift: float", option)
    insert(place / "mnist_core" / "training" / "trainer.py", "batch = augment(", use)
    write_dataset(place / "data", "MNIST")
    new, shipped = str(place / "store"), str(PROJECT / "checkpoints")
    commands = [(new, TRAIN), (new, [*TRAIN, "--noise", "90"]), (shipped, ["runs"])]
    done = subprocess.run(
        [sys.executable, "-c", CODE, json.dumps(commands)],
        cwd=place,
        env=os.environ | {"MNIST_DATA": str(place / "data")},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return list(values_in(done.stdout))


def values_in(text):
    """One JSON value after the other."""
    while text := text.lstrip():
        value, end = json.JSONDecoder().raw_decode(text)
        yield value
        text = text[end:]


def insert(path, below, code):
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    (place,) = (number for number, line in enumerate(lines) if below in line)
    lines.insert(place + 1, code)
    path.write_text("".join(lines), encoding="utf-8")


def test_a_new_field_trains_and_makes_a_run_of_its_own(answers):
    without, with_noise = answers[:2]
    assert (without["noise"], with_noise["noise"]) == (0.0, 90.0)
    assert without["id"] != with_noise["id"]
    assert without["weights_sha256"] != with_noise["weights_sha256"]


def test_older_runs_keep_their_ids(answers):
    before = [run.id for run in RunStore(PROJECT / "checkpoints").list()[0]]
    assert [row["id"] for row in answers[2]] == before


def test_training_loads_no_compiler_of_torch(answers):
    assert answers[3] is False
