"""The commands about networks and trained runs, as people and machines read them."""

import json
import re
from pathlib import Path

import pytest

from mnist_core.benchmarks import networks
from mnist_core.cli.main import main
from mnist_core.evaluation import robustness
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.models import make_config
from mnist_core.runs.store import RunStore
from tests.stores import make_run

CHECKPOINTS = Path(__file__).parents[3] / "checkpoints"
SHIPPED = [run for run in RunStore(CHECKPOINTS).list()[0] if run.state == "done"]
KEPT = [run for run in SHIPPED if (run.path / "robustness.json").exists()]
LENET = "mnist-lenet5-6e531d13ef"


def test_layers_for_people_and_machines(capsys):
    assert main(["layers", "lenet5", "--json"]) == 0
    stages = json.loads(capsys.readouterr().out)["lenet5"]
    assert [stage["field"] for stage in stages][:4] == [[5, 5], [5, 5], [6, 6], [14, 14]]
    assert main(["layers", "ultrasmall"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("UltraSmall\n") and re.search(r"b2c3_conv +Conv2d 3×3, stride 2", out)
    assert main(["layers", "nobody"]) == 2
    assert "allowed is one of" in capsys.readouterr().err


def test_layers_of_a_run(store, capsys):
    own = make_run(store, make_config(layers="conv 4 9x9, flatten, linear 10", input_size=32))
    assert main(["layers", own.id, "lenet5", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == [own.id, "lenet5"] and found[own.id][0]["shape"] == [4, 24, 24]
    assert main(["layers", own.id]) == 0
    assert capsys.readouterr().out.startswith("Own 4C9-10\n")
    assert main(["layers", "mnist-custom-0123456789"]) == 2
    assert "there is no mnist-custom-0123456789" in capsys.readouterr().err


def test_fields_of_a_run_without_the_data_set(capsys, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(CHECKPOINTS))
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    assert main(["fields", LENET, "--row", "0", "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)
    assert found["stages"]["conv2"]["box"] == [0, 8, 14, 22] and "drawing" in found["over"]
    field = found["stages"]["conv2"]["field"]
    assert sum(map(sum, field)) == pytest.approx(sum(sum(row[8:22]) for row in field[:14]))
    assert main(["fields", LENET]) == 0 and "(8, 8, 22, 22)" in capsys.readouterr().out
    for bad in ("x", "2"):
        assert main(["fields", LENET, "--row", bad]) == 2
        assert "allowed is 0 to 1" in capsys.readouterr().err


def test_robustness_of_a_run_that_has_it_and_of_one_that_cannot(store, capsys):
    bare = make_run(store, make_config("small"))
    assert main(["robustness", bare.id]) == 2
    assert "has no weights" in capsys.readouterr().err
    curves = {kind: [[x, 30] for x in each.levels] for kind, each in CORRUPTIONS.items()}
    stored = {"format": robustness.FORMAT, "weights_sha256": None, "images": 60, "curves": curves}
    (bare.path / "robustness.json").write_text(json.dumps(stored))
    assert main(["robustness", bare.id]) == 0
    assert "50.00 %" in capsys.readouterr().out


def test_bench_prints_what_was_measured(capsys, monkeypatch):
    row = {"name": "lenet5", "latency_ms": 0.5}
    monkeypatch.setattr(networks, "measure", lambda: {"machine": "here", "networks": [row]})
    assert main(["bench", "networks"]) == 0
    assert capsys.readouterr().out.startswith("here\nname")


@pytest.mark.parametrize("run", KEPT, ids=lambda run: run.id)
def test_what_ships_agrees_with_the_runs_own_test_accuracy(run):
    found = robustness.stored(run)
    for curve in found.curves.values():
        # the engine that trained it may round otherwise: two images more or fewer
        wrong = [abs(right - run.summary.test_accuracy * found.images) for _, right in curve]
        assert min(wrong) < 2.5


def test_robustness_ships():
    assert LENET in [run.id for run in KEPT]
