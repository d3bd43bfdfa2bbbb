"""Test images and training images on the Playground, without a browser."""

from dataclasses import replace

import numpy as np
import pytest

from mnist_core.data.idx import test_image as image_at
from mnist_core.evaluation.network import load_network
from tests.app.play_canvas import (
    answer,
    drawn,
    expected_answer,
    open_page,
    pictures,
    words,
)
from tests.stores import add_run


def test_a_test_image_by_link_and_by_place(lab, small_data, canvas):
    run = add_run(lab)
    page = open_page(play_run=run.id, play_test="7")
    one = image_at("MNIST", small_data, 7)
    assert expected_answer(run, one.image) in answer(page)
    assert f"Its true class is {one.label}" in words(page)
    page.number_input(key="play_index").set_value(12).run()
    assert expected_answer(run, image_at("MNIST", small_data, 12).image) in answer(page)
    assert page.query_params["play_test"] == "12"
    page.segmented_control(key="play_way").set_value("Draw").run()
    assert "play_test" not in page.query_params and "Example" in words(page)


def test_the_nearest_training_images_are_shown_where_they_are_at_hand(lab, canvas, monkeypatch):
    add_run(lab)
    page = drawn(open_page(), canvas, 3)
    named = pictures(page, "A training image of")
    assert len(named) == 6 and all(name[-1] in "0123456789" for name in named)
    monkeypatch.setenv("MNIST_DATA", "/nowhere")
    assert not pictures(drawn(page, canvas, 5), "A training image of")


@pytest.mark.parametrize("asked", ["60"])
def test_a_test_image_that_is_not_there_is_a_sentence(lab, canvas, asked):
    add_run(lab)
    page = open_page(play_test=asked)
    assert "the last is 59" in page.run().warning[0].value and answer(page)


@pytest.mark.parametrize("asked", ["-1", "٣"])
def test_a_link_to_no_place_is_a_sentence(lab, canvas, asked):
    add_run(lab)
    page = open_page(play_test=asked)
    assert "not a number in a test set" in page.run().warning[0].value and answer(page)


def test_without_the_data_set_the_page_says_how_to_get_it(store, canvas, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(tmp_path))
    add_run(store)
    page = open_page(play_test="7")
    assert "datasets --download MNIST" in page.info[0].value and answer(page) is None
    assert "No test image here" in words(page)


def test_one_that_this_network_gets_wrong(lab, small_data, canvas):
    run = add_run(lab, seed=44)
    images = [image_at("MNIST", small_data, at) for at in range(60)]
    shares = load_network(run).probabilities(np.stack([one.image for one in images]))
    labels = np.array([one.label for one in images])
    page = open_page(play_test="0")  # a run that keeps no predictions reads until it is wrong
    next(b for b in page.button if b.label == "Show a mistake").click().run()
    wrong = np.flatnonzero(shares.argmax(axis=1) != labels)
    assert page.number_input(key="play_index").value == wrong[wrong > 0][0]
    logits = np.log(shares).astype(np.float16)
    run.folder.write_logits({"validation": logits, "test": logits})
    lab.write_labels("MNIST", "0123456789abcdef", {"validation": labels, "test": labels})
    run.folder.write_summary(replace(run.summary, data_fingerprint="0123456789abcdef"))
    page = open_page(play_test="0")
    for _ in range(3):
        next(b for b in page.button if b.label == "Show a mistake").click().run()
        at = page.number_input(key="play_index").value
        assert shares[at].argmax() != labels[at] and "Wrong" in words(page)


def test_a_pair_to_try_comes_from_the_mistakes_and_the_lab_draws_the_first(lab, canvas):
    run = add_run(lab)
    labels = np.repeat([4, 9, 2], 20)
    logits = np.eye(10, dtype=np.float16)[
        np.concatenate([[9] * 3, [4] * 17, [4] * 2, [9] * 18, [7] * 4, [2] * 16])
    ]
    run.folder.write_logits({"validation": logits, "test": logits})
    lab.write_labels("MNIST", "0123456789abcdef", {"validation": labels, "test": labels})
    run.folder.write_summary(replace(run.summary, data_fingerprint="0123456789abcdef"))
    page = open_page()
    button = page.button(key="play_try")
    assert button.label == "Try: turn a 4 into a 9" and "5 times" in button.help
    button.click().run()
    assert len(canvas.calls[-1]["initial_drawing"]["objects"]) == 3
    drawn(page, canvas, 4)
    assert "**Try:** turn this" in words(page) or answer(page).split()[2] not in "2479"
