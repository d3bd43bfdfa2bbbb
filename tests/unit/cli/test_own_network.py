"""A network of one's own in every command: trained, continued, asked, examined and exported."""

import json
import signal
from contextlib import suppress

import numpy as np
import pytest
from PIL import Image

from mnist_core.cli.main import main
from tests.idx_data import pictures

LAYERS = "conv 4 5x3 stride 2, batchnorm, prelu, average pool 2, flatten, dropout 0.1, linear 10"
QUICK = ["--batch-size", "32", "--threads", "1", "--schedule", "constant", "--lr", "0.02"]


@pytest.fixture
def ask(lab, capsys):
    """Runs a command and returns its answer; the tests' signal handlers come back afterwards."""
    numbers = [getattr(signal, n) for n in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, n)]
    before = {number: signal.getsignal(number) for number in numbers}

    def ask(*arguments):
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    yield ask
    for number, handler in before.items():
        with suppress(ValueError):
            signal.signal(number, handler)


def test_every_command_takes_it(ask, tmp_path):
    first = ask("train", "--layers", LAYERS, "--epochs", "1", *QUICK)
    assert first["model"] == "custom" and first["layers"] == LAYERS and first["engine"]
    longer = ask("train", "--extend", first["id"], "--epochs", "2")
    assert longer["parent"] == first["id"] and longer["epochs_done"] == 2
    run_id = longer["id"]
    assert ask("train", "--resume", run_id)["cached"]
    assert ask("evaluate", run_id)["test_accuracy"] == longer["test_accuracy"]
    picture = tmp_path / "digit.png"
    Image.fromarray(pictures(np.array([3]), seed=5)[0]).save(picture)
    assert 0 <= ask("predict", run_id, str(picture))["label"] <= 9
    stages = ask("layers", run_id)[run_id]
    assert sum(stage["parameters"] for stage in stages) == longer["parameters"]
    (fields,) = ask("fields", run_id)
    assert set(fields["stages"]) >= {stage["name"] for stage in stages if not stage["whole"]}
    assert ask("robustness", run_id)[run_id]["images"] == 60
    (fitted,) = ask("novelty", run_id)
    assert fitted["fitted"]
    for name in ("script", "card"):  # a browser test presses the buttons of all formats
        out = tmp_path / name
        assert ask("export", run_id, "--format", name, "--out", str(out))["runs"] == 1
        assert any(path.stat().st_size for path in out.rglob("*"))


def test_a_search_takes_layers_that_are_given_or_several_to_choose_from(ask, tmp_path):
    """The trials are done in this process; those of real workers are in a browser test."""

    def search(name, *arguments):
        ask("sweep", "--name", name, "--at-once", "0", *arguments)
        assert ask("sweep-worker", "--name", name)["trials_by_worker"] == 2
        return ask("sweep-status", "--name", name)

    fixed = ["--layers", LAYERS, "--epochs", "1", "--batch-size", "32,64", "--trials", "2"]
    found = search("a", *fixed)
    assert found["trials_done"] == 2 and found["best"]["id"].startswith("mnist-custom-")
    space = tmp_path / "space.toml"
    layers = ["pool 4, flatten, linear 10", "flatten, linear 10"]
    space.write_text(f"model = 'custom'\nepochs = 1\nlayers = {layers!r}")
    chosen = ["--space", str(space), "--sampler", "grid", "--minimise", "parameters"]
    assert search("b", *chosen)["trials_done"] == 2
