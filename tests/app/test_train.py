"""The Train page without a browser: what it says of each state, and what its controls do."""

import json
import os
import re
import subprocess
import sys
import time
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import automatic, follow, launcher, queue
from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.bundle import write_bundle
from mnist_core.runs.process import Process
from mnist_core.runs.run import Mistakes
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training import cost
from tests.app import opening
from tests.app.opening import PAGES
from tests.stores import add_run, damage, make_labels, make_run

open_page = partial(opening.open_page, "train")


def words(page):
    kinds = (page.markdown, page.caption, page.warning, page.error)
    found = "\n".join(element.value for kind in kinds for element in kind)
    return found.replace("\N{NO-BREAK SPACE}", " ")


def ready(page):
    """The buttons of the shown run that can be pressed."""
    keys = ("train_now", "train_continue", "pause_shown", "stop_shown")
    return {page.button(key=key).label for key in keys if not page.button(key=key).disabled}


def options(page, name):
    return page.selectbox(key=f"control_{name}").options


def stop(page, name):
    """The control of one setting that shows its stops."""
    return page.button_group(key=f"control_{name}")


def move(page, name, value):
    stop(page, name).set_value(value).run()


@pytest.fixture
def started(monkeypatch):
    """What the page has asked the launcher to train; nothing is trained."""
    configs = []
    monkeypatch.setattr(launcher, "start", lambda store, config: configs.append(config))
    return configs


def opening(**changes):
    """The config that the page opens with, with some fields changed."""
    return opening_config().replace(**changes)


def test_a_run_that_is_there_shows_at_once(store):
    make_run(store, opening(), accuracy=0.987)
    page = open_page()
    assert "**98.70 %** validation · **98.50 %** test · ★ epoch 3 of 3" in words(page)
    assert ready(page) == {"Continue"}
    assert "LeNet-5 · 2 convolutions, 62k parameters" in options(page, "model")


def test_a_run_that_the_native_engine_could_not_train_says_why(store):
    note = "No C compiler was found. Training uses torch, which takes longer."
    make_run(store, opening(), engine="torch", engine_note=note)
    assert note in words(open_page())


def test_a_slider_leads_to_a_run_that_is_not_there_and_its_button_trains_it(
    store, started, prepared
):
    make_run(store, opening())
    cost.save(store, opening(), cost.Cost(1e-4, 0.0064, 2e-5, 3.0))
    page = open_page()
    assert not prepared
    move(page, "lr", 0.1)
    assert prepared == [opening(lr=0.1)]
    assert "**Not trained yet** · 3 epochs" in words(page)
    assert "the most similar trained run. It has learning rate 0.01." in words(page)
    page.button(key="train_now").click().run()
    assert [config.id for config in started] == [opening(lr=0.1).id]


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


def test_the_cost_comes_from_this_machine_and_is_measured_when_it_is_not_known(store, measured):
    make_run(store, opening())
    page = open_page(lr="0.1")
    assert "measuring how fast this machine is" in words(page)
    assert [config.id for config in measured] == [opening(lr=0.1).id]
    cost.save(store, opening(), cost.Cost(1e-4, 0.0064, 2e-5, 3.0))
    page.run()  # 50,000 images in 782 steps and 10,000 to validate: 10.2 s; the test twice 0.2 s
    assert "about 34 s on this machine" in words(page)
    assert len(measured) == 1


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


def test_a_run_without_weights_can_be_trained_here(store, started):
    run = make_run(RunStore(store.root / "other"), opening())
    write_bundle(store.bundle_path("MNIST"), [run], {})
    page = open_page()
    assert "★ epoch 3 of 3" in words(page)
    page.button(key="train_copy").click().run()
    page.button(key="train_now").click().run()
    assert [config.id for config in started] == [opening().id] * 2


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


def test_several_seeds_are_a_mean_and_a_band(store, started):
    for seed, accuracy in ((1, 0.98), (2, 0.984)):
        make_run(store, opening(seed=seed), accuracy=accuracy)
    page = open_page()
    assert "2 seeds: test 98.00 ± 0.28 %" in words(page)
    names = [t["name"] for t in json.loads(page.get("plotly_chart")[1].proto.spec)["data"]]
    assert "2 seeds: mean" in names
    page.button(key="train_seeds").click().run()
    assert [config.seed for config in started] == [3, 4, 5]


