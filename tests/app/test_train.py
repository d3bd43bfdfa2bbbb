"""The Train page without a browser: what it says of each state, and what its buttons do."""

import json
import os
import subprocess
import sys
import time

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import launcher, queue
from mnist_core.runs.bundle import write_bundle
from mnist_core.runs.process import Process
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.training import cost
from tests.app.opening import PAGES
from tests.app.train_page import move, open_page, opening, options, ready, stop, words
from tests.stores import damage, make_run


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


def test_the_cost_comes_from_this_machine_and_is_measured_when_it_is_not_known(store, measured):
    make_run(store, opening())
    page = open_page(lr="0.1")
    assert "measuring how fast this machine is" in words(page)
    assert [config.id for config in measured] == [opening(lr=0.1).id]
    cost.save(store, opening(), cost.Cost(1e-4, 0.0064, 2e-5, 3.0))
    page.run()  # 50,000 images in 782 steps and 10,000 to validate: 10.2 s; the test twice 0.2 s
    assert "about 34 s on this machine" in words(page)
    assert len(measured) == 1


def test_a_run_without_weights_can_be_trained_here(store, started):
    run = make_run(RunStore(store.root / "other"), opening())
    write_bundle(store.bundle_path("MNIST"), [run], {})
    page = open_page()
    assert "★ epoch 3 of 3" in words(page)
    page.button(key="train_copy").click().run()
    page.button(key="train_now").click().run()
    assert [config.id for config in started] == [opening().id] * 2


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


def test_a_run_that_did_not_learn_says_so_and_is_no_best(store):
    run = make_run(store, opening(), validation_accuracy=0.104)
    run.folder.write_history([row | {"validation_accuracy": 0.104} for row in run.history], [])
    page = open_page()
    assert "**Did not learn**: 10.4 %, as good as guessing" in words(page)
    assert "★" not in words(page)
    assert '"star"' not in page.get("plotly_chart")[0].proto.spec


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
