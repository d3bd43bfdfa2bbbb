"""A data set with 26 classes, added as CONTRIBUTING tells: in the commands and on every page."""

import json

import pytest

from mnist_core.cli.main import main
from mnist_core.dataset_specs import dataset_spec
from mnist_core.jobs import spawn
from tests import drawing
from tests.app import compare_page, play_canvas, train_page
from tests.app.opening import settle
from tests.documents import added_dataset
from tests.idx_data import write_dataset


@pytest.fixture(scope="module")
def dataset():
    """Its name."""
    with added_dataset(".github/CONTRIBUTING.md") as name:
        yield name


@pytest.fixture(scope="module")
def folder(dataset, tmp_path_factory):
    """With the data set's files in data/, and the store that all tests here share in store/."""
    folder = tmp_path_factory.mktemp("letters")
    write_dataset(folder / "data", dataset, train=624, test=104)
    return folder


@pytest.fixture
def command(folder, monkeypatch, capsys):
    """Runs a command with --json; returns what it printed."""
    monkeypatch.setenv("MNIST_DATA", str(folder / "data"))
    monkeypatch.setenv("MNIST_CHECKPOINTS", str(folder / "store"))

    def run(*arguments):
        assert main([*arguments, "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return run


@pytest.fixture
def run(command, dataset):
    """A run of two epochs; trained by the first test that asks, found by the others."""
    options = ("--model", "medium", "--epochs", "2", "--batch-size", "26")
    return command("train", "--dataset", dataset, *options)


def test_commands(command, run, dataset, tmp_path):
    assert run["state"] == "done" and run["test_accuracy"] > 0.3
    assert dataset in [row["name"] for row in command("datasets") if not row["missing"]]
    figures = command("evaluate", run["id"])
    assert len(figures["confusion"]) == dataset_spec(dataset).num_classes == 26
    assert figures["test_accuracy"] == run["test_accuracy"]
    assert sum(map(sum, figures["confusion"])) == 104
    picture = tmp_path / "drawn.png"
    picture.write_bytes(drawing.encode(drawing.Image.fromarray(drawing.draw(7))))
    answer = command("predict", run["id"], str(picture))
    assert len(answer["probabilities"]) == 26
    assert answer["class"] == dataset_spec(dataset).classes[answer["label"]]
    assert [row["dataset"] for row in command("runs")] == [dataset]
    assert command("robustness", run["id"])
    assert command("reproduce", "table")


def test_the_train_page(run, dataset):
    page = train_page.open_page(model="medium", dataset=dataset, epochs="2", batch_size="26")
    assert "★ epoch" in train_page.words(page)
    assert dataset in train_page.stop(page, "dataset").options


def test_the_compare_page(run, dataset, command, monkeypatch):
    monkeypatch.setattr(spawn, "ask", command)  # a process of its own would not know the data set
    page = compare_page.open_page()
    for tab in ("Which is better?", "Mistakes", "Inside", "Robustness", "Curves", "All runs"):
        page.session_state["cmp_tab"] = tab
        settle(page)
        assert not page.error and not page.warning, tab
    assert page.dataframe and compare_page.points(page) == [run["id"]]
    assert dataset in page.button_group(key="cmp_dataset").options


def test_the_playground(run, dataset, canvas):
    page = play_canvas.drawn(play_canvas.open_page(), canvas, 5)
    assert "Expects one letter: A, B, C" in play_canvas.words(page)
    for tab in ("Why", "Move it", "My digits", "How it was prepared"):
        play_canvas.open_tab(tab, page)
