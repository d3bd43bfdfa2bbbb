"""Drawings on the Playground, without a browser: kept, refused, saved under My digits."""

import base64
import io
import json
import types
import zipfile

import numpy as np
import pytest
import streamlit as st

from mnist_core.data.handwriting import Handwriting
from mnist_core.evaluation.network import load_network
from mnist_core.formatting import plain
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.imaging.tiles import png
from pages.components.playground.canvas import SIDE
from pages.components.playground.drawings import Drawings
from tests.app.play_canvas import (
    THREE,
    answer,
    digits_in,
    drawn,
    html,
    open_page,
    open_tab,
    stroke,
    words,
)
from tests.stores import add_run


def test_a_refresh_of_the_tab_keeps_the_drawing(store, canvas):
    add_run(store)
    page = drawn(open_page(), canvas, 6)
    again = open_page(play_drawing=page.query_params["play_drawing"])
    assert answer(again) == answer(page) and "Yours" in words(again)
    assert digits_in(canvas.calls[-1]["initial_drawing"]) == [6]
    # Whoever opens the same link draws on a sheet of his own.
    assert again.query_params["play_drawing"] != page.query_params["play_drawing"]
    drawn(again, canvas, 1)
    assert answer(open_page(play_drawing=page.query_params["play_drawing"])) == answer(page)
    assert "Example" in words(open_page(play_drawing="nobody's"))


PICTURE = {"type": "Image", "src": "http://evil.example/p.png"}

HOSTILE = [
    ["Path"],
    "a drawing",
    {"raw": 7, "data": None},
    {"raw": {"objects": [PICTURE]}, "data": "data:,"},
    {"raw": {"objects": [stroke(3) | {"fill": {"source": PICTURE["src"]}}]}, "data": "data:,"},
    {"raw": {"objects": [stroke(3) | {"path": [["M", float("nan"), 0]]}]}, "data": "data:,"},
    {"raw": {"objects": 3000 * [stroke(3)]}, "data": "data:,"},
    {"raw": {"objects": [stroke(3)]}, "data": 7},
]


def test_what_is_no_drawing_is_refused_and_the_drawing_stays(store, canvas):
    add_run(store)
    page = drawn(open_page(), canvas, 6)
    before, name = answer(page), page.query_params["play_drawing"]
    for drawing in HOSTILE:
        page.session_state[canvas.key] = types.SimpleNamespace(drawing=drawing)
        page.run()
        assert not page.exception and answer(page) == before
        assert "The drawing was refused" in page.warning[0].value
        assert digits_in(canvas.calls[-1]["initial_drawing"]) == [6]
    st.cache_resource.clear()  # any visitor's browser can ask for it
    st.cache_data.clear()
    assert answer(open_page(play_drawing=name)) == before
    assert digits_in(canvas.calls[-1]["initial_drawing"]) == [6]
    drawn(page, canvas, 1)
    assert not page.warning


def test_the_oldest_drawings_make_room():
    kept = Drawings(budget=4000)
    noise = np.random.default_rng(0).bytes(1000).hex()
    for name in "abcdefgh":
        kept.put(name, {"raw": {"objects": [name]}, "data": noise})
    assert kept.get("a") is None and kept.get("h")["raw"] == {"objects": ["h"]}
    kept.drop("h")
    kept.put("large", {"data": np.random.default_rng(0).bytes(9000).hex()})
    assert kept.get("h") is None and kept.get("large") is None


def test_your_handwriting_is_kept_and_read(store, canvas):
    runs = [add_run(store, name) for name in THREE]
    page = open_tab("My digits", drawn(open_page(), canvas, 6))
    next(b for b in page.button if b.label == "4").click().run()
    assert "Saved" in words(page)
    own = Handwriting(store.root, "MNIST")
    (sample,) = own.samples()
    assert sample.label == 4
    assert np.array_equal(own.image(sample), from_canvas(canvas.image).final)
    answers = [load_network(run).logits(own.readable([sample])[1]).argmax() for run in runs]
    shown = json.loads(page.get("bidi_component")[-1].proto.json)
    assert [row[:2] for row in shown["drawings"]] == [[sample.file, 4]]
    assert shown["drawings"][0][5] == answers and shown["mine"] == [sample.file]
    assert html(page).count("1 of 1, 100.0 %") == answers.count(4)


def test_a_zip_comes_in_and_a_hostile_one_is_a_sentence(store, canvas):
    add_run(store)
    page = open_tab("My digits")
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("labels.csv", "file,label\n../evil.png,3\n")
    page.file_uploader(key="play_zip").set_value(("x.zip", file.getvalue(), "application/zip"))
    page.run()
    assert "the file is '../evil.png'" in page.error[0].value and not page.exception
    Handwriting(store.root, "QMNIST").add(np.full((28, 28), 7, np.uint8), 5)
    good = Handwriting(store.root, "QMNIST").to_zip()
    page.file_uploader(key="play_zip").set_value(("y.zip", good, "application/zip")).run()
    assert Handwriting(store.root, "MNIST").samples()[0].label == 5 and not page.error


def test_a_damaged_drawing_is_left_out_and_can_be_removed(store, canvas):
    add_run(store)
    own = Handwriting(store.root, "MNIST")
    damaged, whole = (own.add(np.full((28, 28), 9, np.uint8), label) for label in (1, 2))
    (own.folder / damaged.file).write_bytes(b"no PNG")
    page = open_tab("My digits")
    assert f"1 drawing cannot be read: {plain(damaged.file)}" in page.warning[0].value
    page.button(key="play_remove_unreadable").click().run()
    assert own.samples() == [whole] and not page.warning and not page.exception


LARGE = base64.b64encode(png(np.ones((SIDE + 1, SIDE), np.uint8))).decode()


@pytest.mark.parametrize("url", ["no picture", "data:image/png;base64,eA==", None, f",{LARGE}"])
def test_what_no_canvas_sends_is_no_drawing(store, canvas, url):
    add_run(store)
    page = open_page()
    sent = {"raw": {"objects": [{"type": "Path"}]}, "data": url}
    page.session_state[canvas.key] = types.SimpleNamespace(drawing=sent)
    page.run()
    assert not page.exception and "Yours" not in words(page)


def test_an_example_and_a_test_image_are_nobodys_handwriting(store, canvas):
    add_run(store)
    page = open_tab("My digits")
    assert "Draw something" in page.info[0].value
    assert not [b for b in page.button if b.label == "4"]
