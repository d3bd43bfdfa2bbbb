"""Novelty of an image to a network: fitted, kept, read again, and told by `predict`."""

import json

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load, save

from mnist_core.cli import reproduce
from mnist_core.cli.main import main
from mnist_core.data.datasets import load as load_data
from mnist_core.errors import LabError
from mnist_core.evaluation.network import load_network
from mnist_core.imaging.letter_strokes import LETTERS, rounded
from mnist_core.imaging.novel_images import KINDS, novel_images
from mnist_core.inspection import novelty, novelty_fit
from tests.stores import add_run


@pytest.fixture
def run(lab):
    return add_run(lab)


def test_a_fitted_network_turns_away_one_in_a_hundred_of_its_own_and_most_others(run, tmp_path):
    detector = novelty_fit.keep(run, images=200)
    own, network = load_data("MNIST").validation.images.numpy(), load_network(run)
    away = [not novelty.known(value) for value in detector.novelty(network, own)]
    assert sum(away) <= max(1, 0.01 * len(own))
    others = novel_images(np.random.default_rng(5), own, 100)
    assert (detector.novelty(network, others) > 0.5).mean() > 0.5

    again = novelty.stored(run)
    assert np.allclose(again.novelty(network, own), detector.novelty(network, own), atol=1e-5)
    assert np.array_equal(novelty_fit.fitted(network, 200).weight, detector.weight)


def test_scores_are_those_of_the_formula():
    random = np.random.default_rng(0)
    mean, weight, bias, output = (random.normal(size=s) for s in (3, (3, 2), 2, 2))
    detector = novelty.Detector(mean, np.array([1.0, 2.0, 0.5]), weight, bias, output, 0.25)
    hidden = np.array([0.3, -1.0, 50.0])
    values = [min(8, (h - m) / d) for h, m, d in zip(hidden, mean, (1, 2, 0.5), strict=True)]
    units = [
        max(0, sum(v * w for v, w in zip(values, weight[:, u], strict=True)) + bias[u])
        for u in range(2)
    ]
    expected = sum(u * o for u, o in zip(units, output, strict=True)) - 0.25
    assert detector.scores(hidden[None])[0] == pytest.approx(expected)


@pytest.mark.parametrize("model", ["lenet5", "small", "mynetv2"])
def test_answer_and_novelty_come_from_one_pass(store, model):
    network, random = load_network(add_run(store, model)), np.random.default_rng(0)
    image = random.integers(0, 256, (28, 28), np.uint8)
    size = novelty.hidden_values(network, image[None]).shape[1]
    weight = random.normal(size=(size, 4)).astype(np.float32) / size
    units, hidden = np.ones(4, np.float32), np.ones(size, np.float32)
    detector = novelty.Detector(0 * hidden, hidden, weight, 0 * units, units, 0.1)
    logits, found = detector.judge(network, image)
    assert np.allclose(logits, network.logits(image[None])[0], rtol=1e-4, atol=1e-5)
    assert found == pytest.approx(float(detector.novelty(network, image[None])[0]))
    detector = novelty.Detector(units, units, np.ones((4, 4), np.float32), units, units, 0.1)
    with pytest.raises(LabError, match="another network"):
        detector.judge(network, image)


def test_what_is_stored_is_checked_and_belongs_to_these_weights(run):
    assert novelty.stored(run) is None
    ones = np.ones(4, np.float32)
    made = novelty.Detector(ones, ones, np.ones((4, 2), np.float32), ones[:2], ones[:2], 1.0)
    path, good = run.path / novelty.NAME, load(made.to_bytes(run))
    path.write_bytes(save(good))
    assert novelty.stored(run).threshold == 1
    with pytest.raises(LabError, match="another network"):
        novelty.stored(run).novelty(load_network(run), np.zeros((1, 28, 28), np.uint8))
    path.write_bytes(save(good | {"weights_sha256": np.zeros(32, np.uint8)}))
    assert novelty.stored(run) is None
    for bad in (
        {"bias": np.ones(3, np.float32)},
        {"mean": np.full(4, np.nan, np.float32)},
        {"deviation": 0 * ones},
        {"weight": ones},
    ):
        path.write_bytes(save(good | bad))
        with pytest.raises(LabError, match="damaged"):
            novelty.stored(run)
    path.write_bytes(b"no tensors")
    with pytest.raises(LabError, match="damaged"):
        novelty.stored(run)


def test_the_command_keeps_it_and_predict_tells(run, tmp_path, capsys, monkeypatch):
    picture = tmp_path / "one.png"
    ink = np.zeros((100, 100), np.uint8)
    ink[20:80, 45:55] = 255
    Image.fromarray(ink).save(picture)

    def predicted():
        assert main(["predict", run.id, str(picture), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    assert predicted()["known"] is None and predicted()["digits"][0]["novelty"] is None
    monkeypatch.setattr(novelty_fit.keep, "__defaults__", (100,))
    assert main(["novelty", run.id, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)[0]["fitted"]
    assert main(["novelty", "--json"]) == 0
    assert not json.loads(capsys.readouterr().out)[0]["fitted"]
    answer = predicted()
    assert answer["known"] == answer["digits"][0]["known"] == (answer["novelty"] <= 0.5)


def test_the_zoo_fits_what_is_missing_where_the_data_set_is_there(run, capsys, monkeypatch):
    monkeypatch.setattr(novelty_fit.keep, "__defaults__", (100,))
    with monkeypatch.context() as without:
        without.setenv("MNIST_DATA", "/nowhere")
        reproduce._fit_novelty([run])
    assert novelty.stored(run) is None
    for _ in range(2):
        reproduce._fit_novelty([run])
    assert novelty.stored(run) and capsys.readouterr().err == f"novelty · {run.id}\n"


def test_novel_images_are_of_all_kinds_and_placed_like_drawings():
    random, images = np.random.default_rng(1), np.full((2, 28, 28), 200, np.uint8)
    made = novel_images(random, images, 60)
    assert made.shape == (60, 28, 28) and made.dtype == np.uint8
    assert len({image.tobytes() for image in made}) > 50
    assert sum(KINDS.values()) == pytest.approx(1)


def test_a_rounded_stroke_goes_through_its_points():
    for stroke in LETTERS["S"]:
        line = rounded(stroke)
        assert all(np.abs(line - point).sum(1).min() < 1e-9 for point in stroke)
