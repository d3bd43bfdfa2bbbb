"""Compare without a browser, over stores of runs that nobody had to train."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core.models import make_config
from mnist_core.statistics import wilson
from pages.parts import common
from tests.stores import FIGURES, damage, make_labels, make_run

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
    assert "3 runs. Test accuracy of the best by validation: **MNIST** LeNet-5 98.90 %" in words(
        page
    )
    drawn = charts(page)
    assert len(drawn) == 4
    assert all(len(drawn[number]["data"]) == 4 for number in SCATTERS)  # with the published ones
    assert all(len(drawn[number]["data"]) >= 6 for number in CURVES)
    assert not page.query_params


def test_figures_that_are_missing_are_empty_and_the_states_are_true(three, store):
    make_run(store, make_config("small"), state="running")
    make_run(store, make_config("small", seed=2), state="queued", epochs=0, parameters=None)
    note = "The loss was no longer finite in epoch 1."
    make_run(store, make_config("small", lr=9), state="diverged", epochs=0, note=note)
    page = open_page(cmp_model=["Small"])
    rows = table_of(page).set_index(["state", "seed"])
    assert sorted(rows.index) == [("diverged", 1), ("interrupted", 1), ("interrupted", 2)]
    assert rows["test_accuracy"].isna().all()
    assert rows.loc[("interrupted", 1), "validation_accuracy"] == 98
    assert rows.loc[("diverged", 1), "note"] == note
    assert "3 runs, 3 of them without a test figure." in words(page)
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
    best = next(button for button in page.button if button.label == "Tick the best")
    best.click()
    assert len(chosen(settle(page))) == 3


def test_a_new_run_does_not_move_the_ticks(three, store):
    page = tick(open_page(), three["MNIST"].id)
    make_run(store, make_config("small"), accuracy=0.999, created=time.time() + 9)
    assert table_of(settle(page))["model"].iloc[0] == "small"
    assert chosen(page) == [three["MNIST"].id]


def test_more_runs_than_colours_are_not_chosen(store):
    ids = [make_run(store, make_config("lenet5", seed=seed)).id for seed in range(9)]
    page = open_page()
    first = chosen(page)
    assert len(first) == 1  # the best of the one network
    page = tick(page, *first, *[run_id for run_id in ids if run_id not in first])
    assert len(chosen(page)) == 7 and first[0] in chosen(page)
    assert "Up to 7 runs" in page.toast[0].value


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


def test_published_figures_of_other_networks_on_demand(three, monkeypatch):
    sizes = {n: {"parameters": p, "receptive_field": f} for n, (p, _, f) in FIGURES.items()}
    monkeypatch.setattr(common, "model_figures", lambda: sizes)
    few = len(charts(open_page())[0]["data"][0]["x"])
    texts = charts(open_page(cmp_published="true"))[0]["data"][0]["text"]
    assert len(texts) > few and any("best epoch on the test set" in text for text in texts)


def test_the_page_never_imports_torch(three, store):
    code = (
        "import sys; from streamlit.testing.v1 import AppTest; "
        f"page = AppTest.from_file({PAGE!r}, default_timeout=60).run(); "
        "assert len(page.dataframe[0].value) == 3 and not page.exception; "
        "assert 'torch' not in sys.modules and 'scipy' not in sys.modules"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
