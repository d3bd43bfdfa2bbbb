"""Parsed files are cached until they change."""

import json
import shutil
from dataclasses import replace

import pytest

from mnist_core import files
from mnist_core.models import make_config
from mnist_core.runs import cache
from mnist_core.runs.store import RunStore
from tests.stores import damage, make_run


@pytest.fixture
def store(tmp_path):
    return RunStore(tmp_path)


def states(store):
    runs, damaged = store.list()
    return sorted(run.state for run in runs), len(damaged)


def test_changed_files_are_read_again(store):
    run = make_run(store, state="stopped")
    assert states(store) == (["stopped"], 0)
    run.folder.write_summary(replace(run.summary, state="paused"))
    assert states(store) == (["paused"], 0)
    damage(run)
    assert states(store) == ([], 1)
    run.folder.write_summary(run.summary)
    assert states(store) == (["stopped"], 0)
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(config | {"seed": 77}))
    assert states(store) == ([], 1)
    shutil.rmtree(run.path)
    assert states(store) == ([], 0)


def test_unchanged_files_are_not_read_again(store, monkeypatch):
    for seed in range(3):
        make_run(store, make_config("lenet5", seed=seed))
    store.list()
    monkeypatch.setattr(cache, "read_json", lambda path: pytest.fail(f"{path} was read"))
    assert len(store.list()[0]) == 3
    monkeypatch.setattr(cache, "read_json", files.read_json)
    make_run(store, make_config("small"))
    assert len(store.list()[0]) == 4


def test_one_damaged_run_among_fifty(store):
    runs = [make_run(store, make_config("lenet5", seed=seed), epochs=1) for seed in range(51)]
    damage(runs[7])
    found, damaged = store.list()
    assert len(found) == 50 and [each.path.name for each in damaged] == [runs[7].id]
