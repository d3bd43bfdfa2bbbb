"""Runs at the edge of what is allowed, and files that are none: a sentence, and the page stays."""

import json
from dataclasses import replace

import pytest

from mnist_core.jobs import launcher
from mnist_core.models import make_config
from mnist_core.models.grid import opening_config
from mnist_core.runs.process import Process
from tests.app.opening import open_page
from tests.stores import add_run, damage, make_run

LAST = 2**31 - 1  # the highest seed


def sentences(page):
    kinds = (page.caption, page.warning, page.error)
    return "\n".join(element.value for kind in kinds for element in kind)


@pytest.mark.parametrize("epochs, room", [(999, 1), (1000, 0)])
def test_a_run_with_all_epochs_cannot_go_on(store, epochs, room):
    run = make_run(store, opening_config().replace(epochs=epochs), epochs=3)
    run.folder.write_resume_state(b"state")
    page = open_page("train", epochs=str(epochs))
    assert [field.max for field in page.number_input if field.key == "train_more"] == [1] * room
    assert ("the most that a run can have" in sentences(page)) is not room


def test_five_seeds_end_at_the_highest(store, monkeypatch):
    config = opening_config().replace(seed=LAST - 1)
    make_run(store, config)
    seeds = []
    monkeypatch.setattr(launcher, "start", lambda store, config, **_: seeds.append(config.seed))
    page = open_page("train", seed=str(LAST - 1))
    page.button(key="train_seeds").click().run()
    assert not page.exception
    assert seeds == [LAST - 4, LAST - 3, LAST - 2, LAST]


def test_a_setting_that_cannot_be_kept_is_a_sentence(store):
    for model in ("small", "medium"):
        make_run(store, make_config(model), state="running", process=Process.of(1))
    (store.root / "settings.json").mkdir()
    page = open_page("train")
    page.selectbox(key="train_at_once").set_value(3).run()
    assert not page.exception and "could not be written" in sentences(page)
    assert "could not be written" not in sentences(page.run())


TRAINING = {"phase": "training", "epoch": 1, "step": 3, "steps": 9, "images_per_second": 1e4}
TRAINING |= {"seconds_left": 9.0, "losses": [[1, 2.3]]}
DAMAGED = [{name: value} for name in ("epoch", "step", "seconds_left") for value in (-9, "9")]
DAMAGED += [{"losses": [[[]]]}, {"steps": 0}, {"phase": 9}, {"epoch": 0}, {"epoch": 1e250}]


@pytest.mark.parametrize("content", [*DAMAGED, "[" * 100_000, '{"a":' * 100_000], ids=str)
def test_a_damaged_progress_takes_no_page_down(store, content):
    run = make_run(store, opening_config(), state="running", process=Process.of(1))
    text = content if isinstance(content, str) else json.dumps(TRAINING | content)
    damage(run, "progress.json", text.encode())
    assert open_page("train").button(key="stop_shown")


@pytest.mark.parametrize("name", ["w" * 300, "w" * 300 + ".safetensors", "a\nb", "..", "a/b"])
def test_a_file_name_that_no_disk_takes_is_one_damaged_run(store, canvas, name):
    add_run(store)
    run = make_run(store, make_config("small"))
    summary = replace(run.summary, weights=name, weights_sha256="0").to_dict()
    damage(run, content=json.dumps(summary).encode())
    runs, damaged = store.list()
    assert len(runs) == len(damaged) == 1
    assert "weights" in open_page("playground").warning[0].value
