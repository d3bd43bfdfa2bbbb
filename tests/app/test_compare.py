"""Compare without a browser, over stores of runs that nobody had to train."""

import json
import re
import shutil
import time
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from mnist_core.charts.pareto import RING
from mnist_core.evaluation.calibration import calibration
from mnist_core.evaluation.robustness import FORMAT
from mnist_core.evaluation.statistics import wilson
from mnist_core.imaging.corruptions import CORRUPTIONS
from mnist_core.inspection.architecture import describe
from mnist_core.jobs import spawn
from mnist_core.models import create_model, make_config
from mnist_core.runs.bundle import bundled, write_bundle
from tests.stores import FINGERPRINT, damage, make_labels, make_run
from tests.tools import store_bench

ROOT = Path(__file__).parents[2]
PAGE = str(ROOT / "pages" / "compare.py")
SCATTERS, CURVES = (0, 1), (2, 3)


def open_page(**query):
    page = AppTest.from_file(PAGE, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    return settle(page)


def settle(page):
    page.run()
    assert not page.exception
    return page


def table_of(page):
    return page.dataframe[0].value


def charts(page):
    return [json.loads(chart.proto.spec) for chart in page.get("plotly_chart")]


def chosen(page):
    """The runs in the table that are ticked."""
    rows = page.session_state["cmp_table"]["selection"]["rows"]
    return table_of(page)["id"].iloc[rows].tolist()


def tick(page, *ids):
    every = table_of(page)["id"].tolist()
    rows = [every.index(run_id) for run_id in ids]
    page.session_state["cmp_table"] = {"selection": {"rows": rows, "columns": [], "cells": []}}
    return settle(page)


def address(page):
    """The runs in the address bar."""
    value = page.query_params.get("cmp_runs", [])
    return value if isinstance(value, list) else [value]


def words(page):
    return " ".join(element.value for element in [*page.markdown, *page.caption, *page.info])


@pytest.fixture
def three(store):
    """What ships: a run for each of three data sets."""
    sets = {"MNIST": 0.991, "FashionMNIST": 0.909, "KMNIST": 0.98}
    return {
        name: make_run(store, make_config("lenet5", dataset=name), accuracy=accuracy)
        for name, accuracy in sets.items()
    }


def test_an_empty_store_says_what_to_do(store):
    page = open_page()
    assert "Train a network on the Train page" in page.info[0].value
    assert not page.dataframe and not charts(page)


def test_runs_without_a_finished_epoch_are_listed(store):
    make_run(store, state="interrupted", epochs=0, best_epoch=None)
    page = open_page()
    assert len(table_of(page)) == 1 and chosen(page) == []


def test_what_ships_is_there_at_first_sight(three):
    page = open_page()
    assert len(table_of(page)) == 3
    assert sorted(chosen(page)) == sorted(run.id for run in three.values())
    assert "Test accuracy of the best by validation accuracy: **MNIST** LeNet-5 98.90 %" in words(
        page
    )
    drawn = charts(page)
    assert len(drawn) == 4
    for number in SCATTERS:
        published, *ours = [trace for trace in drawn[number]["data"] if trace["mode"] == "markers"]
        assert len(ours) == 3 and any("best epoch on the test set" in t for t in published["text"])
    assert all(len(drawn[number]["data"]) >= 6 for number in CURVES)
    assert not page.query_params


def test_figures_that_are_missing_are_empty_and_the_states_are_true(three, store):
    make_run(store, make_config("small"), state="running")
    make_run(store, make_config("small", seed=2), state="queued", epochs=0, parameters=None)
    note = "The loss was no longer finite in epoch 1."
    make_run(store, make_config("small", lr=9), state="diverged", epochs=0, note=note)
    page = open_page(cmp_model=["Small"], cmp_fold="false")
    rows = table_of(page).set_index(["state", "seed"])
    assert sorted(rows.index) == [("diverged", 1), ("interrupted", 1), ("interrupted", 2)]
    assert rows["test_accuracy"].isna().all()
    assert rows.loc[("interrupted", 1), "validation_accuracy"] == 98
    assert rows.loc[("diverged", 1), "note"] == note
    assert "3 runs, 3 of them without a test accuracy." in words(page)
    assert "None of these runs is finished" in words(page)
    assert len(charts(page)) == 2  # the curves of the one that has epochs


def test_a_damaged_run_among_healthy_ones_is_one_line(three, store):
    damage(make_run(store, make_config("small")))
    damage(make_run(store, make_config("medium")), "config.json", b"{}")
    page = open_page()
    assert len(table_of(page)) == 3
    assert sorted(line.value.split("-")[1] for line in page.warning) == ["medium", "small"]
    assert all("damaged" in line.value for line in page.warning)


def test_a_damaged_history_costs_only_its_own_curves(three):
    damage(three["MNIST"], "history.csv", b"epoch,train_loss\n1,nonsense\n")
    page = open_page()
    (line,) = page.warning
    assert line.value.startswith("LeNet-5 · MNIST has no curves: ") and "history.csv" in line.value
    assert len(table_of(page)) == 3 and len(charts(page)) == 4


def test_ticks_choose_the_curves_and_are_in_the_address(three, store):
    one, two = three["KMNIST"].id, three["MNIST"].id
    page = tick(open_page(), one)
    assert chosen(page) == [one] and address(page) == [one]
    page = tick(page, one, two)
    assert address(page) == [one, two]
    names = {trace["name"] for trace in charts(page)[2]["data"]}
    assert names == {
        f"LeNet-5 · {name} · {part}"
        for name in ("KMNIST", "MNIST")
        for part in ("training", "validation")
    }
    page = settle(page)
    assert address(page) == [one, two]
    page = tick(page)
    assert chosen(page) == [] and "Tick runs in the table" in words(page)
    assert not address(page)


def test_a_link_reopens_the_choice_and_a_bad_one_shows_the_best(three):
    one = three["KMNIST"].id
    assert chosen(open_page(cmp_runs=[one])) == [one]
    page = open_page(cmp_runs=["../../etc", "mnist-lenet5-0000000000"], cmp_dataset="Evil")
    assert len(chosen(page)) == 3 and len(table_of(page)) == 3
    assert not address(page)


def test_a_filter_hides_the_choice_and_brings_it_back(three, store):
    make_run(store, make_config("small"), accuracy=0.99)
    page = tick(open_page(), three["MNIST"].id)
    page.get_by_key("cmp_dataset").set_value("KMNIST")
    assert chosen(settle(page)) == [three["KMNIST"].id]  # the best of what is shown
    page.get_by_key("cmp_dataset").set_value("All")
    assert chosen(settle(page)) == [three["MNIST"].id]
    page.text_input(key="cmp_text").set_value("kmnist done")
    assert len(table_of(settle(page))) == 1
    page.text_input(key="cmp_text").set_value("nobody")
    assert "No run matches" in words(settle(page))
    page.text_input(key="cmp_text").set_value("")
    assert chosen(settle(page)) == [three["MNIST"].id]
    best = next(button for button in page.button if button.label == "Compare top 5")
    best.click()
    titles = table_of(settle(page)).set_index("id").loc[chosen(page), ["title", "dataset"]]
    assert set(map(tuple, titles.values)) == {("LeNet-5", "MNIST"), ("Small", "MNIST")}


def test_a_new_run_does_not_move_the_ticks(three, store):
    page = tick(open_page(), three["MNIST"].id)
    make_run(store, make_config("small"), accuracy=0.999, created=time.time() + 9)
    assert table_of(settle(page))["title"].iloc[0] == "Small"
    assert chosen(page) == [three["MNIST"].id]


def test_more_runs_than_colours_are_not_chosen(store):
    ids = [make_run(store, make_config("lenet5", seed=seed)).id for seed in range(9)]
    page = open_page(cmp_fold="false")
    first = chosen(page)
    assert len(first) == 1  # the best of the one network
    page = tick(page, *first, *[run_id for run_id in ids if run_id not in first])
    assert len(chosen(page)) == 7 and first[0] in chosen(page)
    assert "Up to 7 rows" in page.toast[0].value


def test_seeds_are_counted(store):
    for seed, accuracy in enumerate((0.99, 0.992, 0.994)):
        make_run(store, make_config("lenet5", seed=seed), accuracy=accuracy)
    assert "**MNIST** LeNet-5 99.00 ± 0.20 % (3 seeds)" in words(open_page())


def test_the_interval_knows_how_many_test_images_there_were(three, store):
    make_labels(store, "MNIST", test=60)
    rows = table_of(open_page()).set_index("dataset")
    for dataset, right, images in (("KMNIST", 9780, 10_000), ("MNIST", 59, 60)):
        known = wilson(right, images)
        expected = f"{100 * known.low:.2f}–{100 * known.high:.2f}"
        assert rows.loc[dataset, "interval"] == expected


def test_seeds_fold_into_a_row_that_any_of_them_names(store):
    runs = [
        make_run(store, make_config("lenet5", seed=seed), accuracy=0.98 + seed / 1000)
        for seed in (1, 2, 3)
    ]
    other = make_run(store, make_config("small"))
    page = open_page(cmp_runs=[runs[0].id])
    row = table_of(page).set_index("id").loc[runs[2].id]
    assert (len(table_of(page)), row["seeds"], chosen(page)) == (2, 3, [runs[2].id])
    assert row["test_accuracy"] == pytest.approx(98) and row["interval"] == "97.75–98.25"
    assert "4 runs in 2 rows" in words(page)
    names = [trace["name"] for trace in charts(page)[2]["data"]]
    assert names.count("LeNet-5 · another seed") == 2
    page.toggle(key="cmp_fold").set_value(False)
    assert chosen(settle(page)) == [runs[0].id] and len(table_of(page)) == 4
    page.toggle(key="cmp_fold").set_value(True)
    assert chosen(settle(page)) == [runs[2].id] and len(table_of(page)) == 2
    page = open_page(cmp_runs=[runs[0].id, other.id], cmp_fold="false")
    assert chosen(page) == [runs[0].id, other.id] and len(table_of(page)) == 4


def test_the_grid_is_out_of_the_way_until_it_is_wanted(three, store):
    grid = [make_run(store, make_config("lenet5", "grid", lr=lr)) for lr in (0.02, 0.03)]
    write_bundle(store.bundle, [bundled(run) for run in grid])
    for run in grid:
        shutil.rmtree(run.path)
    page = open_page()
    assert len(table_of(page)) == 3 and page.toggle(key="cmp_grid").label.endswith("(2 runs)")
    assert len(table_of(open_page(cmp_grid="true"))) == 5
    page = open_page(cmp_runs=[grid[0].id])
    assert chosen(page) == [grid[0].id] and len(table_of(page)) == 4


def test_states_can_be_chosen_where_there_are_several(three, store):
    assert not [pill for pill in open_page().get("button_group") if pill.key == "cmp_state"]
    stopped = make_run(store, make_config("small"), state="stopped")
    page = open_page(cmp_state="stopped")
    assert table_of(page)["id"].tolist() == [stopped.id]


def test_a_mark_is_a_ring_in_every_chart_and_dims_the_other_curves(three):
    one = three["KMNIST"].id
    page = open_page(cmp_mark=one)
    for number in SCATTERS:
        assert charts(page)[number]["data"][-1]["marker"]["color"] == RING
    strong = {
        trace["name"].split(" · ")[1] for trace in charts(page)[2]["data"] if trace["opacity"] == 1
    }
    assert strong == {"KMNIST"}
    assert "cmp_mark" not in open_page(cmp_mark="mnist-lenet5-0000000000").query_params


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


# --- answers of the networks ------------------------------------------------------------------


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
        assert open_tab(tab, two)


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
    assert (table["blocks"][0], table["field"][0], table["bytes"][0]) == (2, 14, 247_552)
    assert layers["field"].tolist()[:4] == ["5×5", "5×5", "6×6", "14×14"]
    assert "Unit (4, 4) of 10×10: receptive field 14×14 pixels, image rows 8–21" in words(page)
    assert "conv2" in page.get("graphviz_chart")[0].proto.spec


def test_the_page_never_imports_torch(three, store):
    assert len(store_bench.visit(store, 2)) == 2  # a fresh process, that would complain
