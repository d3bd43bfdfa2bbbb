"""The Train page's controls without a browser: what they set, the address bar, the map."""

import json
import os
import re
from dataclasses import replace

import pytest

from mnist_core.jobs import automatic, follow, launcher
from mnist_core.models import make_config
from mnist_core.runs.bundle import write_bundle
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from mnist_core.training import cost
from tests.app.train_page import move, open_page, opening, ready, stop, words
from tests.stores import make_run


@pytest.fixture
def trained_as_i_move(store, monkeypatch):
    """What begins by itself. This process stands for those that train."""
    monkeypatch.setattr(follow, "REST", 0.0)
    configs = []

    def start(store, config, automatic_for=""):
        configs.append(config)
        make_run(store, config, state="running", epochs=0, process=Process.of(os.getpid()))
        automatic.mark(store, config.id, automatic_for)

    monkeypatch.setattr(launcher, "start", start)
    monkeypatch.setattr(launcher, "pause", lambda store, run_id: halted(store, run_id))
    monkeypatch.setattr(follow, "missing_files", lambda name, root: [])
    cost.save(store, opening(), cost.Cost(1e-5, 1e-4, 1e-5, 30.0))
    make_run(store, opening())
    return configs


def halted(store, run_id):
    run = store.get(run_id)
    run.folder.write_summary(replace(run.summary, state="paused", process=None))


def test_with_the_switch_on_what_is_looked_at_trains_and_what_is_left_ends(
    store, trained_as_i_move, prepared
):
    page = open_page()
    move(page, "lr", 0.1)
    assert not trained_as_i_move
    page.toggle(key="train_as_i_move").set_value(True).run()
    assert trained_as_i_move == [opening(lr=0.1)] and ready(page) == {"Pause", "Stop"}
    move(page, "lr", 0.2)
    assert trained_as_i_move[1:] == [opening(lr=0.2)]
    assert store.find_folder(opening(lr=0.1)) is None  # it had no epoch
    move(page, "lr", 0.01)
    assert store.find_folder(opening(lr=0.2)) is None and len(trained_as_i_move) == 2
    assert prepared[-1] == opening()
    move(page, "lr", 0.05)
    page.toggle(key="train_as_i_move").set_value(False).run()
    move(page, "lr", 0.02)
    assert store.find_folder(opening(lr=0.05)).state == "running"


def test_a_link_with_the_switch_on_trains_what_is_quick_and_says_what_is_not(
    store, trained_as_i_move
):
    open_page(lr="0.1", train_as_i_move="true")
    assert trained_as_i_move == [opening(lr=0.1)]
    page = open_page(lr="0.2", epochs="100", train_as_i_move="true")
    assert len(trained_as_i_move) == 1
    assert "Takes longer than 10 s: press Train." in words(page)
    assert ready(page) == {"Train"}


def test_what_is_seen_is_in_the_address_bar_and_a_link_reopens_it(store):
    page = open_page()
    move(page, "dropout", 0.25)
    page.number_input(key="exact_lr").set_value(0.0123).run()
    query = dict(page.query_params)
    sliders = {"dropout": "0.25", "lr": "0.0123", "batch_size": "64", "activation": "ReLU"}
    assert query == {"dataset": "MNIST", "model": "lenet5", "recipe": "grid"} | sliders
    again = open_page(**query)
    assert stop(again, "lr").value == 0.0123
    assert stop(again, "dropout").value == 0.25


def test_the_grid_is_first_and_the_reference_one_choice_away(store):
    grid_run = make_run(RunStore(store.root / "other"), opening(), epochs=0)
    write_bundle(store.bundle_path("MNIST"), [grid_run], {})
    make_run(store, make_config("lenet5"), accuracy=0.991)
    page = open_page()
    assert page.selectbox(key="control_recipe").value == "grid" and "**97.80 %** test" in words(
        page
    )
    page.selectbox(key="control_recipe").set_value("reference").run()
    assert "**99.10 %** validation" in words(page) and "★ epoch 50 of 50" in words(page)