def test_a_run_is_trained_on(store, monkeypatch):
    run = make_run(store, opening())
    run.folder.write_resume_state(b"state")
    asked = []

    def extend(store, run_id, epochs):
        asked.append((run_id, epochs))
        return make_run(store, opening(epochs=epochs), state="paused", epochs=3)

    monkeypatch.setattr(launcher, "extend", extend)
    page = open_page()
    page.number_input(key="train_more").set_value(4).run()
    page.button(key="train_on").click().run()
    assert asked == [(run.id, 7)] and "**Paused** in epoch 4 of 7" in words(page)


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


def test_a_run_that_was_paused_in_its_first_epoch_shows_where_and_its_first_losses(store):
    run = make_run(store, opening(), state="paused", epochs=0, step=310, steps=782)
    losses = [{"epoch": 1, "step": step, "loss": 2.0 - step / 782} for step in (100, 200, 300)]
    run.folder.write_history([], losses)
    page = open_page()
    assert "**Paused** in epoch 1 of 3, step 310 of 782" in words(page)
    assert ready(page) == {"Continue"}
    traces = json.loads(page.get("plotly_chart")[1].proto.spec)["data"]
    batches = next(trace for trace in traces if len(trace["x"]) == 3)
    assert max(batches["x"]) == pytest.approx(300 / 782)  # and not a whole epoch


@pytest.mark.parametrize("state", ["paused", "stopped", "interrupted"])
def test_an_unfinished_run_says_so_and_goes_on_with_one_click(store, started, state):
    make_run(store, opening(), state=state, epochs=2)
    page = open_page()
    assert f"**{state.capitalize()}** in epoch 3 of 3" in words(page)
    assert ready(page) == {"Continue"}
    page.button(key="train_continue").click().run()
    assert len(started) == 1


def test_a_run_whose_process_is_gone_is_interrupted(store):
    make_run(store, opening(), state="running")
    assert "**Interrupted**" in words(open_page())


def test_an_empty_store_still_teaches_what_to_do(store):
    store.create(opening(), Summary("interrupted", parameters=1, receptive_field=1))
    page = open_page()
    assert "has not been trained on this data set yet" in words(page)


def test_a_damaged_run_is_one_line_and_the_rest_is_there(store):
    make_run(store, opening())
    damage(make_run(store, opening(seed=2)))
    page = open_page()
    assert "is damaged and was left out" in words(page) and "★ epoch 3" in words(page)


@pytest.mark.parametrize(
    "name, content",
    [
        ("history.csv", b"epoch,loss\n1,2\n"),
        ("history.csv", b"\xff"),
        ("steps.csv", b"epoch,step,loss\n1,2,nan\n"),
        ("steps.csv", b"a\n1\n"),
    ],
)
def test_damaged_curves_are_one_sentence(store, name, content):
    damage(make_run(store, opening()), name, content)
    page = open_page()
    assert f"{name} is damaged" in words(page) and "★ epoch 3" in words(page)


def test_a_run_at_work_shows_its_progress_and_survives_a_torn_one(store):
    run = make_run(store, opening(), state="running", process=Process.of(os.getpid()))
    progress = {"phase": "training", "epoch": 3, "step": 5, "steps": 10, "losses": [[5, 0.5]]}
    run.folder.write_progress(progress | {"images_per_second": 9000.0, "seconds_left": 12.0})
    page = open_page()
    assert ready(page) == {"Pause", "Stop"}
    assert "epoch 3 of 3 · 9,000 images/s · 12 s left" in page.get("progress")[0].proto.text
    damage(run, "progress.json", b'{"phase": "training", "steps": 0}')
    assert ready(open_page()) == {"Pause", "Stop"}


def test_a_process_that_hangs_is_named_and_can_be_replaced(store, monkeypatch):
    run = make_run(store, opening(), state="running", process=Process.of(os.getpid()))
    for name in ("summary.json", "progress.json"):
        (run.path / name).touch()
        os.utime(run.path / name, (time.time() - 100,) * 2)
    page = open_page()
    assert "its process has not responded for 2 min" in page.get("progress")[0].proto.text
    taken = []
    monkeypatch.setattr(launcher, "take_over", lambda store, run_id: taken.append(run_id))
    page.button(key="train_continue").click().run()
    assert taken == [run.id]


def test_other_runs_in_progress_are_listed_with_their_place_in_the_queue(store):
    make_run(store, opening())
    run = make_run(store, opening(lr=0.2), state="queued", process=Process.of(os.getpid()))
    run.folder.write_progress({"phase": "waiting", "ahead": 2})
    page = open_page()
    assert "waiting for 2 runs ahead of it" in page.get("progress")[0].proto.text
    name = page.button(key=f"show_{run.id}")
    assert name.label == "LeNet-5 · MNIST · Quick run · learning rate 0.2"
    page.selectbox(key="train_at_once").set_value(2).run()
    assert store.at_once() == 2
    page.button(key=f"show_{run.id}").click().run()
    assert stop(page, "lr").value == 0.2


