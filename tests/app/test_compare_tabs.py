"""The tabs of Compare without a browser, over made-up runs."""

import json
import re

import numpy as np
import pytest

from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.robustness import FORMAT
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.inspection.architecture import describe
from mnist_core.jobs import spawn
from mnist_core.models import create_model, make_config
from tests.app.compare_page import charts, open_page, words
from tests.app.opening import settle
from tests.stores import FINGERPRINT, add_run, make_run


def test_curves_by_seconds(three):
    drawn = charts(open_page(cmp_tab="Curves", cmp_by="Seconds"))[1]
    assert drawn["layout"]["xaxis"]["title"]["text"].startswith("Seconds")
    assert max(max(trace["x"]) for trace in drawn["data"]) == pytest.approx(50 * 3.5)


@pytest.fixture
def two(lab):
    """Two networks with logits for the 60 small test images: wrong on 6 of them, and on 9."""
    labels = {"validation": np.arange(40) % 10, "test": np.arange(60) % 10}
    lab.write_labels("MNIST", FINGERPRINT, labels)
    runs = [make_run(lab, make_config(model), accuracy=0.9) for model in ("lenet5", "small")]
    for run, wrong in zip(runs, (6, 9), strict=True):
        run.folder.write_logits({part: logits(labels[part], wrong) for part in labels})
    return runs


def logits(labels, wrong):
    """The first `wrong` images are taken for the next class."""
    values = np.random.default_rng(0).normal(size=(len(labels), 10)).astype(np.float16)
    told = np.where(np.arange(len(labels)) < wrong, (labels + 1) % 10, labels)
    values[np.arange(len(labels)), told] = 6
    return values


def open_tab(tab, runs, **query):
    return open_page(cmp_tab=tab, cmp_runs=[run.id for run in runs], **query)


def links(page):
    return re.findall('href="([^"]+)"', " ".join(part.proto.body for part in page.get("html")))


def test_mistakes_open_in_the_playground(two):
    page = open_tab("Mistakes", two)
    matrix = page.dataframe[0].value.drop(columns="true")
    assert matrix.to_numpy().sum() == 60 and matrix.to_numpy().trace() == 54
    found = links(page)
    first = [link for link in found if two[0].id in link]
    assert {int(link.rsplit("=")[-1]) for link in first[:6]} == set(range(6))
    assert first[0].startswith(f"playground?play_run={two[0].id}&amp;play_test=")
    assert "6 mistakes" in words(page)
    assert "6 images are predicted correctly by none of the 2 networks" in words(page)
    page = open_tab("Mistakes", two, cmp_agree="some", cmp_network="Small")
    assert "3 images are predicted correctly by some" in words(page)
    assert "9 mistakes" in words(page)  # the network is in the link


def test_a_cell_shows_its_images(two):
    page = open_tab("Mistakes", two)
    key = f"cmp_cells_{two[0].id}"
    page.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [(3, "4")]}}
    page = settle(page)
    assert "3 taken for 4: 1" in words(page)
    assert any(link.endswith("play_test=3") for link in links(page))


def test_without_the_data_set_no_tab_says_that_something_is_missing(two, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "none"))
    page = open_tab("Mistakes", two)
    assert page.dataframe[0].value.drop(columns="true").to_numpy().sum() == 60 and not links(page)
    assert "№ 0: 0, read as 1" in words(page) and not page.info and not page.warning
    page = open_tab("Which is better?", two)
    assert "№ 6: 6, read as 7" in words(page) and not page.info and not page.warning


def test_the_verdict_says_whether_a_difference_is_luck(two):
    page = open_tab("Which is better?", two)
    assert "No clear difference between LeNet-5 and Small" in words(page)
    assert "exactly one is right on 3 images, LeNet-5 on 3 of them" in words(page)
    assert "split at least this unevenly in 25 % of cases" in words(page)
    assert "is right: 3 images" in words(page) and "is right: 0 images" in words(page)
    assert {int(link.rsplit("=")[-1]) for link in links(page)} == {6, 7, 8}


