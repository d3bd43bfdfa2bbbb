"""The Playground without a browser: what it answers and shows, with a stand-in for the canvas."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save
from streamlit.testing.v1 import AppTest

from mnist_core.dataset_specs import dataset_names, dataset_spec
from mnist_core.evaluation.network import load_network
from mnist_core.imaging.digits import digits_of
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.models import create_model, make_config
from mnist_core.runs.summary import Summary
from pages.components.playground.canvas import PEN
from pages.components.playground.markup import article
from tests import drawing
from tests.app.opening import PAGES
from tests.app.play_canvas import (
    answer,
    digits_in,
    drawn,
    expected_answer,
    html,
    network,
    open_page,
    open_tab,
    pictures,
    words,
)
from tests.stores import add_run


def test_before_anything_is_drawn_an_example_is_read(store, canvas):
    add_run(store)
    page = open_page()
    assert answer(page).startswith("Reads a") and "Example" in words(page)
    assert len(pictures(open_tab("How it was prepared", page), "The drawing")) == 5


@pytest.mark.parametrize("digit", [0, 4, 8])
def test_the_answer_is_that_of_the_pipeline(store, canvas, digit):
    run = add_run(store)
    page = drawn(open_page(), canvas, digit, size=0.5, position=(0, 1))
    assert expected_answer(run, from_canvas(canvas.image).final) in answer(page)
    assert "Yours" in words(page) and "Example" not in words(page)


def test_several_digits_are_all_read_and_one_is_looked_at(store, canvas):
    run = add_run(store)
    page = open_page()
    canvas.send_beside(page, 7, 2, 0)
    page.run()
    own = [digit.image for digit in digits_of(from_canvas(canvas.image))]
    read = [str(label) for label in load_network(run).logits(np.stack(own)).argmax(axis=1)]
    assert f"3 digits: {''.join(read)}<" in html(page)
    assert expected_answer(run, own[0]) in answer(page)
    page.segmented_control(key="play_digit").set_value(2).run()
    assert expected_answer(run, own[2]) in answer(page)
    drawn(page, canvas, 4)  # one digit again
    assert expected_answer(run, from_canvas(canvas.image).final) in answer(page)
    assert "digits:" not in html(page)


def test_an_eight_has_its_article(store, canvas):
    run = add_run(store)
    bias = torch.zeros(10)
    bias[8] = 99
    model = create_model("lenet5")
    model.output.bias.data = bias
    weights = run.folder.write_weights(2, save(model.state_dict()))
    run.folder.write_summary(replace(run.summary, **weights))
    assert answer(open_page()) == "Reads an 8 · 100.0 %"


def test_classes_of_ones_own_have_their_articles():
    an = ("8", "80", "11", "18", "11,000", "A", "f", "X-ray", "o (お)", "Ankle boot", "umbrella")
    a = ("1", "110", "1,100", "U", "b", "T-shirt", "re (れ)", "unicorn", "user", "one", "house")
    assert [name for name in an if article(name) != "an"] == []
    assert [name for name in (*a, "お", "") if article(name) != "a"] == []
    assert article("hourglass") == "an"


@pytest.mark.parametrize("dataset", dataset_names())
def test_every_data_set_has_its_example_and_says_what_it_expects(store, canvas, dataset):
    add_run(store, dataset=dataset)
    page = open_page()
    assert "Expects " in words(page) and "The lab drew" in words(page)
    assert any(name in answer(page) for name in dataset_spec(dataset).classes)


def test_the_best_finished_run_comes_first(store, canvas):
    add_run(store, seed=1, accuracy=0.91)
    best = add_run(store, seed=2, accuracy=0.97)
    add_run(store, seed=3, accuracy=0.99, state="stopped")
    store.create(make_config("small"), Summary("running"))  # no weights yet
    page = open_page()
    select = network_select(page)
    options = select.options
    assert select.value == best.id and len(options) == len(set(options)) == 3
    assert options[0] == "LeNet-5 (as published) · seed 2 · 97.0 %" and "stopped" in options[2]


def network_select(page):
    return next(s for s in page.selectbox if s.label == "Network")


def test_the_page_opens_with_the_best_lenet5_of_our_best_recipe(store, canvas):
    add_run(store, "small", accuracy=0.99)
    add_run(store, accuracy=0.98)
    ours = add_run(store, accuracy=0.97, recipe="improved")
    assert network_select(open_page()).value == ours.id


def test_the_address_bar_names_the_run_and_a_link_reopens_it(store, canvas):
    add_run(store, accuracy=0.97)
    kana = add_run(store, dataset="KMNIST", seed=5)
    page = open_page()
    page.selectbox(key="play_data").set_value("KMNIST").run()
    assert page.query_params["play_run"] == kana.id
    again = open_page(play_run=kana.id)
    assert again.selectbox(key="play_data").value == "KMNIST"
    assert network_select(again).value == kana.id and not again.warning


@pytest.mark.parametrize("asked", ["mnist-lenet5-0123456789", "../../etc/passwd", "", "x" * 9999])
def test_a_link_to_a_run_that_is_not_there_is_a_sentence(store, canvas, asked):
    run, other = add_run(store), add_run(store, seed=2, accuracy=0.5)
    page = open_page(play_run=asked)
    assert "does not exist here or has no weights" in page.warning[0].value
    assert len(page.warning[0].value) < 300
    assert page.query_params["play_run"] == run.id and answer(page)
    assert page.run().warning  # the canvas makes the page run again as soon as it is there
    assert not network_select(page).set_value(other.id).run().warning
    assert page.query_params["play_run"] == other.id


def test_an_empty_store_points_to_training(store, canvas):
    page = AppTest.from_file(str(PAGES.parent / "app.py"), default_timeout=60)
    page.switch_page("pages/playground.py").run()
    assert not page.exception and "No network has been trained yet" in words(page)


def test_damaged_weights_are_a_sentence_and_the_canvas_stays(store, canvas):
    run = add_run(store, seed=77)  # a network that no test before has loaded
    (run.path / run.summary.weights).write_bytes(b"damaged")
    page = drawn(open_page(), canvas, 3)
    assert "its checksum is not the one" in page.error[0].value
    assert canvas.calls and page.slider(key="play_pen").value == PEN


def test_weights_of_another_network_are_a_sentence(store, canvas):
    run = add_run(store)
    other = run.folder.write_weights(2, save(create_model("small").state_dict()))
    run.folder.write_summary(replace(run.summary, **other))
    assert "do not fit lenet5" in open_page().error[0].value


def test_the_pen_and_the_example_reach_the_canvas(store, canvas):
    add_run(store)
    page = open_page()
    empty = canvas.calls[-1]["background_image"]
    page.slider(key="play_pen").set_value(33)
    drawn(page, canvas, 2)
    assert canvas.calls[-1]["stroke_width"] == 33
    assert canvas.calls[-1]["background_image"] != empty


def test_undo_takes_back_one_stroke_and_clear_all(store, canvas):
    add_run(store)
    page = drawn(open_page(), canvas, 1, 2, 3)
    undo, _clear = page.button
    undo.click().run()
    first = canvas.calls[-1]
    assert digits_in(first["initial_drawing"]) == [1, 2]
    drawn(page, canvas, 1, 2, 4)
    page.button[0].click().run()
    assert canvas.calls[-1]["key"] == first["key"]
    assert canvas.calls[-1]["initial_drawing"] != first["initial_drawing"]  # or nothing would move
    page.button[1].click().run()
    assert canvas.calls[-1]["key"] != first["key"] and not canvas.calls[-1]["initial_drawing"]
    assert nothing_is_read(page) and page.button[0].disabled


def nothing_is_read(page):
    """Whether there is no answer, no vote, and no value in any map."""
    said, shown = words(page), network(page)
    silent = answer(page) is None and " networks read" not in said
    empty = shown["empty"] and not any(column["pixels"] for column in shown["columns"])
    return silent and empty and "Nothing drawn yet" in said


def test_after_clear_nothing_is_read(store, canvas):
    add_run(store)
    page = open_page()
    page.button[1].click().run()  # the example goes, too
    assert nothing_is_read(page) and nothing_is_read(page.run())
    drawn(page, canvas, 7)
    assert "Yours" in words(page)
    page.button[0].click().run()  # undo of the only stroke
    assert nothing_is_read(page) and "Example" not in words(page)


def test_no_example_on_photo(store, canvas):
    add_run(store)
    page = open_page()
    page.segmented_control(key="play_way").set_value("Photo").run()
    assert "No picture yet" in words(page) and answer(page) is None
    page.segmented_control(key="play_way").set_value("Draw").run()
    assert "Example" in words(page)


def test_the_drawing_outlives_another_page(store, canvas):
    add_run(store)
    page = drawn(open_page(), canvas, 6)
    before = answer(page)
    del page.session_state[canvas.key]  # what a visit to another page does to a component
    page.run()
    assert answer(page) == before and "Yours" in words(page)
    assert digits_in(canvas.calls[-1]["initial_drawing"]) == [6]


def uploaded(page, content):
    page.segmented_control(key="play_way").set_value("Photo").run()
    page.file_uploader[0].set_value(("digit.png", content, "image/png")).run()
    assert not page.exception
    return page


def test_a_picture_file_is_read(store, canvas):
    run = add_run(store)
    mask = drawing.ink_mask(*drawing.placed_strokes(4, 300), 300)
    picture = drawing.encode(mask.point(lambda ink: 255 - ink))
    page = uploaded(open_page(), picture)
    from mnist_core.imaging.photo import from_image

    assert expected_answer(run, from_image(picture).final) in answer(page)
    assert "Yours" in words(page)
    for turns in range(1, 5):
        page.button(key="play_turn").click().run()
        assert expected_answer(run, from_image(picture, turns=turns).final) in answer(page)


@pytest.mark.parametrize("content", [b"", b"%PDF-1.7 not a picture", b"\x89PNG\r\n\x1a\n broken"])
def test_a_file_that_is_no_picture_is_a_sentence(store, canvas, content):
    add_run(store)
    page = uploaded(open_page(), content)
    assert len(page.error) == 1 and "\n" not in page.error[0].value
    assert "No picture yet" in words(page)


def test_blank_paper_is_not_a_prediction(store, canvas):
    add_run(store)
    blank = drawing.encode(drawing.Image.fromarray(np.full((200, 200), 240, np.uint8)))
    page = uploaded(open_page(), blank)
    assert "Nothing was found" in page.warning[0].value and "No picture yet" in words(page)
