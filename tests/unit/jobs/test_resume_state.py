"""A resume state of an older version, damaged or forged: it goes on, or a sentence says why not."""

import io
import math
import shutil
import zipfile

import pytest
import torch

from mnist_core.config import Execution
from mnist_core.errors import LabError
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from tests.idx_data import write_dataset
from tests.stores import quick_config as config

ONE = Execution(threads=1, device="cpu")


@pytest.fixture(scope="module")
def half_way(small_data, tmp_path_factory):
    """A store whose run was paused after the first of its two epochs."""
    store = RunStore(tmp_path_factory.mktemp("half"))

    def pause(progress):
        if progress["phase"] == "epoch":
            store.folder(config().id).request("pause")

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MNIST_DATA", str(small_data))
        assert carry_out(store, config(), ONE, on_progress=pause).state == "paused"
    return store


@pytest.fixture
def paused(lab, half_way):
    """That run, in a store of the test's own."""
    shutil.copytree(half_way.root, lab.root, dirs_exist_ok=True)
    return lab.get(config().id)


def rewrite(run, change):
    """Makes a change to the run's resume state."""
    state = torch.load(io.BytesIO(run.folder.resume_state()), weights_only=True)
    change(state)
    buffer = io.BytesIO()
    torch.save(state, buffer)
    run.folder.write_resume_state(buffer.getvalue())


def test_a_resume_state_from_before_steps_were_kept_goes_on(lab, paused, tmp_path):
    def as_before(state):
        assert "partial" not in state["trainer"]
        for name in ("step", "steps", "snapshots"):
            del state["summary"][name]

    rewrite(paused, as_before)
    whole = carry_out(RunStore(tmp_path / "whole"), config(), ONE)
    assert carry_out(lab, config(), ONE).summary.weights_sha256 == whole.summary.weights_sha256


def test_a_run_does_not_go_on_with_other_data(lab, paused, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(write_dataset(tmp_path / "more", train=300)))
    with pytest.raises(LabError, match="was trained on other data files"):
        carry_out(lab, config(), ONE)
    assert lab.get(config().id).state == "interrupted"


def zipped(content, how):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", how) as file:
        file.writestr("archive/data.pkl", content)
    return buffer.getvalue()


@pytest.mark.filterwarnings("ignore:Detected pickle protocol")
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\x03\x04 torn",
        b"\x80\x04cos\nsystem\n.",
        zipped(bytes(2**22), zipfile.ZIP_DEFLATED),  # a kilobyte that becomes a thousand
        zipped(b"\x80\x02cbuiltins\nbytearray\n", zipfile.ZIP_STORED),
    ],
)
def test_a_damaged_resume_state_is_one_sentence(lab, content):
    lab.create(config(), Summary("interrupted"))
    lab.folder(config().id).write_resume_state(content)
    with pytest.raises(LabError, match="resume state of .* is damaged .*; delete"):
        carry_out(lab, config(), ONE)


def forge(state, path, value):
    """Replaces one entry, deep inside."""
    *parents, last = path
    for key in parents:
        state = state[key]
    state[last] = value


@pytest.mark.parametrize(
    "path, value",
    [
        (("trainer", "epoch"), "x"),
        (("trainer", "epoch"), -5),
        (("trainer", "epoch"), 99),
        (("trainer", "optimizer", "state", 0, "momentum_buffer"), torch.zeros(3)),
        (("trainer", "optimizer", "state", 0, "momentum_buffer"), torch.tensor(0.0)),
        (("trainer", "optimizer", "state", 0, "momentum_buffer"), 1.0),
        (("trainer", "optimizer", "state"), {}),
        (("trainer", "optimizer", "param_groups", 0, "lr"), "x"),
        (("trainer", "optimizer", "param_groups", 0, "lr"), math.nan),
        (("trainer", "optimizer", "param_groups", 0, "momentum"), 0.1),
        (("trainer", "model", "conv1.weight"), torch.zeros(2)),
        (("trainer", "best"), None),
        (("summary", "seconds"), None),
        (("history",), [1, 2]),
        (("history", 0, "train_loss"), math.nan),
        (("history", 0, "train_loss"), "low"),
        (("step_losses",), [{"x": 1}]),
        (("step_losses", 0, "loss"), math.inf),
    ],
)
def test_a_forged_resume_state_never_reaches_a_step(lab, paused, path, value):
    """A momentum of another shape would make torch's fused kernel write where it must not."""
    rewrite(paused, lambda state: forge(state, path, value))
    with pytest.raises(LabError, match="resume state of .* is damaged .*; delete"):
        carry_out(lab, config(), ONE)
