"""The command line: what machines read on stdout, what people read on stderr, exit statuses."""

import json
import os
import shutil
import signal

import numpy as np
import pytest
from PIL import Image

from mnist_core.cli.main import main
from mnist_core.cli.predict import _answer_or_error
from mnist_core.cli.train import config_of_file
from mnist_core.errors import InputError
from mnist_core.models import make_config, model_names
from mnist_core.runs.states import RunState
from tests.drawing import draw
from tests.idx_data import pictures

QUICK = ["train", "--model", "lenet5", "--epochs", "2", "--batch-size", "32", "--lr", "0.05"]
QUICK += ["--threads", "1"]
STOPS = (signal.SIGINT, signal.SIGTERM)


@pytest.fixture(autouse=True)
def keep_signals():
    """`train` listens to Ctrl-C; the tests' own handlers come back afterwards."""
    before = {number: signal.getsignal(number) for number in (*STOPS, signal.SIGHUP)}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def run(lab, capsys):
    """Runs a command; returns its exit status and what it wrote: as JSON where asked for."""

    def run(*arguments):
        try:
            status = main(list(arguments))
        except SystemExit as leave:
            status = leave.code
        out, err = capsys.readouterr()
        return status, json.loads(out) if "--json" in arguments and status < 2 else out, err

    return run


def test_models_lists_every_network_with_its_figures(run):
    status, rows, _ = run("models", "--json")
    assert status == 0 and [row["name"] for row in rows] == list(model_names())
    found = {row["name"]: (row["parameters"], row["receptive_field"]) for row in rows}
    assert found["lenet5"] == (61_706, 14) and found["ultrasmall"] == (4_464, 35)
    assert all(row["macs"] > 0 and row["source"] for row in rows)


def test_datasets_says_what_is_missing(run):
    status, rows, _ = run("datasets", "--json")
    missing = {row["name"]: row["missing"] for row in rows}
    assert status == 0 and missing["MNIST"] == [] and len(missing["QMNIST"]) == 4


def test_train_then_cached_then_runs_evaluate_predict(run, tmp_path):
    status, first, err = run(*QUICK, "--json")
    assert status == 0 and first["state"] == "done" and first["cached"] is False
    assert first["seconds"] > 0 and "epoch 2/2" in err
    status, again, _ = run(*QUICK, "--json")
    assert again["cached"] is True
    assert {k: v for k, v in again.items() if k != "cached"} == {
        k: v for k, v in first.items() if k != "cached"
    }
    status, rows, _ = run("runs", "--json")
    wanted = "id dataset model seed state epochs best_epoch validation_accuracy test_accuracy "
    wanted += "parameters receptive_field has_weights epochs_done recipe group engine"
    assert set(wanted.split()) <= set(rows[0]) and rows[0]["state"] in list(RunState)
    status, figures, _ = run("evaluate", first["id"], "--json")
    assert figures["test_accuracy"] == first["test_accuracy"]
    assert np.sum(figures["confusion"]) == 60
    picture = tmp_path / "digit.png"
    Image.fromarray(pictures(np.array([3]), seed=5)[0]).save(picture)
    status, answer, _ = run("predict", first["id"], str(picture), "--json")
    assert answer["label"] == int(np.argmax(answer["probabilities"]))
    assert sum(answer["probabilities"]) == pytest.approx(1)
    status, answers, _ = run("predict", first["id"], str(picture), str(picture), "--json")
    assert len(answers) == 2 and answers[0]["label"] == answer["label"]
    folder = tmp_path / "pictures"
    folder.mkdir()
    assert "the folder has no pictures" in run("predict", first["id"], str(folder))[2]
    (folder / "notes.txt").write_text("no picture")
    shutil.copy(picture, folder / "1.PNG")
    status, answers, _ = run("predict", first["id"], str(folder), "--json")
    assert status == 0 and [each["image"] for each in answers] == [str(folder / "1.PNG")]


def test_people_get_words_and_tables(run):
    status, out, _ = run(*QUICK)
    assert status == 0 and "is done: best epoch" in out and "test " in out
    _, out, _ = run(*QUICK)
    assert "was trained before (cached)" in out
    for command in ("models", "datasets", "runs"):
        status, out, _ = run(command)
        assert status == 0 and len(out.splitlines()) >= 2
    run_id = run("runs", "--json")[1][0]["id"]
    status, out, _ = run("evaluate", run_id)
    assert "true class" in out
    assert status == 0
    status, out, _ = run("train", "--resume", run_id)
    assert status == 0 and "was trained before (cached)" in out


def test_resume_of_a_finished_run_says_so(run):
    _, first, _ = run(*QUICK, "--json")
    status, out, _ = run("train", "--resume", first["id"])
    assert status == 0 and "was trained before" in out


def test_extend_and_config_file(run, tmp_path, lab):
    _, first, _ = run(*QUICK, "--json")
    status, longer, _ = run("train", "--extend", first["id"], "--epochs", "3", "--json")
    assert status == 0 and longer["parent"] == first["id"] and longer["epochs_done"] == 3
    file = tmp_path / "config.json"
    file.write_text((lab.folder(first["id"]).path / "config.json").read_text())
    status, same, _ = run("train", "--config", str(file), "--json")
    assert same["id"] == first["id"] and same["cached"] is True


