"""The Playground's further ways in and its sections, without a browser."""

import base64
import io
import json
import re
import types
import zipfile
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st

from mnist_core.data.handwriting import Handwriting
from mnist_core.data.idx import test_image as image_at
from mnist_core.evaluation.network import load_network
from mnist_core.formatting import plain
from mnist_core.imaging.preprocess import from_canvas, without_normalising
from mnist_core.imaging.tiles import png
from mnist_core.inspection.adversarial import attack
from mnist_core.inspection.saliency import METHODS
from pages.components.playground.canvas import SIDE
from pages.components.playground.drawings import Drawings
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
    stroke,
    words,
)
from tests.stores import add_run

THREE = ("lenet5", "lenet5-1998", "small")


def test_every_network_votes_and_they_agree_or_not(store, canvas):
    runs = [
        add_run(store, name, accuracy=a) for name, a in zip(THREE, (0.9, 0.8, 0.7), strict=True)
    ]
    add_run(store, "lenet5", seed=9, accuracy=0.5)  # not its network's best: it does not vote
    page = drawn(open_page(), canvas, 4)
    image = from_canvas(canvas.image).final[None]
    shares = np.concatenate([load_network(run).probabilities(image) for run in runs])
    table = html(page)
    for title, share in zip(("LeNet-5", "LeNet-5 (1998)", "Small"), shares, strict=True):
        row = table.split(f"<td>{title}</td>")[1].split("</tr>")[0]
        assert f">{share.argmax()}</span>" in row and f"{100 * share.max():.1f} %" in row
    mean = shares.mean(0)
    agreeing = int((shares.argmax(1) == mean.argmax()).sum())
    assert f"{agreeing} of 3 networks" in words(page)
    assert f"{mean.argmax()}, together {100 * mean.max():.1f} %" in words(page)
    assert html(page).split('"play-votes"')[1].split("</table>")[0].count("●") == 3


def test_a_damaged_network_is_a_row_and_the_others_vote(store, canvas):
    for name in THREE:
        broken = add_run(store, name, accuracy=0.9 - 0.1 * THREE.index(name), seed=31)
    (broken.path / broken.summary.weights).write_bytes(b"damaged")
    page = open_page()
    assert "of 2 networks" in words(page) and "its checksum is not the one" in html(page)
    assert not page.error


def test_as_drawn_skips_the_normalising(store, canvas):
    run = add_run(store)
    page = drawn(open_tab("How it was prepared"), canvas, 8, size=0.3, position=(0, 0))
    page.toggle(key="play_as_drawn").set_value(True).run()
    assert expected_answer(run, without_normalising(from_canvas(canvas.image)).final) in answer(
        page
    )
    assert "only shrunk" in pictures(page, "The drawing")[-1]


def test_garments_fill_the_image(store, canvas):
    run = add_run(store, dataset="FashionMNIST")
    page = drawn(open_page(), canvas, 2, size=0.4)
    assert expected_answer(run, from_canvas(canvas.image, fill=True).final) in answer(page)


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


@pytest.mark.parametrize("unit", ["conv1:2:3:4", "conv2:15", "fc1:7", "output:9"])
def test_a_chosen_unit_adds_up(store, canvas, unit):
    add_run(store)
    page = open_page(play_unit=unit)
    chosen = network(page)["chosen"]
    assert_adds_up(chosen["html"])
    stage, channel, *place = unit.split(":")
    assert network(page)["columns"][chosen["column"]]["name"] == stage
    assert [chosen["channel"], *([chosen["row"], chosen["col"]] if place else [])] == [
        int(at) for at in (channel, *place)
    ]
    if stage == "fc1":
        assert "the other 388" in chosen["html"] and "From pool2" in chosen["html"]


def assert_adds_up(table):
    """The products and the bias make what the network itself computed."""
    found = {}
    for row in table.split("</tr>"):
        for word in ("add up to", "bias adds", "together", "itself computed"):
            if word in row:
                found[word] = number(row.rsplit("<td>", 1)[1].split("<")[0])
    products, bias, total, computed = found.values()
    assert abs(products + bias - total) < 2e-5 and abs(total - computed) <= 1e-5


def number(text):
    return float(text.replace("−", "-"))


