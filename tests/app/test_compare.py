"""Compare's switches, sentence, chart and bar without a browser, over made-up runs."""

import shutil

import pytest

from mnist_core.models import make_config
from mnist_core.runs.bundle import write_bundle
from pages.components.compare.filters import KINDS
from tests.app.compare_page import (
    add,
    address,
    charts,
    chips,
    chosen,
    names,
    open_page,
    points,
    words,
)
from tests.app.opening import settle
from tests.stores import damage, make_run
from tests.tools import store_bench


@pytest.fixture
def zoo(store):
    """Runs that ship: two networks by two recipes, three seeds each; the larger one ours."""
    accuracies = {("lenet5", "reference"): 0.99, ("lenet5", "improved"): 0.9965}
    accuracies |= {("medium", "reference"): 0.993, ("medium", "improved"): 0.9975}
    return {
        (model, recipe, seed): make_run(
            store, make_config(model, recipe, seed=seed), accuracy=accuracy + seed / 10_000
        ).id
        for (model, recipe), accuracy in accuracies.items()
        for seed in (1, 2, 3)
    }


def best(zoo, *models, recipe="improved"):
    """The ids of the rows of these networks: those of their best runs."""
    return [zoo[model, recipe, 3] for model in models]


def test_an_empty_store_says_what_to_do(store):
    page = open_page()
    assert "Train a network on the Train page" in page.info[0].value and not charts(page)


def test_runs_without_a_finished_epoch_are_listed_but_not_chosen(store):
    make_run(store, state="interrupted", epochs=0, best_epoch=None)
    page = open_page(cmp_tab="All runs")
    assert len(page.dataframe[0].value) == 1 and not chosen(page)
    assert "None of these runs is finished" in words(page) and not charts(page)


def test_it_opens_with_two_networks_by_our_recipe(zoo):
    page = open_page()
    assert chosen(page) == best(zoo, "lenet5", "medium") and names(page) == ["LeNet-5", "Medium"]
    assert sorted(points(page)) == sorted(chosen(page))
    said = "Medium beats networks up to 8 times its size: 99.57 ± 0.01 % (3 runs)"
    assert said in words(page)
    assert "Medium is better than LeNet-5" in words(page)
    assert "Medium is ahead by 0.10 points; more than luck" in words(page)
    assert not page.query_params and not page.warning and not page.error


def test_chips_take_out_and_the_list_adds(zoo):
    lenet5, medium = best(zoo, "lenet5", "medium")
    page = open_page()
    chips(page)[lenet5].click()
    assert chosen(settle(page)) == [medium] == address(page)
    assert "Add a second network" in words(page)
    page = add(page, lenet5)
    assert chosen(page) == [medium, lenet5] == address(page)
    for run_id in (medium, lenet5):
        chips(page)[run_id].click()
        settle(page)
    assert not chosen(page) and not address(page) and "Click a point" in words(page)


def test_a_colour_stays_with_its_network(zoo):
    lenet5, medium = best(zoo, "lenet5", "medium")
    page = open_page()
    before = chips(page)[medium].label
    chips(page)[lenet5].click()
    assert chips(settle(page))[medium].label == before


def test_a_link_reopens_the_choice_with_its_switches(zoo, store):
    (other,) = best(zoo, "medium", recipe="reference")
    page = open_page(cmp_runs=[other])
    assert chosen(page) == [other] and page.session_state["cmp_recipe"] == "as published"
    both = [other, *best(zoo, "medium")]
    page = open_page(cmp_runs=both)
    assert chosen(page) == both and page.session_state["cmp_recipe"] == "all"
    assert names(page) == ["Medium · As published", "Medium · Our best recipe"]
    kmnist = make_run(store, make_config("medium", "improved", dataset="KMNIST")).id
    page = open_page(cmp_runs=[kmnist])
    assert chosen(page) == [kmnist] == points(page)


def test_a_bad_link_shows_what_everyone_sees_first(zoo):
    page = open_page(cmp_runs=["../../etc", "mnist-lenet5-0000000000"], cmp_dataset="Evil")
    assert chosen(page) == best(zoo, "lenet5", "medium") and not address(page)


def test_any_run_of_a_row_names_it(zoo):
    page = open_page(cmp_runs=[zoo["medium", "improved", 1]])
    assert chosen(page) == best(zoo, "medium")
    page.toggle(key="cmp_fold").set_value(False)
    assert chosen(settle(page)) == [zoo["medium", "improved", 1]] and len(points(page)) == 6
    page.toggle(key="cmp_fold").set_value(True)
    assert chosen(settle(page)) == best(zoo, "medium") and len(points(page)) == 2


def test_another_recipe_shows_the_same_networks_and_the_choice_comes_back(zoo):
    page = add(open_page(cmp_runs=best(zoo, "medium")), best(zoo, "lenet5")[0])
    page.get_by_key("cmp_recipe").set_value("as published")
    assert chosen(settle(page)) == best(zoo, "medium", "lenet5", recipe="reference")
    page.get_by_key("cmp_recipe").set_value("our best")
    assert chosen(settle(page)) == best(zoo, "medium", "lenet5")


