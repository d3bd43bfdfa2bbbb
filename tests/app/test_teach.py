"""Teaching the Playground's network a handwriting, without a browser."""

import os
from dataclasses import replace

import numpy as np
import pytest

from mnist_core.config import Execution
from mnist_core.data.handwriting import Handwriting
from mnist_core.data.tuning_set import read_tuning_set, source_of
from mnist_core.evaluation.network import load_network
from mnist_core.jobs import fine_tune, launcher
from mnist_core.jobs.worker import carry_out
from mnist_core.runs.process import Process
from mnist_core.runs.states import RunState
from mnist_core.runs.tuned import report
from pages.components.playground.digits.reading import answers, drawn
from pages.components.playground.digits.teach import not_learned
from pages.components.train.progress import in_progress
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


@pytest.fixture
def parent(lab):
    """A small network that has learned nothing, and 24 drawings that are easy to learn."""
    own, labels = Handwriting(lab.root, "MNIST"), np.arange(24) % 10
    for image, label in zip(pictures(labels, 9), labels.tolist(), strict=True):
        own.add(image, label)
    return add_run(lab, "custom", layers=LAYERS, epochs=1)


def turn(lab, config, state, **more):
    """The run is in this state now, whatever it was in."""
    run = lab.get(config.id)
    run.folder.summary_file.unlink()
    more |= {"process": Process.of(os.getpid()) if state == "running" else None}
    run.folder.write_summary(replace(run.summary, state=RunState(state), **more))


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
    assert "There are 9 drawings; a network needs 10 to 2,000." in words(page)
    assert "play_teach" not in keys(page)
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
    config = fine_tune.plan(lab, parent, learned, epochs=10, lr=0.02)
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


def test_while_it_learns_the_page_tells_how_far_it_is_and_can_stop_it(
    lab, parent, canvas, begun, monkeypatch
):
    asked = []
    monkeypatch.setattr(launcher, "stop", lambda _, run_id: asked.append(run_id))
    page = opened()
    page.button(key="play_teach").click().run()
    (config,) = begun
    turn(lab, config, "running")
    at = {"phase": "training", "epoch": 3, "epochs": 11, "step": 1, "steps": 2, "losses": []}
    at |= {"images_per_second": 90.0, "seconds_left": 8.0}
    lab.get(config.id).folder.write_progress(at)
    assert in_progress(lab.get(config.id), at)[1].startswith("part 3 of 11 · 90 images/s")
    page = opened()
    (bar,) = (each.proto for each in page.get("progress"))
    assert bar.text.startswith("leaving out part 3 of 10 · ") and bar.value == 22
    assert "play_teach" not in keys(page)
    page.button(key="play_teach_stop").click().run()
    assert not page.exception and asked == [config.id]
    turn(lab, config, "stopped")
    page = opened()
    assert "play_teach" in keys(page) and "play_teach_stop" not in keys(page)


def test_one_that_failed_says_why_and_can_be_begun_again(lab, parent, canvas, begun):
    page = opened()
    page.button(key="play_teach").click().run()
    turn(lab, begun[0], "interrupted", note="The drawings have changed.")
    page = opened()
    assert "The drawings have changed." in words(page)
    page.button(key="play_teach").click().run()
    assert begun[1] == begun[0]


def test_one_that_diverged_is_begun_again_with_a_smaller_learning_rate(lab, parent, canvas, begun):
    page = opened()
    page.button(key="play_teach").click().run()
    turn(lab, begun[0], "diverged", note="The loss was no longer finite.")
    page = opened()
    assert "This time it begins with 0.0001." in words(page) and not page.error
    page.button(key="play_teach").click().run()
    first, second = (config.tuned for config in begun)
    assert second == replace(first, lr=0.0001) and first.lr == 0.001


@pytest.mark.parametrize(
    "state, told",
    [
        ("running", "This network is still training. It can be taught when it is done."),
        ("stopped", "This network was not trained to its end, so it cannot be taught."),
    ],
)
def test_a_network_that_is_not_done_cannot_be_taught_and_the_page_goes_on(
    lab, parent, canvas, state, told
):
    turn(lab, parent.config, state)
    page = opened()
    assert told in words(page) and not page.error
    assert "play_teach" not in keys(page)