def test_the_setting_that_was_left_stays_as_a_grey_line(store):
    make_run(store, opening())
    make_run(store, opening(lr=0.1))
    page = open_page()
    move(page, "lr", 0.1)
    for chart in page.get("plotly_chart")[:2]:
        names = [trace["name"] for trace in json.loads(chart.proto.spec)["data"]]
        assert [name for name in names if "before" in name] == [
            "before: learning rate 0.01 · validation"
        ]
        assert "validation" in names
    assert "Grey: validation before, with learning rate 0.01" in words(page)
    page.selectbox(key="control_model").set_value("medium").run()
    assert "before" not in page.get("plotly_chart")[0].proto.spec


def test_advice_changes_the_settings(store):
    make_run(store, opening(lr=1), state="diverged", epochs=0)
    page = open_page(lr="1")
    assert "**Diverged** in epoch 1" in words(page)
    button = page.button(key="train_advice")
    assert button.label == "Try learning rate 0.1"
    button.click().run()
    assert stop(page, "lr").value == 0.1


def test_a_network_that_ships_no_grid_opens_with_its_reference(store):
    page = open_page(model="medium")
    assert page.selectbox(key="control_recipe").value == "reference"


def test_a_network_brings_its_recipe_and_a_recipe_sets_every_control(store):
    page = open_page()
    page.selectbox(key="control_model").set_value("lenet5-1998").run()
    assert stop(page, "lr").value == 0.001
    page.selectbox(key="control_model").set_value("lenet5").run()
    page.selectbox(key="control_recipe").set_value("tutorial").run()
    assert stop(page, "batch_size").value == 64
    move(page, "lr", 0.2)
    assert page.selectbox(key="control_recipe").value == "Custom"


def test_a_bad_link_is_a_sentence_and_the_page_goes_on(store):
    make_run(store, opening())
    page = open_page(model="lenet5", lr="-3", epochs="lots")
    complaints = [warning.value for warning in page.warning]
    assert len(complaints) == 2 and complaints[0].startswith("lr: '-3' was given; allowed is")
    assert "★ epoch" in words(page)


def test_an_empty_map_offers_to_train_three_cells(store, started):
    make_run(store, opening())
    cost.save(store, opening(), cost.Cost(1e-4, 0.0064, 2e-5, 3.0))
    page = open_page(dataset="FashionMNIST")
    button = page.button(key="train_these")
    assert re.fullmatch(r"Train these 3 \(≈ \d+ (s|min)\)", button.label)
    button.click().run()
    assert {config.lr for config in started} == {0.005, 0.01, 0.02}
    assert {config.dataset for config in started} == {"FashionMNIST"}
    assert "train_these" not in [each.key for each in open_page().button]


def test_the_map_is_walked_by_keyboard(store):
    make_run(store, opening(lr=0.1, batch_size=256), accuracy=0.99)
    page = open_page()
    for step, expected in (("→", (0.02, 64)), ("↑", (0.02, 128)), ("★", (0.1, 256))):
        page.button_group(key="train_step").set_value(step).run()
        assert (stop(page, "lr").value, stop(page, "batch_size").value) == expected
    for _ in range(7):  # it ends at the edge
        page.button_group(key="train_step").set_value("→").run()
    assert stop(page, "lr").value == 1.0


def test_a_link_names_the_tab_and_the_axes_of_the_map(store):
    make_run(store, opening())
    page = open_page(train_tab="Files and command", train_x="dropout", train_y="lr")
    assert page.code[0].value.startswith("python -m")
    assert (page.selectbox(key="train_x").value, page.selectbox(key="train_y").value) == (
        "dropout",
        "lr",
    )
    page.selectbox(key="train_x").set_value("lr").run()
    assert page.selectbox(key="train_y").value == "batch_size"
    assert "train_x" not in page.query_params
