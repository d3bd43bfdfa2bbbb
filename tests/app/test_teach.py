"""Teaching the Playground's network a handwriting, without a browser."""

import numpy as np
import pytest

from mnist_core.config import Execution
from mnist_core.data.handwriting import Handwriting
from mnist_core.jobs import fine_tune, launcher
from mnist_core.jobs.worker import carry_out
from tests.app.play_canvas import html, open_page, open_tab, words
from tests.app.test_digits import keys
from tests.idx_data import pictures
from tests.stores import add_run

LAYERS = "conv 8 5x5 stride 2, relu, pool 2, flatten, linear 10"


@pytest.fixture
def begun(monkeypatch):
    """The configs that the page has asked to train; they are queued by nobody."""
    configs = []
    monkeypatch.setattr(launcher, "start", lambda store, config, **_: configs.append(config))
    return configs


def opened(**query):
    page = open_tab("My digits", open_page(**query))
    page.session_state["play_digits_teach"] = True
    page.run()
    assert not page.exception
    return page


def test_a_network_is_taught_and_before_and_after_are_shown(lab, canvas, begun, monkeypatch):
    monkeypatch.setattr(fine_tune, "USUAL_EPOCHS", 2)
    parent = add_run(lab, "custom", layers=LAYERS, epochs=1)
    own, labels = Handwriting(lab.root, "MNIST"), np.arange(24) % 10
    for image, label in zip(pictures(labels, 9)[:9], labels.tolist(), strict=False):
        own.add(image, label)
    page = opened()
    assert "there are 9 drawings; from 10" in words(page) and "play_teach" not in keys(page)
    for image, label in zip(pictures(labels, 9)[9:], labels[9:].tolist(), strict=True):
        own.add(image, label)
    page = opened()
    assert "learns 24 drawings" in words(page) and "Images of MNIST are mixed in" in words(page)
    page.button(key="play_teach").click().run()
    (config,) = begun
    assert config.parent == parent.config and config.tuned.part == "all"
    made = carry_out(lab, config, Execution(engine="torch"))
    page = opened()
    assert "play_teach" not in keys(page)
    assert "Fine-tuned on 24 drawings (all layers), from Own 8C5/2-P2-10" in words(page)
    assert "These drawings, each left out" in html(page) and "MNIST test set" in html(page)
    page.button(key="play_teach_use").click().run()
    assert page.query_params["play_run"] == made.id
    named = page.selectbox(key="play_run_MNIST").options
    assert any("fine-tuned on 24 drawings (all layers)" in name for name in named)
