"""The commands that keep runs in order."""

import json

import pytest

from mnist_core.cli.main import main
from mnist_core.models import make_config
from tests.stores import make_run


@pytest.fixture
def run(store, capsys):
    def run(*arguments):
        status = main([*arguments, "--json"])
        out, err = capsys.readouterr()
        return json.loads(out) if out else None, status, err

    return run


def test_runs_are_labelled_archived_deleted_and_brought_back(store, run):
    one, two = (make_run(store, make_config(model)).id for model in ("lenet5", "small"))
    row, status, _ = run("annotate", one, "--label", "best", "--tags", "7b, class")
    assert status == 0 and (row["label"], row["tags"], row["note"]) == ("best", ["7b", "class"], "")
    row, _, _ = run("annotate", one, "--note", "of all")
    assert (row["label"], row["note"]) == ("best", "of all")
    run("archive", one)
    assert [row["id"] for row in run("runs")[0]] == [two]
    found = {row["id"]: row for row in run("runs", "--archived")[0]}
    assert found[one]["label"] == "best" and found[one]["archived"] and not found[two]["label"]
    run("delete", two, one)
    assert run("runs", "--archived")[0] == []
    run("restore", one, two)
    assert {row["id"] for row in run("runs")[0]} == {one, two}
    _, status, err = run("restore", "mnist-lenet5-0123456789")
    assert status == 2 and "not among those that were deleted" in err
    run("delete", two)
    make_run(store, make_config("small"))
    _, status, err = run("restore", two)
    assert status == 2 and "trained anew" in err
    _, status, err = run("annotate", one, "--label", "x" * 99)
    assert status == 2 and "label: at most 60" in err
