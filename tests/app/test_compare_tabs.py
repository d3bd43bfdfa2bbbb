"""The tabs of Compare without a browser, over made-up runs."""

import json
import re

import numpy as np
import pytest
import streamlit as st

from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.robustness import FORMAT
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.inspection.architecture import describe
from mnist_core.jobs import spawn
from mnist_core.models import create_model, make_config
from tests.app.compare_page import charts, open_page, words
from tests.app.opening import settle
from tests.stores import FINGERPRINT, make_run


def test_curves_by_seconds(three):
    drawn = charts(open_page(cmp_by="Seconds"))[2]
    assert drawn["layout"]["xaxis"]["title"]["text"].startswith("Seconds")
    assert max(max(trace["x"]) for trace in drawn["data"]) == pytest.approx(50 * 3.5)


def test_settings_side_by_side_show_what_differs(store):
    make_run(store, make_config("lenet5", lr=0.05))
    make_run(store, make_config("small"))
    (_, shown) = open_page(cmp_tab="Settings").dataframe
    values = shown.value
    assert {"learning rate", "model"} <= set(values.index) and "seed" not in values.index
    assert set(values.loc["learning rate"]) == {"0.05", "0.061"}


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
    matrix = page.dataframe[1].value
    assert matrix.to_numpy().sum() == 60 and matrix.to_numpy().trace() == 54
    found = links(page)
    first = [link for link in found if two[0].id in link]
    assert {int(link.rsplit("=")[-1]) for link in first[:6]} == set(range(6))
    assert first[0].startswith(f"playground?play_run={two[0].id}&amp;play_test=")
    assert "6 mistakes" in words(page)
    assert "6 images are predicted correctly by none of the 2 networks" in words(page)
    assert "3 images are predicted correctly by some" in words(
        open_tab("Mistakes", two, cmp_agree="some")
    )


def test_a_cell_shows_its_images(two):
    page = open_tab("Mistakes", two)
    key = f"cmp_cells_{two[0].id}"
    page.session_state[key] = {"selection": {"rows": [], "columns": [], "cells": [(3, "4")]}}
    page = settle(page)
    assert "3 taken for 4: 1" in words(page)
    assert any(link.endswith("play_test=3") for link in links(page))


def test_without_the_data_set_the_figures_stay(two, monkeypatch, tmp_path):
    monkeypatch.setenv("MNIST_DATA", str(tmp_path / "none"))
    page = open_tab("Mistakes", two)
    assert page.dataframe[1].value.to_numpy().sum() == 60 and not links(page)
    assert "datasets --download MNIST" in words(page)
    assert len(charts(page)) == 3
    for tab in ("Trust", "Robustness"):
        assert charts(open_tab(tab, two))


def test_trust_says_who_is_better_in_words(two):
    page = open_tab("Trust", two)
    figures = page.dataframe[1].value
    assert figures["network"].tolist() == ["LeNet-5", "Small"]
    known = calibration(two[0].logits()["test"], np.arange(60) % 10)
    assert figures["brier"][0].startswith(f"{known.brier:.4f} → ")
    assert "**No clear difference** between LeNet-5 and Small" in words(page)
    assert "on 3 images only LeNet-5 is right, on 0 only Small is" in words(page)
    assert "in 25 % of all cases" in words(page)
    assert len(charts(page)[2]["data"]) == 3  # the diagonal and two networks


def test_runs_without_answers_are_named(two, store):
    silent = make_run(store, make_config("medium"))
    page = open_tab("Mistakes", [*two, silent])
    assert "Left out, because no predictions are stored with the run: Medium." in words(page)
    assert "None of the ticked runs has stored predictions" in words(open_tab("Trust", [silent]))


def test_robustness_is_shown_from_what_is_kept(two):
    curves = {kind: [[level, 50] for level in each.levels] for kind, each in CORRUPTIONS.items()}
    kept = {"format": FORMAT, "weights_sha256": None, "images": 60, "curves": curves}
    (two[0].path / "robustness.json").write_text(json.dumps(kept))
    page = open_tab("Robustness", two)
    drawn = charts(page)[2:]
    assert len(drawn) == len(CORRUPTIONS) and drawn[0]["data"][0]["y"][0] == pytest.approx(5 / 6)
    assert len(drawn[0]["layout"]["images"]) == 11
    assert "Not computed for Small: the run has no weights." in words(page)


def test_inside_the_networks(two, lab, monkeypatch):
    found = {"lenet5": describe(create_model("lenet5"), 32)}
    monkeypatch.setattr(spawn, "ask", lambda *arguments: found)
    st.cache_data.clear()
    again = make_run(lab, make_config("lenet5", lr=0.02))  # the same network, other settings
    page = open_tab("Inside", [two[0], again])
    table, layers = page.dataframe[1].value, page.dataframe[2].value
    figures = table[["blocks", "receptive_field", "weights_bytes"]]
    assert figures.iloc[0].tolist() == [2, 14, 247_552]
    assert layers["field"].tolist()[:4] == ["5×5", "5×5", "6×6", "14×14"]
    assert "Unit (4, 4) of 10×10: receptive field 14×14 pixels, image rows 8–21" in words(page)
    assert "conv2" in page.get("graphviz_chart")[0].proto.spec
