"""Training a finished run on: the bits of a longer run, also after a kill; and what cannot be."""

import shutil
from functools import partial

import pytest

from mnist_core.config import Execution
from mnist_core.errors import InputError
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.extend import branch_off, extended
from mnist_core.runs.summary import Summary
from tests.stores import quick_config as config
from tests.unit.jobs.killing import each_kill

ONE = Execution(threads=1, device="cpu")


def contents(path):
    """Of the run's files but its summary, whose figures training takes from the resume state."""
    kept = {file.name: file.read_bytes() for file in path.iterdir() if file.name[0] != "."}
    return {name: content for name, content in kept.items() if name != "summary.json"}


def test_extending_is_a_new_run_with_its_parent(lab, tmp_path):
    whole = carry_out(type(lab)(tmp_path / "other"), config(epochs=4), ONE)
    parent = carry_out(lab, config(), ONE)
    longer = extended(parent, 4)
    branch_off(lab, parent, longer)
    path = lab.get(longer.id).path
    branched = contents(path)
    begin_anew = partial(shutil.rmtree, path, ignore_errors=True)
    for _ in each_kill(begin_anew, partial(branch_off, lab, parent, longer), lab.root):
        assert not lab.list()[1]
        branch_off(lab, parent, longer)
        assert contents(path) == branched and lab.get(longer.id).summary.parent == parent.id
    child = carry_out(lab, longer, ONE)
    assert child.summary.parent == parent.id and child.id == whole.id
    assert child.summary.weights_sha256 == whole.summary.weights_sha256
    assert [row["train_loss"] for row in child.history] == [
        row["train_loss"] for row in whole.history
    ]
    assert lab.get(parent.id).summary.weights_sha256 == parent.summary.weights_sha256
    (parent.path / "resume.pt").unlink()
    branch_off(lab, parent, longer)  # it has begun, and needs its parent no more
    with pytest.raises(InputError, match="has no resume state; train a new run"):
        branch_off(lab, parent, extended(parent, 5))


def test_what_cannot_be_extended_says_why(lab):
    parent = carry_out(lab, config(), ONE)
    with pytest.raises(InputError, match="epochs: 2 was given, .* has 2, so give 3 or more"):
        extended(parent, 2)
    for schedule in ("cosine", "one-cycle"):
        run = lab.create(config(schedule=schedule), Summary("done"))
        with pytest.raises(InputError, match="depends on its length, .* train a new run with"):
            extended(run, 4)
    stopped = lab.create(config(seed=5), Summary("stopped"))
    with pytest.raises(InputError, match="is stopped; only a run that is done"):
        extended(stopped, 4)