def test_a_config_file_may_leave_out_fields(tmp_path):
    file = tmp_path / "config.json"
    file.write_text('{"model": "lenet5", "lr": 0.5}', encoding="utf-8-sig")  # with a BOM
    assert config_of_file(file) == make_config("lenet5", lr=0.5)
    for content, words in (("[1, 2]", "an object with fields"), ('{"foo": 1}', "foo: no such")):
        file.write_text(content)
        with pytest.raises(InputError, match=words) as error:
            config_of_file(file)
        assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "arguments, words",
    [
        (["train", "--lr", "-1"], "lr: '-1' was given; allowed is a number from 1e-06 to 10"),
        (["train", "--epochs", "many"], "epochs: 'many' was given; allowed is a whole number"),
        (["train", "--model", "lenet6"], "model: 'lenet6' was given; allowed is one of"),
        (["train", "--dataset", "CIFAR"], "dataset: 'CIFAR' was given; allowed is one of MNIST"),
        (["train", "--activation", "x"], "activation: 'x' was given"),
        (["train", "--recipe", "x"], "recipe: 'x' was given; lenet5 has reference"),
        (["train", "--input-size", "28"], "input_size: 28 was given; lenet5 takes images of 32"),
        (["train", "--threads", "-2"], "threads: '-2' was given"),
        (["train", "--standby", "-2"], "standby: '-2' was given; allowed is a number from 0"),
        (
            ["train", "--engine", "x"],
            "engine: 'x' was given; allowed is one of auto, torch, native",
        ),
        (
            ["train", "--model", "mynetv1", "--engine", "native"],
            "engine: 'native' was given; allowed here is auto or torch. The native engine",
        ),
        (["train", "--at-once", "-1"], "at-once: '-1' was given"),
        (["train", "--device", "cuda"], "device: 'cuda' was given, which this machine lacks"),
        (["train", "--resume", "../../etc"], "run: '../../etc' was given; allowed is an id"),
        (["train", "--resume", "mnist-x-0123456789"], "there is no mnist-x-0123456789"),
        (["train", "--resume", "a", "--extend", "b"], "resume and extend: give one of them"),
        (["train", "--extend", "mnist-x-0123456789"], "there is no mnist-x-0123456789"),
        (["train", "--config", "/nowhere.json"], "config: /nowhere.json cannot be read"),
        (["train", "--config", __file__], "is no JSON"),
        (["train", "--learning-rate", "1"], "unrecognized arguments: --learning-rate"),
        (["evaluate", "x/y"], "run: 'x/y' was given"),
        (["predict", "mnist-x-0123456789", "a.png"], "there is no mnist-x-0123456789"),
        (["datasets", "--download", "CIFAR"], "dataset: 'CIFAR' was given"),
        (
            ["reproduce", "grid", "--only", "QMNIST"],
            "only: 'QMNIST' was given; allowed is one of MN",
        ),
        (["fly"], "invalid choice: 'fly'"),
        ([], "required: COMMAND"),
    ],
)
def test_bad_input_is_one_line_and_status_2(run, arguments, words, monkeypatch):
    import torch

    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    status, out, err = run(*arguments)
    lines = [line for line in err.splitlines() if line]
    assert status == 2 and out == "" and len(lines) == 1
    assert words in lines[0]


def test_bad_pictures_are_one_line_each(run, tmp_path):
    _, first, _ = run(*QUICK, "--json")
    (tmp_path / "a.png").write_bytes(b"%PDF-1.4 not a picture")
    Image.new("L", (50, 50), 255).save(tmp_path / "blank.png")
    for name in ("a.png", "blank.png", "missing.png"):
        status, out, err = run("predict", first["id"], str(tmp_path / name))
        assert status == 1 and not out.strip() and len(err.splitlines()) == 1 and name in err
    side_by_side = np.concatenate([draw(3), draw(5)], axis=1)
    Image.fromarray(side_by_side).save(tmp_path / "two.png")
    names = [str(tmp_path / name) for name in ("a.png", "two.png")]
    status, (bad, two), _ = run("predict", first["id"], *names, "--json")
    assert status == 1 and set(bad) == {"image", "error"} and len(two["reading"]) == 2
    assert [digit["box"][1] // len(draw(3)) for digit in two["digits"]] == [0, 1]
    assert "label" not in two and run("predict", first["id"], names[1])[1].count("%") == 2


def test_a_damaged_run_is_named_on_stderr_and_the_rest_listed(run, lab):
    _, first, _ = run(*QUICK, "--json")
    broken = lab.root / "mnist-lenet5-0123456789"
    broken.mkdir()
    status, rows, err = run("runs", "--json")
    assert status == 0 and [row["id"] for row in rows] == [first["id"]]
    assert "mnist-lenet5-0123456789 is damaged" in err


@pytest.mark.parametrize(
    "error, advice",
    [
        (MemoryError(), "a smaller batch size"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 99 bytes"), "batch size"),
        (OSError(13, "denied", "a.csv"), "a.csv: denied"),
        (RuntimeError("shapes differ\n(at x)"), "RuntimeError: shapes differ; python -X dev"),
    ],
)
def test_what_nobody_asked_for_is_one_line(run, monkeypatch, error, advice):
    def fails():
        raise error

    monkeypatch.setattr("mnist_core.cli.catalog.model_names", fails)
    status, _, errors = run("models")
    assert status == 2 and advice in errors and errors.count("\n") == 1


@pytest.mark.parametrize(
    "arguments, told",
    [
        (["train", "--config=--"], "--config: -- was given; a value is needed"),
        (["train", "--config", "a\nb\x1b[31m"], r"config: a\nb\x1b[31m cannot be read"),
        (["evaluate", "\x1b]0;title\x07"], "run: "),
    ],
)
def test_odd_arguments_are_a_line_that_moves_no_cursor(run, arguments, told):
    status, _, errors = run(*arguments)
    assert status == 2 and told in errors
    assert errors.count("\n") == 1 and errors.strip().isprintable()


def test_what_is_no_regular_file_is_no_picture(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for name in ("/dev/zero", str(tmp_path / "pipe")):
        answer = _answer_or_error(None, None, name)
        assert answer == {"image": name, "error": "cannot be read (it is not a regular file)"}