def test_how_far_off_the_confidence_is(two):
    page = open_tab("Which is better?", two)
    page.session_state["cmp_trust"] = True
    page = settle(page)
    known = calibration(two[0].logits()["test"], np.arange(60) % 10)
    assert f"LeNet-5: {known.brier:.4f}" in words(page)
    assert all(title in words(page) for title in ("Calibration error", "Loss", "Temperature"))
    assert len(charts(page)[1]["data"]) == 5  # the diagonal; two networks' bins, two times


def test_settings_side_by_side_show_what_differs(two):
    page = open_tab("Which is better?", two)
    page.session_state["cmp_settings"] = True
    shown = settle(page).dataframe[0].value.set_index("Setting")
    assert {"learning rate", "network"} <= set(shown.index) and "seed" not in shown.index
    assert shown.loc["network"].tolist() == ["LeNet-5", "Small"]


def test_a_row_speaks_through_a_run_that_keeps_its_predictions(two, lab):
    """The best run of the row keeps none; the others differ only in their seed."""
    better = make_run(lab, make_config("lenet5", seed=2), accuracy=0.95)
    page = open_tab("Which is better?", [better, two[1]])
    assert "exactly one is right on 3 images" in words(page)
    assert "The runs compared image by image: LeNet-5: seed 1." in words(page)
    page = open_tab("Mistakes", [better])
    assert "6 mistakes" in words(page) and "Not shown" not in words(page)


def test_runs_without_predictions_are_named_where_they_are_needed(two, lab):
    silent = make_run(lab, make_config("medium"), accuracy=0.9)
    assert "Not shown: Medium, which kept no" in words(open_tab("Mistakes", [*two, silent]))
    page = open_tab("Which is better?", [two[0], silent])
    assert "LeNet-5 and Medium cannot be tested" in words(page) and "Not shown" not in words(page)


def test_robustness_is_shown_from_what_is_kept(two):
    curves = {kind: [[level, 50] for level in each.levels] for kind, each in CORRUPTIONS.items()}
    kept = {"format": FORMAT, "weights_sha256": None, "images": 60, "curves": curves}
    (two[0].path / "robustness.json").write_text(json.dumps(kept))
    page = open_tab("Robustness", two)
    drawn = charts(page)[1:]
    assert len(drawn) == len(CORRUPTIONS) and drawn[0]["data"][0]["y"][0] == pytest.approx(5 / 6)
    assert len(drawn[0]["layout"]["images"]) == 11
    assert "Not computed for Small: the run has no weights." in words(page)


def test_robustness_of_a_row_is_computed_for_a_run_with_weights(lab):
    add_run(lab, "lenet5", accuracy=0.9)
    better = make_run(lab, make_config("lenet5", seed=2), accuracy=0.95)
    page = open_tab("Robustness", [better])
    assert page.button(key="cmp_compute").label == "Compute for LeNet-5"


def test_inside_the_networks(two, lab, monkeypatch):
    found = {"lenet5": describe(create_model("lenet5"), 32)}
    monkeypatch.setattr(spawn, "ask", lambda *arguments: found)
    again = make_run(lab, make_config("lenet5", lr=0.02))  # the same network, other settings
    page = open_tab("Inside", [two[0], again])
    table, layers = page.dataframe[0].value, page.dataframe[1].value
    figures = table[["blocks", "receptive_field", "weights_bytes"]]
    assert figures.iloc[0].tolist() == [2, 14, 247_552]
    assert layers["field"].tolist()[:4] == ["5×5", "5×5", "6×6", "14×14"]
    assert "Unit (4, 4) of 10×10: receptive field 14×14 pixels, image rows 8–21" in words(page)
    assert "conv2" in page.get("graphviz_chart")[0].proto.spec
