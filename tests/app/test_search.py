"""The tab "Search" of the Train page, without a browser and without Optuna."""

import sys

import pytest

from mnist_core.errors import LabError
from mnist_core.jobs import sweep_job
from mnist_core.jobs.actions import Actions
from mnist_core.jobs.permissions import Visitor
from mnist_core.models.grid import opening_config
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import StudyTable, TrialRow, table_path, write_table
from mnist_core.training import cost
from tests.app.opening import open_page, settle

SPACE = {"model": "lenet5", "epochs": "3", "lr": "0.001..1:log", "batch_size": "32,64"}
WINNER = {"ids": [], "seeds": 5, "validation_accuracy": 0.981, "test_accuracy": 0.979}
WINNER |= {"test_accuracy_deviation": 0.001, "diverged": 2}


def made_up_study(store, name="shipped", wanted=8, **fields):
    """A study whose best trial is number 5."""
    rows = [
        TrialRow(n, "done", {"lr": 0.01 * n, "batch_size": 32 + 32 * (n % 2)}, 0.9 + 0.01 * n, 3)
        for n in range(1, 6)
    ]
    rows.append(TrialRow(6, "pruned", {"lr": 0.5, "batch_size": 32}, 0.4, 1))
    rows.append(TrialRow(7, "failed", {}, None, 0))
    table = StudyTable(name, Plan(read_space(SPACE, "grid")), rows, wanted, **fields)
    write_table(store, table)
    return table


def open_search(**query):
    return open_page("train", train_tab="Search", **query)


def told(page):
    elements = (*page.markdown, *page.caption, *page.error, *page.warning)
    return "\n".join(element.value for element in elements).replace("\N{NO-BREAK SPACE}", " ")


@pytest.fixture
def started(monkeypatch):
    """The searches that the page has asked for, in place of processes."""
    asked = []
    monkeypatch.setattr(
        sweep_job, "start", lambda store, name, arguments: asked.append((name, [*arguments]))
    )
    return asked


def control(page, name):
    return page.session_state[f"control_{name}"]


def test_a_study_that_ships_is_shown_whole(store):
    importance = {"lr": 0.8, "batch_size": 0.2}
    made_up_study(store, wanted=7, importance=importance, winner=WINNER)
    before = "optuna" in sys.modules
    page = open_search()
    assert "**6 of 7 trials** · 1 of them ended early · 1 failed" in told(page)
    assert "best **95.00 %** validation" in told(page) and "paused" not in told(page)
    assert "5 seeds, of which 2 diverged: **97.90 ± 0.10 %** test" in told(page)
    assert ("optuna" in sys.modules) == before
    rows = page.dataframe[-1].value
    assert list(rows["Trial"])[:6] == [5, 4, 3, 2, 1, 6]
    assert rows["Learning rate"][0] == 0.05 and rows["State"][5] == "ended early"
    names = "Best so far", "What matters", "All settings together", "Two settings", "Trials"
    assert all(f"**{name}**" in told(page) for name in names)
    assert not {b.key for b in page.button} & {
        "search_continue",
        "search_pause",
    }  # not searched here


def test_a_click_on_a_trial_moves_the_controls_there(store):
    made_up_study(store)
    page = open_search()
    row = {"selection": {"rows": [2], "columns": [], "cells": []}}
    page.session_state["search_table_0"] = row
    settle(page)
    assert (control(page, "lr"), control(page, "batch_size")) == (0.03, 64)
    point = {"customdata": 5}
    page.session_state["search_best_1"] = {"selection": {"points": [point]}}
    settle(page)
    assert (control(page, "lr"), page.session_state["train"].batch_size) == (0.05, 64)


def test_a_search_is_started_paused_and_gone_on_with(store, started, monkeypatch):
    cost.save(store, opening_config(), cost.Cost(1e-4, 1e-3, 1e-4, 5.0))
    page = open_search()
    assert "about" in told(page) and "50 trials of 3 epochs" in told(page)
    page.select_slider(key="search_lr").set_value((0.01, 0.1))
    page.select_slider(key="search_trials").set_value(20)
    page.button(key="search_start").click().run()
    ((name, arguments),) = started
    given = dict(zip(arguments[::2], arguments[1::2], strict=True))
    assert name == given["--name"] == "mnist-lenet5-1" and given["--trials"] == "20"
    assert given["--lr"] == "0.01..0.1:log" and given["--batch-size"] == "32,64,128,256,1024"
    made_up_study(store, name)
    paused = []
    monkeypatch.setattr(sweep_job, "pause", lambda store, name: paused.append(name))
    with sweep_job.registered(store, name):
        settle(page)
        page.button(key="search_pause").click().run()
    assert paused == [name]
    monkeypatch.setattr(sweep_job, "process_of", lambda store, name: None)
    settle(page)
    assert "paused" in told(page)
    page.button(key="search_continue").click().run()
    page.button(key="search_stop").click().run()
    assert started[1:] == [(name, ["--name", name]), (name, ["--name", name, "--trials", "7"])]


def test_what_cannot_be_searched_is_said_in_a_sentence(store, started):
    made_up_study(store, "taken")
    page = open_search()
    assert not page.text_input  # the form is closed where there is something to look at
    page.session_state["search_form"] = True
    settle(page)
    page.text_input[0].set_value("taken").run()
    page.button(key="search_start").click().run()
    assert "name: there is a study taken already" in told(page)
    page.button_group(key="search_over").set_value([]).run()
    assert "nothing varies" in told(page) and not started


def test_a_search_is_deleted_once_that_is_confirmed(store, monkeypatch):
    deleted = []

    def delete(store, name):
        deleted.append(name)
        table_path(store, name).unlink()

    monkeypatch.setattr(sweep_job, "delete", delete)
    made_up_study(store, "first")
    made_up_study(store, "second")
    page = open_search(train_study="first")
    page.button(key="search_delete_for_good").click().run()
    assert deleted == ["first"] and page.selectbox(key="train_study").options == ["second"]
    monkeypatch.setenv("MNIST_ADMIN_PASSWORD", "secret")  # of a lab that others use
    settle(page)
    assert "search_delete_for_good" not in {b.key for b in page.button}
    with pytest.raises(LabError, match="administrator"):
        Actions(store, Visitor("somebody", trusted=False)).delete_search("second")


def test_a_read_only_lab_shows_studies_and_starts_none(store, monkeypatch):
    monkeypatch.setenv("MNIST_READ_ONLY", "1")
    made_up_study(store)
    page = open_search()
    assert "**6 of 8 trials**" in told(page)
    keys = {"search_start", "search_continue", "search_delete_for_good"}
    assert not {b.key for b in page.button if b.key} & keys
    with pytest.raises(LabError, match="only for looking"):
        Actions(store).delete_search("shipped")