def test_the_frontier_stands_beside_what_others_published(zoo, store, monkeypatch):
    monkeypatch.setitem(KINDS, "frontier", "grid")  # a recipe that every checkout has
    fields = {"model": "lenet5", "recipe": "grid"}
    ours = [make_run(store, make_config(**fields, seed=s), accuracy=0.998) for s in (1, 2)]
    page = open_page(cmp_recipe="frontier")
    assert points(page) in ([ours[0].id], [ours[1].id])  # their mean, and none of the zoo's
    traces = {trace["name"]: trace for trace in charts(page)[0]["data"]}
    hollow = traces["published"]
    assert hollow["marker"]["symbol"] == "circle-open"
    told = " ".join(hollow["text"]).replace("<br>", " ")
    assert "697 parameters" in told and "the best on the test set of some 700 networks" in told
    assert len(hollow["text"]) == 6  # that with 575 parameters, too, far below the others


def test_a_recipe_that_nobody_used_shows_all_runs(three):
    page = open_page(cmp_dataset="KMNIST")
    assert points(page) == [three["KMNIST"].id] == chosen(page)
    assert "LeNet-5 has 97.80 % (1 run)." in words(page)


def test_filters(zoo):
    page = open_page(cmp_size="10,000")
    assert points(page) == best(zoo, "medium")
    page = open_page(cmp_text="lenet seed 2", cmp_recipe="all")
    assert len(points(page)) == 2
    page = open_page(cmp_model="Medium", cmp_recipe="as published")
    assert points(page) == best(zoo, "medium", recipe="reference")
    assert "passes the filters" in words(open_page(cmp_text="nobody"))


def test_a_run_of_ones_own_is_marked_and_chosen_beside_the_labs(zoo, store):
    own = make_run(store, make_config("medium", lr=0.02, epochs=3), accuracy=0.98).id
    page = open_page()
    assert chosen(page) == [own, *best(zoo, "lenet5", "medium")]
    assert names(page)[0].endswith("(yours)") and not names(page)[1].endswith("(yours)")
    assert "(yours)" in str(charts(page)[0]["layout"]["annotations"])
    page = open_page(cmp_runs=[own])  # as the Train page links to it
    assert chosen(page) == [own, *best(zoo, "medium")]
    page.get_by_key("cmp_recipe").set_value("as published")
    assert own in points(settle(page))


def test_an_old_run_of_ones_own_is_not_chosen_by_itself(zoo, store):
    make_run(store, make_config("medium", lr=0.02), accuracy=0.98, created=1e9)
    assert chosen(open_page()) == best(zoo, "lenet5", "medium")


def test_more_rows_than_colours_are_not_compared(store):
    ids = [make_run(store, make_config("lenet5", seed=seed)).id for seed in range(9)]
    page = open_page(cmp_fold="false", cmp_runs=ids[:7])
    assert chosen(page) == ids[:7]
    assert not [box for box in page.selectbox if box.key == "cmp_add"]


def test_ticks_in_the_table_are_the_choice(zoo):
    page = open_page(cmp_tab="All runs")
    rows = page.dataframe[0].value
    assert rows["title"].tolist() == ["Medium", "LeNet-5"] and rows["seeds"].tolist() == [3, 3]
    assert page.session_state["cmp_table"]["selection"]["rows"] == [0, 1]
    top = next(button for button in page.button if button.label == "Compare top 5")
    top.click()
    assert chosen(settle(page)) == best(zoo, "medium", "lenet5")


def test_figures_that_are_missing_are_empty_and_the_states_are_true(zoo, store):
    make_run(store, make_config("small"), state="running")
    note = "The loss was no longer finite in epoch 1."
    make_run(store, make_config("small", lr=9), state="diverged", epochs=0, note=note)
    page = open_page(cmp_model="Small", cmp_recipe="all", cmp_tab="All runs")
    rows = page.dataframe[0].value.set_index("state")
    assert sorted(rows.index) == ["diverged", "interrupted"]
    assert rows["test_accuracy"].isna().all() and rows.loc["diverged", "note"] == note
    assert "None of these runs is finished" in words(page)


def test_a_damaged_run_among_healthy_ones_is_one_line(zoo, store):
    damage(make_run(store, make_config("small")))
    page = open_page()
    (line,) = page.warning
    assert "damaged" in line.value and len(points(page)) == 2


def test_the_grid_is_out_of_the_way_until_it_is_wanted(zoo, store):
    grid = [make_run(store, make_config("lenet5", "grid", lr=lr)) for lr in (0.02, 0.03)]
    write_bundle(store.bundle_path("MNIST"), grid, {})
    for run in grid:
        shutil.rmtree(run.path)
    page = open_page(cmp_recipe="all")
    assert len(points(page)) == 4 and page.toggle(key="cmp_quick").label.endswith("(2 runs)")
    assert len(points(open_page(cmp_recipe="all", cmp_quick="true"))) == 6
    page = open_page(cmp_runs=[grid[0].id])
    assert chosen(page) == [grid[0].id] and len(points(page)) == 5


def test_the_page_never_imports_torch(three, store):
    assert len(store_bench.visit(store, 2)) == 2  # a fresh process, that would complain
