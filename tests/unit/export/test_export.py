"""What is exported is opened by the program that it is for, which gives the lab's own figures."""

import ast
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections import OrderedDict
from importlib import util
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from PIL import Image
from torch import nn

from mnist_core.cli.main import main
from mnist_core.data.datasets import load
from mnist_core.errors import InputError, LabError
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.predict import evaluate
from mnist_core.export.card import card
from mnist_core.export.formats import FORMATS, zipped
from mnist_core.export.layer_source import chain_source
from mnist_core.export.notebook import notebook
from mnist_core.export.records import crc32c
from mnist_core.export.script import script, script_name, script_source
from mnist_core.models import create_model_for, make_config, model_names
from tests.drawing import draw
from tests.stores import add_run, made_up_history


def needs(*packages):
    """Skips where an optional package is missing; in CI, where it is promised, fails."""
    missing = [name for name in packages if util.find_spec(name) is None]
    assert not (missing and os.environ.get("CI")), f"missing: {missing}"
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")


# Runs a script with one list of arguments after the other, where neither this package nor
# torchvision can be imported.
ALONE = """
import json, runpy, sys
sys.modules["mnist_core"] = sys.modules["torchvision"] = sys.modules["safetensors"] = None
script, calls = sys.argv[1], json.loads(sys.argv[2])
for arguments in calls:
    sys.argv = [script, *arguments]
    runpy.run_path(script, run_name="__main__")
    print("that was", arguments[0])
"""


@pytest.fixture
def run(lab):
    run = add_run(lab, "lenet5", rotation=10.0, shift=2.0, schedule="one-cycle", epochs=1)
    rows = made_up_history(1, 0.9)
    run.folder.write_history(rows, [{"epoch": 1, "step": 50, "loss": 1.5}])
    return lab.get(run.id)


