"""Teaching the Playground's network a handwriting, without a browser."""

import numpy as np
import pytest

from mnist_core.config import Execution
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import read_tuning_set, source_of
from mnist_core.evaluation.network import load_network
from mnist_core.jobs import fine_tune, launcher
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.tuned import report
from pages.components.playground.digits.reading import answers, drawn
from pages.components.playground.digits.teach import not_learned
from tests.app.play_canvas import html, open_page, open_tab, words
from tests.app.test_digits import keys
from tests.idx_data import pictures
from tests.stores import add_run

TORCH = Execution(engine="torch")
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
    assert "There are 9 drawings; a network needs 10 to 2,000." in words(
        page
    ) and "play_teach" not in keys(page)
    for image, label in zip(pictures(labels, 9)[9:], labels[9:].tolist(), strict=True):
        own.add(image, label)
    page = opened()
    assert "learns 24 drawings" in words(page) and "Images of MNIST are mixed in" in words(page)
    page.button(key="play_teach").click().run()
    (config,) = begun
    assert config.parent == parent.config and config.tuned.part == "all"
    made = carry_out(lab, config, TORCH)
    page = opened()
    assert "play_teach" not in keys(page)
    assert "Fine-tuned on 24 drawings (all layers), from Own 8C5/2-P2-10" in words(page)
    assert "These drawings, each left out" in html(page) and "MNIST test set" in html(page)
    page.button(key="play_teach_use").click().run()
    assert page.query_params["play_run"] == made.id
    named = page.selectbox(key="play_run_MNIST").options
    assert any("fine-tuned on 24 drawings (all layers)" in name for name in named)


def test_drawings_that_were_learned_from_elsewhere_are_not_scored_as_unseen(lab, tmp_path):
    """The network learned them from a zip, or in a set, and everybody's drawings are the same."""
    parent, own = add_run(lab, "custom", layers=LAYERS, epochs=1), Handwriting(lab.root, "MNIST")
    labels = np.arange(24) % 10
    for image, label in zip(pictures(labels, 9), labels.tolist(), strict=True):
        own.add(image, label)
    random = np.random.default_rng(1)
    for label in range(4):  # what nobody reads right who has not learned it
        own.add(random.integers(0, 255, (28, 28), np.uint8), label)
    file = tmp_path / "drawings.zip"
    file.write_bytes(own.to_zip())
    learned = read_tuning_set(lab.root, "MNIST", source_of(str(file)))
    config = fine_tune.plan(lab, parent, learned, epochs=20, lr=0.01)
    fine_tune.prepare(lab, parent, config, learned)
    made = carry_out(lab, config, TORCH)
    for sample in own.samples():  # under other names, with a copy and one that it does not know
        own.remove(sample.file)
    for image, label in zip(learned.images, learned.labels.tolist(), strict=True):
        own.add(image, label)
    own.add(learned.images[0], int(learned.labels[0]))
    own.add(pictures(np.array([5]), 3)[0], 5)
    shown, able = drawn(own), [load_network(made)]
    by_heart = answers(able, shown)
    found = not_learned(able, by_heart, shown)[0]
    unseen = dict(zip((each.tobytes() for each in learned.images), report(made).after, strict=True))
    expected = [unseen.get(each.tobytes()) for each in shown.images]
    assert expected.count(None) == 1 and found[expected.index(None)] == by_heart[0][-1]
    known = [place for place, answer in enumerate(expected) if answer is not None]
    assert [found[place] for place in known] == [expected[place] for place in known]
    assert any(found[place] != by_heart[0][place] for place in known)
