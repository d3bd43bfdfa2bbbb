"""Watch it learn, without a browser: what its component is given, and what it says without."""

import base64
import json

import numpy as np
import pytest

from mnist_core.evaluation.network import load_network
from mnist_core.inspection import over_time
from mnist_core.models.zoo import rate_pair
from mnist_core.runs.image_map import NAME
from mnist_core.runs.snapshots import Snapshot, snapshots_to_bytes
from tests.app.opening import open_page
from tests.app.play_canvas import open_tab, words
from tests.stores import add_run

TAB = "Watch it learn"


def add_snapshots(run):
    """Those of a run that began with weights half as large."""
    state = load_network(run).model.state_dict()
    end = {name: values.numpy().astype(np.float16) for name, values in state.items()}
    half = {name: values / np.float16(2) for name, values in end.items()}
    run.folder.write_snapshots(snapshots_to_bytes([Snapshot(0, 0, half), Snapshot(1, 9, end)]))
    return run


def watched(page):
    """What the component was given."""
    return next(
        data
        for element in page.get("bidi_component")
        if "sides" in (data := json.loads(element.proto.json))
    )


def decoded(text):
    return np.frombuffer(base64.b64decode(text), np.uint8)


def test_a_run_without_images_shows_kernels_maps_and_answers(store, canvas, monkeypatch):
    run = add_snapshots(add_run(store))
    monkeypatch.setenv("MNIST_DATA", str(store.root / "nothing"))
    page = open_tab(TAB)
    (side,) = watched(page)["sides"]
    assert side["steps"] == [0, 9] and side["epochs"] == [0, 1]
    kernels = decoded(side["kernels"]["pixels"]).reshape(2, 6, 5, 5).astype(int)
    assert np.abs((kernels[0] - 127) * 2 - (kernels[1] - 127)).max() <= 2
    assert [layer["name"] for layer in side["maps"]] == ["conv1", "pool1", "conv2"]
    image = decoded(side["image"]["pixels"]).reshape(28, 28)
    shares = load_network(run).probabilities(np.rint(image / 254 * 255).astype(np.uint8)[None])
    assert np.allclose(side["probabilities"][1], shares[0], atol=0.01)
    assert side["map"] is None and "not on this machine" in side["why"]


def test_points_that_ship_are_shown_without_images_and_damaged_ones_are_a_sentence(
    lab, canvas, monkeypatch
):
    run = add_snapshots(add_run(lab))
    kept = over_time.keep_map(run)
    monkeypatch.setenv("MNIST_DATA", str(lab.root / "nothing"))
    found = watched(open_tab(TAB))["sides"][0]["map"]
    assert not found["can_open"] and found["index"] == kept.index.tolist()
    assert (decoded(found["answers"]) == kept.answers.ravel()).all()
    (run.path / NAME).write_bytes(b"torn")
    assert "is damaged" in watched(open_tab(TAB))["sides"][0]["why"]


def test_another_run_beside_it_and_one_that_kept_none(lab, canvas):
    add_run(lab, accuracy=0.95)  # the best, without snapshots
    first, second = (add_snapshots(add_run(lab, seed=seed)) for seed in (2, 3))
    page = open_tab(TAB)
    assert "A run whose training was recorded" in words(page)
    beside = page.selectbox(key=f"play_beside_{first.id}")
    page = beside.set_value(second.id).run()
    assert [side["run"] for side in watched(page)["sides"]] == [first.id, second.id]
    assert all(side["map"]["can_open"] for side in watched(page)["sides"])


def test_the_pair_of_learning_rates_is_shown_side_by_side(lab, canvas):
    good, large = (add_snapshots(add_run(lab, **config.to_dict())) for config in rate_pair())
    page = open_page("train", train_tab=TAB, recipe="grid", lr=str(large.config.lr))
    assert [side["run"] for side in watched(page)["sides"]] == [large.id, good.id]


def test_a_network_of_one_layer_has_neither_kernels_nor_maps(lab, canvas):
    add_snapshots(add_run(lab, model="custom", layers="flatten, linear 10"))
    (side,) = watched(open_tab(TAB))["sides"]
    assert side["kernels"] is None and side["maps"] == []
    assert len(side["map"]["points"]) and np.allclose(
        np.sum(side["probabilities"], 1), 1, atol=0.01
    )


@pytest.mark.parametrize("content", [None, b"torn"])
def test_no_snapshots_and_damaged_ones_are_a_sentence(store, canvas, content):
    run = add_run(store)
    if content:
        run.folder.write_snapshots(content)
    page = open_tab(TAB)
    assert ("is damaged" if content else "has snapshots") in words(page)


def test_the_train_page_shows_it_beside_the_settings(lab, canvas):
    other = add_snapshots(add_run(lab, seed=5))
    page = open_page("train", train_tab=TAB)
    assert [side["run"] for side in watched(page)["sides"]] == [other.id]
    assert "A run whose training was recorded" in words(page)
    run = add_snapshots(add_run(lab, recipe="grid"))
    page = open_page("train", train_tab=TAB)
    assert [side["run"] for side in watched(page)["sides"]] == [run.id]
