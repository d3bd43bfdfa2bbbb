"""Compare: what is said of runs, archived ones, and a deleted one until the page is left."""

from unittest.mock import Mock

import pytest

from mnist_core.models import make_config
from mnist_core.runs import trash
from mnist_core.runs.about import About, about, write_about
from mnist_core.runs.store import RunStore
from pages.components.shared import deleted
from tests.app.compare_page import chosen, open_page
from tests.app.opening import settle
from tests.app.play_canvas import open_page as open_playground
from tests.stores import add_run, make_run


@pytest.fixture
def two(store):
    return [make_run(store, make_config(model)) for model in ("lenet5", "medium")]


def table(page):
    return page.dataframe[0].value


def test_a_run_is_labelled_found_and_put_away(store, two):
    page = open_page(cmp_tab="All runs", cmp_recipe="all")
    page.selectbox(key="cmp_organise").set_value(two[1].id).run()
    label, tags = (
        next(f for f in page.text_input if f.label == name) for name in ("Label", "Tags")
    )
    label.input("my www.evil.example")
    tags.input("class 7b, best, best,")
    next(button for button in page.button if button.label == "Save").click()
    settle(page)
    assert about(two[1]) == About("my www.evil.example", tags=("class 7b", "best"))
    assert set(table(page)["label"]) == {"my www.evil.example", ""}
    page.text_input(key="cmp_text").set_value("7B BEST").run()
    assert len(table(page)) == 1
    page.text_input(key="cmp_text").set_value("").run()
    page.selectbox(key="cmp_organise").set_value(two[1].id).run()
    page.button(key="cmp_archive").click()
    assert two[1].id not in chosen(settle(page)) and about(two[1]).archived
    assert two[1].id in chosen(open_page(cmp_tab="All runs", cmp_archived="true", cmp_recipe="all"))


def test_a_deleted_run_comes_back_until_the_page_is_left(store, two):
    page = open_page(cmp_tab="All runs", cmp_recipe="all")
    page.selectbox(key="cmp_organise").set_value(two[0].id).run()
    page.button(key="cmp_delete").click()
    settle(page)
    assert [run.id for run in store.list()[0]] == [two[1].id]
    with pytest.MonkeyPatch.context() as patch:  # once, it fails
        patch.setattr(trash.os, "replace", Mock(side_effect=PermissionError(13, "in use")))
        page.button(key="undo_delete").click()
        settle(page)
    page.button(key="undo_delete").click()
    settle(page)
    assert len(RunStore(store.root).list()[0]) == 2
    for run in two:  # the last one, too
        page.selectbox(key="cmp_organise").set_value(run.id).run()
        page.button(key="cmp_delete").click()
        settle(page)
    assert not store.list()[0] and page.button(key="undo_delete")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deleted.st, "session_state", {deleted.DELETED: {two[0].id: "one"}})
        deleted.page_is_left(store)
    assert [path.name.split(".")[0] for path in store.root.glob(".trash/*")] == [two[1].id]


def test_archived_runs_are_not_drawn_for(store, canvas):
    runs = [add_run(store), add_run(store, "medium")]
    write_about(runs[0], About(archived=True))
    network = open_playground().selectbox(key="play_run_MNIST")
    assert [option.split(" (")[0] for option in network.options] == ["Medium"]