def test_a_pooling_unit_is_the_largest_of_its_patch(store, canvas):
    add_run(store)
    chosen = network(drawn(open_page(play_unit="pool1:4:6:7"), canvas, 5))["chosen"]
    cells = re.findall(r'<td style="[^"]*">([^<]+)</td>', chosen["html"])
    (value,) = re.findall(r"<td>([+−][\d.]+)</td>", chosen["html"])
    assert len(cells) == 4 and chosen["read"]["channel"] == 4
    assert abs(max(map(number, cells)) - number(value)) < 1e-3


def test_plain_pictures_have_the_arithmetic_of_a_unit_by_its_numbers(store, canvas):
    add_run(store)
    page = open_page(play_unit="conv2:3")
    page.toggle(key="play_plain").set_value(True).run()
    assert page.query_params["play_unit"].startswith("conv2:3:")
    assert_adds_up(html(page))
    page.selectbox(key="play_plain_layer_lenet5").select("fc1").run()
    assert not page.exception and "the other 388" in html(page)


@pytest.mark.parametrize("unit", ["conv1", "nowhere:1", "conv1:6", "conv1:-1", "conv1:1:x", ":"])
def test_a_link_to_no_unit_chooses_none(store, canvas, unit):
    add_run(store)
    assert network(open_page(play_unit=unit))["chosen"] is None


def test_why_shows_four_methods_for_any_class(store, canvas):
    add_run(store, dataset="KMNIST")
    page = open_tab("Why")
    assert len([name for name in pictures(page, "") if name.split(" for ")[0] in METHODS]) == 4
    page.segmented_control[-1].set_value(7).run()
    assert not page.exception and "rather than" in words(page)


def test_fooling_starts_at_the_smallest_change(store, canvas):
    run = add_run(store)
    page = open_tab("Fool it", drawn(open_page(), canvas, 3))
    found = attack(load_network(run), from_canvas(canvas.image).final)
    if found.smallest is None:
        assert "changes this answer" in page.info[0].value
    else:
        assert f"ε = {found.smallest}" in words(page)
        assert page.slider[-1].value == found.smallest


def test_moving_shows_where_each_network_flips(store, canvas):
    runs = [add_run(store, name) for name in THREE]
    page = open_tab("Move it", drawn(open_page(), canvas, 3))
    assert html(page).split('"play-strip"')[1].count("<tr><th>") == len(runs)
    page.slider(key="play_move_turn").set_value(45.0).run()
    assert not page.exception and "of 3** read" in words(page)


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


def test_the_chosen_run_stands_for_its_network_wherever_it_is_not_the_best(store, canvas):
    """Beside the others in the verdict, where it does not count; in its place below."""
    best = [add_run(store, name) for name in THREE]
    other = add_run(store, THREE[0], seed=9, accuracy=0.1)
    page = drawn(open_page(play_run=other.id), canvas, 4)
    assert "(this run)" in html(page) and "of 3 networks" in words(page)
    assert html(page).count("(this run)") == 1
    page = drawn(open_page(play_run=best[0].id), canvas, 4)
    assert "(this run)" not in html(page)


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


def test_the_last_stroke_is_marked_and_what_turned_the_answer_is_told(store, canvas):
    run = add_run(store)
    page = drawn(open_page(), canvas, 4)
    assert all(c["changed"] is None for c in network(page)["columns"]) and not network(page)["flip"]
    first = from_canvas(canvas.image).final
    shown = network(drawn(page, canvas, 8))
    second = from_canvas(canvas.image).final
    assert all(c["changed"] in c["ids"] for c in shown["columns"])
    same = len(set(load_network(run).logits(np.stack([first, second])).argmax(1))) == 1
    assert (shown["flip"] is None) == same


@pytest.mark.parametrize(
    "tab, link, key",
    [
        ("Move it", {"play_move_turn": "30.0", "play_along": "size"}, None),
        ("Why", {"play_why": "3"}, "rather than"),
        ("Fool it", {"play_epsilon": "77"}, "77 of 255"),
    ],
)
def test_a_link_brings_back_the_controls_of_a_section(store, canvas, tab, link, key):
    add_run(store)
    page = open_page(play_tab=tab, **link)
    if key is None:
        assert page.slider(key="play_move_turn").value == 30.0
    else:
        assert key in words(page)
    assert all(page.query_params[name] == value for name, value in link.items())