def test_of_many_runs_in_progress_the_first_are_listed(store):
    make_run(store, opening())
    here = Process.of(os.getpid())
    configs = [opening(seed=seed) for seed in range(2, 15)]
    for config in reversed(configs):
        make_run(store, config, state="queued", process=here)
    for config in configs[1:]:
        queue.join(store, config.id)
    page = open_page()
    shown = [button.key for button in page.button if button.key.startswith("show_")]
    assert shown == [f"show_{config.id}" for config in configs[:10]]
    assert "3 more wait behind these." in [caption.value for caption in page.caption]


def test_each_tab_shows_what_it_promises(lab, monkeypatch):
    make_run(lab, opening())
    page = open_page()
    assert "1 of 50 are trained" in words(page)
    page.session_state["train_tab"] = "Training images"
    page.run()
    assert "<img" in "".join(e.proto.body for e in page.get("html"))
    still = "Both are 0: the images stay as they are."
    assert still in [caption.value for caption in page.caption]
    page.number_input(key="exact_elastic").set_value(1.5).run()
    assert page.query_params["elastic"] and still not in [c.value for c in page.caption]
    page.number_input(key="exact_elastic").set_value(0.0).run()
    page.select_slider(key="augment_rotation").set_value(10).run()
    assert "rotation" in page.query_params
    page.session_state["train_tab"] = "Files and command"
    page.run()
    assert page.code[0].value.endswith("--rotation 10")
    monkeypatch.setenv("MNIST_DATA", str(lab.root))  # no images there: the lab draws some
    page = open_page(train_tab="Training images")
    assert "The first training on MNIST downloads them" in words(page) and not page.info
    assert "<img" in "".join(e.proto.body for e in page.get("html"))


def test_mistakes_of_a_grid_run_link_to_runs_with_weights(lab, monkeypatch):
    run = make_run(RunStore(lab.root / "other"), opening())
    wrong = Mistakes(
        np.array([8, 33], np.int32), np.array([3, 5], np.uint8), np.float32([0.6, 0.9])
    )
    write_bundle(lab.bundle_path("MNIST"), [run], {run.id: wrong})
    make_labels(lab, test=60)
    kin = add_run(lab, "lenet5", accuracy=0.99)
    page = open_page()
    assert "**2** of 60 test images are classified wrongly (3.33 %)" in words(page)
    shown = "".join(element.proto.body for element in page.get("html"))
    assert shown.index("3, read as 5\n90 % sure") < shown.index("8, read as 3\n60 % sure")
    assert f"playground?play_run={kin.id}&amp;play_test=33" in shown
    assert "(As published)." in words(page)
    assert page.query_params.get("train_tab") is None
    monkeypatch.setenv("MNIST_DATA", str(lab.root))  # no images there: their numbers
    page = open_page()
    assert "№ 33: 3, read as 5, 90 % sure · № 8" in words(page) and not page.info


def test_a_run_with_weights_shows_its_first_kernels(store):
    add_run(store, "lenet5", epochs=1)
    page = open_page(model="lenet5", recipe="reference", epochs="1", train_tab="First kernels")
    assert "LeNet-5 begins with 6 kernels of 5×5 weights" in words(page)
    assert "".join(element.proto.body for element in page.get("html")).count("<img") == 6


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


def test_a_run_that_did_not_learn_says_so_and_is_no_best(store):
    run = make_run(store, opening(), validation_accuracy=0.104)
    run.folder.write_history([row | {"validation_accuracy": 0.104} for row in run.history], [])
    page = open_page()
    assert "**Did not learn**: 10.4 %, as good as guessing" in words(page)
    assert "★" not in words(page)
    assert '"star"' not in page.get("plotly_chart")[0].proto.spec


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


def test_a_store_that_cannot_be_written_is_a_sentence(store, monkeypatch):
    def refuse(store, config):
        raise LabError("The disk is full: x could not be written; make room and start again.")

    make_run(store, opening())
    monkeypatch.setattr(launcher, "start", refuse)
    page = open_page(lr="0.2")
    page.button(key="train_now").click().run()
    assert not page.exception and "The disk is full" in words(page)


def test_the_page_never_loads_torch(store):
    make_run(store, opening())
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"page = AppTest.from_file({str(PAGES / 'train.py')!r}, default_timeout=60).run();"
        "assert not page.exception; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
