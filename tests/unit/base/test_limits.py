"""MNIST_LIMITS and MNIST_READ_ONLY: in place or as a file, and a sentence for what is wrong."""

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import spawn
from mnist_core.limits import Limits, are_set, limits, read_only
from mnist_core.runs.store import RunStore


def test_limits_are_read_in_place_and_from_a_file(tmp_path, monkeypatch):
    monkeypatch.delenv("MNIST_LIMITS", raising=False)
    assert limits() == Limits() and not are_set()
    monkeypatch.setenv("MNIST_LIMITS", "epochs = 20\nfree_gb = 1.5")
    assert limits() == Limits(epochs=20, free_gb=1.5) and are_set()
    file = tmp_path / "limits.toml"
    file.write_text("# for a class\nwaiting = 3\n")
    monkeypatch.setenv("MNIST_LIMITS", str(file))
    assert limits() == Limits(waiting=3)
    monkeypatch.chdir(tmp_path)
    for given, passed_on in ((file.name, str(file)), ("epochs = 3", "epochs = 3"), ("", "")):
        monkeypatch.setenv("MNIST_LIMITS", given)  # a process of the lab runs in another folder
        assert spawn.environment(RunStore(tmp_path))["MNIST_LIMITS"] == passed_on


@pytest.mark.parametrize(
    "given, words",
    [
        ("epoch = 3", "'epoch' was given; allowed is one of training, waiting"),
        ("epochs = -1", "epochs: -1 was given; allowed is a whole number from 0"),
        ("training = 0", "training: 0 was given; allowed is a whole number from 1"),
        ("epochs = 2.5", "a whole number"),
        ("epochs = true", "a whole number"),
        ("free_gb = nan", "a number from 0"),
        ("epochs = ", "is not valid TOML"),
        ("/nowhere/limits.toml", "cannot be read"),
        ("/dev", "cannot be read"),
    ],
)
def test_what_is_no_limit_is_a_sentence(monkeypatch, given, words):
    monkeypatch.setenv("MNIST_LIMITS", given)
    with pytest.raises(LabError, match=words):
        limits()


@pytest.mark.parametrize("given, means", [("1", True), ("true", True), ("0", False), ("", False)])
def test_read_only(monkeypatch, given, means):
    monkeypatch.setenv("MNIST_READ_ONLY", given)
    assert read_only() is means
