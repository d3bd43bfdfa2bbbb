"""The commands, with real training on small data."""

import json

import pytest

from mnist_core.cli.main import main

SEARCH = ["--recipe", "grid", "--epochs", "1", "--lr", "1e-3..1:log", "--batch-size", "32,64"]
KEYS = {"name", "storage", "trials_done", "trials_failed", "trials_running", "best"}


@pytest.fixture
def ask(capsys):
    def answer(*arguments, status=0):
        assert main([*arguments, "--json"]) == status
        return json.loads(capsys.readouterr().out)

    return answer


def test_a_study_is_made_searched_and_finished(lab, ask, monkeypatch):
    storage = f"sqlite:///{lab.root}.db"
    monkeypatch.setenv("MNIST_STUDIES", storage)
    made = ask("sweep", "--name", "small", "--trials", "2", "--at-once", "0", *SEARCH)
    assert made.keys() >= KEYS and made["name"] == "small" and made["storage"] == storage
    assert (made["trials_done"], made["best"]) == (0, None)
    assert ask("sweep-worker", "--name", "small", "--device", "cpu")["trials_by_worker"] == 2
    status = ask("sweep-status", "--name", "small")
    assert status["trials_done"] == 2 and status["trials_running"] == 0
    best = status["best"]
    assert best["id"].startswith("mnist-lenet5-") and set(best["values"]) == {"lr", "batch_size"}
    assert ask("sweep", "--name", "small", "--winner-seeds", "0")["trials_done"] == 2
    (brought,) = ask("sweep-collect")
    assert (brought["name"], brought["runs"], brought["with_weights"]) == ("small", 2, 2)
    runs = {run["id"]: run for run in ask("runs")}
    assert runs[best["id"]]["validation_accuracy"] == best["validation_accuracy"]
    assert runs[best["id"]]["has_weights"] and runs[best["id"]]["test_accuracy"] is None
    tested = ask("train", "--resume", best["id"])  # only now is the test set read
    assert tested["test_accuracy"] is not None
    ask("sweep-pause", "--name", "small")
    assert ask("sweep-worker", "--name", "small")["trials_by_worker"] == 0
    assert ask("sweep-delete", "--name", "small") == {"name": "small", "deleted": True}
    assert main(["sweep-status", "--name", "small"]) == 2


def test_a_study_goes_on_whichever_pruner_is_the_default(store, ask):
    begin = ["sweep", "--name", "old", "--at-once", "0", *SEARCH]
    ask(*begin, "--pruner", "median")
    assert ask(*begin, "--trials", "9")["trials"] == 9
    assert main([*begin, "--pruner", "hyperband"]) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        ["--lr", "1..x"],
        ["--space", "/dev/null"],
        ["--trials", "0", "--lr", "0.1..1"],
        ["--space", "missing.toml"],
        ["--sampler", "best", "--lr", "0.1..1"],
        ["--storage", "grpc://nowhere", "--lr", "0.1..1"],
        ["--storage", "nothing://me:secret@nowhere", "--lr", "0.1..1"],
        ["--name", "../up", "--lr", "0.1..1"],
        ["--name", "unknown"],
        ["--winner-seeds", "many", "--lr", "0.1..1"],
    ],
)
def test_bad_input_is_one_sentence(store, capsys, wrong):
    assert main(["sweep", "--at-once", "0", *wrong]) == 2
    told = capsys.readouterr().err.strip()
    assert "\n" not in told and "secret" not in told and wrong[0].strip("-") in told
