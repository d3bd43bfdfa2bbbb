"""The network on the Playground, without a browser: its maps, and the arithmetic of one unit."""

import base64
import re

import numpy as np
import pytest
import torch

from mnist_core.data.transforms import to_input
from mnist_core.evaluation.network import load_network
from mnist_core.evaluation.predict import load_model
from mnist_core.imaging.preprocess import from_canvas
from mnist_core.inspection.feature_maps import feature_maps
from mnist_core.models import model_names
from tests.app.play_canvas import (
    drawn,
    html,
    network,
    open_page,
    pictures,
)
from tests.stores import add_run


@pytest.mark.parametrize("model", model_names())
def test_every_network_is_shown_from_left_to_right(store, canvas, model):
    run = add_run(store, model)
    page = drawn(open_page(), canvas, 5)
    image = torch.tensor(from_canvas(canvas.image).final)[None]
    maps = feature_maps(load_model(run), to_input(image, run.config))
    columns = network(page)["columns"]
    assert [c["source"] for c in columns] == [None, *range(len(columns) - 1)]
    assert columns[-1]["names"] == list("0123456789")
    logits = maps[list(maps)[-1]]
    assert np.allclose(columns[-1]["numbers"], logits, rtol=1e-4, atol=1e-5)
    image, first = columns[:2]
    assert np.allclose(values(image)[0], maps["input"][0], atol=0.01)
    if model == "lenet5":
        assert np.allclose(values(first), maps["act1"], atol=0.01 * np.abs(maps["act1"]).max())


def values(column):
    """The numbers that the browser makes of a column's colours."""
    cells = np.frombuffer(base64.b64decode(column["pixels"]), np.uint8).astype(float)
    start = 127 if column["low"] == 0 and not column["grey"] else 0
    share = (cells - start) / (254 - start)
    shown = column["low"] + share * (column["high"] - column["low"])
    return shown.reshape(-1, column["height"], column["width"])


def test_of_a_wide_layer_the_strongest_are_shown(store, canvas):
    run = add_run(store, "mynetv1")
    page = drawn(open_page(), canvas, 5)
    image = torch.tensor(from_canvas(canvas.image).final)[None]
    peaks = np.abs(feature_maps(load_model(run), to_input(image, run.config))["act4"]).max((1, 2))
    column = next(c for c in network(page)["columns"] if c["name"] == "conv4")
    assert (
        column["of"] == 512 and len(column["ids"]) == 16 and column["ids"] == sorted(column["ids"])
    )
    assert peaks[column["ids"]].min() >= np.delete(peaks, column["ids"]).max()


def plain_page():
    page = open_page()
    page.toggle(key="play_plain").set_value(True).run()
    assert not page.exception
    return page


def test_plain_pictures_show_every_stage(store, canvas):
    run = add_run(store)
    page = plain_page()
    stages = feature_maps(load_model(run), torch.zeros(1, 1, 32, 32))
    assert [alt.split()[3] for alt in pictures(page)] == [f"{stage}," for stage in stages]
    assert pictures(page, "Kernels of conv1") and not page.get("bidi_component")
    page.segmented_control(key="play_scale").set_value("shared").run()
    assert not page.exception and pictures(page)


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
