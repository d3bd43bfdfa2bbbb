"""The Train page without a browser: what it says of each state, and what its knobs do."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from mnist_core import launcher
from mnist_core.errors import LabError
from mnist_core.models import make_config
from mnist_core.summary import Process, Summary
from tests.stores import damage, make_run

PAGE = str(Path(__file__).parents[2] / "pages" / "train.py")


def open_page(**query):
    page = AppTest.from_file(PAGE, default_timeout=30)
    for name, value in query.items():
        page.query_params[name] = value
    page.run()
    assert not page.exception
    return page


def words(page):
    kinds = (page.markdown, page.caption, page.warning, page.error)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.fixture
def started(monkeypatch):
    """What the page has asked the launcher to train; nothing is trained."""
    configs = []
    monkeypatch.setattr(launcher, "start", lambda store, config: configs.append(config))
    return configs


def test_a_run_that_is_there_shows_at_once(store):
    run = make_run(store, accuracy=0.987)
    page = open_page()
    assert "best epoch 50 of 50 · validation **98.70 %** · test **98.50 %**" in words(page)
    assert f"{run.summary.parameters:,} parameters · receptive field 14" in words(page)
    assert not [b for b in page.button if b.label == "Train"]


def test_a_slider_leads_to_a_run_that_is_not_there_and_its_button_trains_it(store, started):
    make_run(store)
    page = open_page()
    page.select_slider(key="knob_lr").set_value(0.1).run()
    assert "Not trained yet · 50 epochs · about 3 min" in words(page) or "175 s" in words(page)
    assert "the nearest run that is trained. It has learning rate 0.01." in words(page)
    page.button(key="train_now").click().run()
    assert [config.id for config in started] == [make_config("lenet5", lr=0.1).id]


def test_what_is_seen_is_in_the_address_bar_and_a_link_reopens_it(store):
    page = open_page()
    page.select_slider(key="knob_dropout").set_value(0.25).run()
    page.number_input(key="exact_lr").set_value(0.0123).run()
    query = dict(page.query_params)
    assert query == {"dataset": "MNIST", "model": "lenet5", "dropout": "0.25", "lr": "0.0123"}
    again = open_page(**query)
    assert again.select_slider(key="knob_lr").value == 0.0123
    assert again.select_slider(key="knob_dropout").value == 0.25


def test_a_network_brings_its_recipe_and_a_preset_sets_every_knob(store):
    page = open_page()
    page.selectbox(key="knob_model").set_value("lenet5-1998").run()
    assert page.select_slider(key="knob_lr").value == 0.001
    page.selectbox(key="knob_model").set_value("lenet5").run()
    page.selectbox(key="knob_recipe").set_value("tutorial").run()
    assert page.select_slider(key="knob_batch_size").value == 64
    page.select_slider(key="knob_lr").set_value(0.3).run()
    assert page.selectbox(key="knob_recipe").value == "your own settings"


def test_a_bad_link_is_a_sentence_and_the_page_goes_on(store):
    make_run(store)
    page = open_page(model="lenet5", lr="-3", epochs="lots")
    complaints = [warning.value for warning in page.warning]
    assert len(complaints) == 2 and complaints[0].startswith("lr: '-3' was given; allowed is")
    assert "best epoch" in words(page)


@pytest.mark.parametrize("state", ["paused", "stopped", "interrupted"])
def test_an_unfinished_run_says_so_and_goes_on_with_one_click(store, started, state):
    make_run(store, state=state, epochs=3)
    page = open_page()
    assert state in words(page) and "3 of 50 epochs are kept" in words(page)
    page.button(key="train_now").click().run()
    assert len(started) == 1


def test_a_run_whose_process_is_gone_is_interrupted(store):
    make_run(store, state="running")
    assert "interrupted" in words(open_page())


def test_a_diverged_run_says_what_to_try(store):
    note = "The loss was no longer finite in epoch 1 at learning rate 1; a smaller one helps."
    make_run(store, make_config("lenet5", lr=1), state="diverged", epochs=0, note=note)
    page = open_page(lr="1")
    assert "diverged" in words(page) and note in words(page)


def test_an_empty_store_still_teaches_what_to_do(store):
    store.create(make_config("lenet5"), Summary("interrupted", parameters=1, receptive_field=1))
    page = open_page()
    assert "its curves appear as it trains" in words(page)


def test_a_damaged_run_is_one_line_and_the_rest_is_there(store):
    make_run(store)
    damage(make_run(store, make_config("lenet5", seed=2)))
    page = open_page()
    assert "is damaged and was left out" in words(page) and "best epoch 50" in words(page)


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
    damage(make_run(store), name, content)
    page = open_page()
    assert f"{name} is damaged" in words(page) and "best epoch 50" in words(page)


def test_a_run_at_work_shows_its_progress_and_survives_a_torn_one(store):
    run = make_run(store, state="running", process=Process.of(os.getpid()))
    progress = {"phase": "training", "epoch": 3, "step": 5, "steps": 10, "losses": [[5, 0.5]]}
    store.write_progress(run.id, progress | {"images_per_second": 9000.0, "seconds_left": 12.0})
    assert [button.label for button in open_page().button] == ["Stop"]
    damage(run, "progress.json", b'{"phase": "training", "steps": 0}')
    assert [button.label for button in open_page().button] == ["Stop"]


def test_a_store_that_cannot_be_written_is_a_sentence(store, monkeypatch):
    def refuse(store, config):
        raise LabError("The disk is full: x could not be written; make room and start again.")

    make_run(store)
    monkeypatch.setattr(launcher, "start", refuse)
    page = open_page(lr="0.3")
    page.button(key="train_now").click().run()
    assert not page.exception and "The disk is full" in words(page)


def test_the_page_never_loads_torch(store):
    make_run(store)
    code = (
        "import sys; from streamlit.testing.v1 import AppTest;"
        f"page = AppTest.from_file({PAGE!r}, default_timeout=60).run();"
        "assert not page.exception; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], timeout=120).returncode == 0
