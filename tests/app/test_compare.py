"""Compare's table, choice and charts without a browser, over made-up runs."""

import shutil
import time

import pytest

from mnist_core.charts.pareto import RING
from mnist_core.evaluation.statistics import wilson
from mnist_core.models import make_config
from mnist_core.runs.bundle import write_bundle
from tests.app.compare_page import (
    CURVES,
    SCATTERS,
    address,
    charts,
    chosen,
    open_page,
    table_of,
    tick,
    words,
)
from tests.app.opening import settle
from tests.stores import damage, make_labels, make_run
from tests.tools import store_bench


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
    assert "Best on the validation images, with test accuracy: **MNIST** LeNet-5 98.90 %" in words(
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
    write_bundle(store.bundle_path("MNIST"), grid, {})
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


def test_the_page_never_imports_torch(three, store):
    assert len(store_bench.visit(store, 2)) == 2  # a fresh process, that would complain