def test_the_script_needs_torch_alone_and_gives_the_same_accuracy(run, lab, small_data, tmp_path):
    name = script_name(run)
    assert main(["export", run.id, "--format", "script", "--out", str(tmp_path)]) == 0
    text = (tmp_path / name).read_text("utf-8")
    used = {node.module for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ImportFrom)}
    assert used == {"collections", "pathlib", "torch", "torch.nn", "PIL"} and len(text) < 10_000
    assert [line for line in text.splitlines() if len(line) > 100] == []

    rgba = draw(3, canvas=90, ink=(0, 0, 0, 255), background=(255, 255, 255, 255))
    Image.fromarray(rgba).save(tmp_path / "three.png")
    data = small_data / "MNIST" / "raw"
    calls = (["test", "--data", data], ["train", "--data", data, "--out", tmp_path / "new.pt"])
    calls = [[*map(str, call)] for call in (*calls, ["read", "three.png"])]
    done = subprocess.run(
        [sys.executable, "-I", "-c", ALONE, name, json.dumps(calls)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    said = re.split(r"that was \w+\n", done.stdout)
    assert f"{evaluate(lab, run)['test_accuracy']:.2%}" in said[0]
    assert "epoch 1: validation accuracy" in said[1]
    assert set(torch.load(tmp_path / "new.pt")) == set(load_network(run).model.state_dict())
    assert said[2].split(",")[0] in "0123456789"


@pytest.mark.parametrize("name", model_names())
def test_every_network_is_rebuilt_from_its_lines(name):
    config = make_config(name, dropout=0.25, activation="PReLU")
    model = create_model_for(config)
    rebuilt = eval(chain_source(model), {"nn": nn, "OrderedDict": OrderedDict})
    # A kernel of (2, 2) is written as 2.
    alike = [re.sub(r"\((\d+), \1\)", r"\1", repr(each)) for each in (rebuilt, model)]
    assert alike[0] == alike[1]


def test_every_recipe_gives_a_script(store):
    for schedule in ("constant", "step", "cosine", "plateau"):
        run = add_run(store, "fast", schedule=schedule, label_smoothing=0.1, optimizer="RMSprop")
        text = script_source(run)
        compile(text, "script", "exec")
        assert "label_smoothing=0.1" in text and "RMSprop" in text and "math" not in text
        assert ("schedule.step(accuracy)" in text) == (schedule == "plateau")


def test_a_network_that_is_no_chain_gives_no_script():
    with pytest.raises(InputError, match="chain"):
        chain_source(nn.Linear(2, 2))


def pixels_of(run, count=7):
    return load(run.config.dataset).test.images[:count]


def test_torch_reads_the_exported_program(run, small_data):
    (content,) = FORMATS["pt2"].make(run).values()
    program = torch.export.load(io.BytesIO(content)).module()
    images = pixels_of(run)
    expected = load_network(run).logits(images.numpy())
    assert np.abs(program(images[:, None].float()).numpy(force=True) - expected).max() < 1e-4
    assert program(images[:1, None].float()).shape == (1, 10)


def test_onnxruntime_reads_the_onnx_file(run, small_data):
    needs("onnx", "onnxscript", "onnxruntime")
    import onnxruntime

    (content,) = FORMATS["onnx"].make(run).values()
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    images = pixels_of(run)
    expected = load_network(run).logits(images.numpy())
    (found,) = session.run(None, {"pixels": images[:, None].float().numpy()})
    assert np.abs(found - expected).max() < 1e-4


def test_without_the_packages_onnx_says_what_to_install(run, monkeypatch):
    monkeypatch.setattr(util, "find_spec", lambda name: None)
    with pytest.raises(LabError, match="pip install onnx onnxscript"):
        FORMATS["onnx"].make(run)


def test_tensorboard_reads_the_events_of_a_whole_store(run, lab, tmp_path, capsys):
    other = add_run(lab, "lenet5", seed=2)
    arguments = ["export", "--format", "tensorboard", "--out", str(tmp_path / "events"), "--json"]
    assert main(arguments) == 0
    assert json.loads(capsys.readouterr().out)["runs"] == 2
    assert {path.name for path in (tmp_path / "events").iterdir()} == {run.id, other.id}
    assert crc32c(b"123456789") == 0xE3069283  # the published check value
    needs("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    found = EventAccumulator(str(tmp_path / "events" / run.id))
    found.Reload()
    tags = found.Tags()
    values = {tag: [(e.step, e.value) for e in found.Scalars(tag)] for tag in tags["scalars"]}
    (row,) = run.history
    assert values["accuracy/validation"] == [(1, pytest.approx(row["validation_accuracy"]))]
    assert values["accuracy/test"] == [(1, pytest.approx(run.summary.test_accuracy))]
    assert values["loss of single steps"] == [(50, 1.5)]
    (settings,) = found.Tensors("settings")
    assert b"| rotation | 10.0 |" in settings.tensor_proto.string_val[0]


def test_the_card_has_its_front_matter_and_honest_figures(run, lab):
    other = add_run(lab, **{**run.config.to_dict(), "model": "lenet5", "seed": 2}, accuracy=0.92)
    (content,) = card(run, [other, add_run(lab, "lenet5", lr=0.5)]).values()
    _, front, text = content.decode().split("---\n", 2)
    matter = yaml.safe_load(front)
    (result,) = matter["model-index"][0]["results"]
    assert result["metrics"][0]["value"] == 0.9 and matter["datasets"] == ["mnist"]
    assert "over 2 seeds" in text and "91.00%" in text and "95 % interval" in text
    for heading in ("Results", "Training", "Limits", "Intended use"):
        assert heading in text


def test_the_notebook_is_valid_and_trains_the_run(run, lab, small_data, capsys):
    (content,) = notebook(run).values()
    cells = json.loads(content)["cells"]
    code = ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"]
    names = {}
    for cell in code[:-1]:
        exec(cell, names)
    assert names["config"].id == run.id and len(names["history"]) == 1
    assert "test accuracy" in capsys.readouterr().out
    needs("nbformat")
    import nbformat

    nbformat.validate(nbformat.reads(content.decode(), as_version=4))


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["x", "--format", "pdf", "--out", "o"], "one of script"),
        (["--format", "script", "--out", "o"], "id of a run is needed"),
        (["mnist-lenet5-0000000000", "--format", "card", "--out", "o"], "mnist-lenet5-0000000000"),
    ],
)
def test_bad_input_is_one_line(lab, arguments, words, capsys):
    assert main(["export", *arguments]) == 2
    error = capsys.readouterr().err
    assert words in error and len(error.splitlines()) == 1 and not Path("o").exists()


def test_the_archive_of_a_button_holds_the_files(run):
    with zipfile.ZipFile(io.BytesIO(zipped(script(run)))) as archive:
        assert set(archive.namelist()) == {script_name(run), "weights.safetensors"}
