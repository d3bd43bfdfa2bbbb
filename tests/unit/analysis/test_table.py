import pandas as pd
import pytest

from mnist_core.analysis import table
from mnist_core.evaluation.statistics import wilson
from mnist_core.formatting import JOINER
from mnist_core.models import make_config
from mnist_core.models.stats import stats_of
from mnist_core.runs.about import About, write_about
from mnist_core.runs.bundle import read_bundle, write_bundle
from tests.stores import make_labels, make_run


def table_of(store):
    return table.runs_table(store, store.list()[0])


def seeds(store, model, accuracies, **changes):
    for seed, accuracy in enumerate(accuracies, start=1):
        make_run(store, make_config(model, seed=seed, **changes), accuracy=accuracy)


def test_a_finished_run_is_a_row_with_its_interval(store):
    run = make_run(store, accuracy=0.991)
    (row,) = table_of(store).to_dict("records")
    assert (row["id"], row["title"], row["recipe"]) == (run.id, "LeNet-5", "As published")
    assert (row["epochs_done"], row["epochs"], row["best_epoch"]) == (50, 50, 50)
    assert row["test_accuracy"] == pytest.approx(0.989)
    interval = wilson(9890, 10_000)
    assert (row["test_low"], row["test_high"]) == (interval.low, interval.high)


def test_what_a_run_does_not_have_is_missing(store):
    make_run(store, state="queued", epochs=0, parameters=None, receptive_field=None)
    (row,) = table_of(store).to_dict("records")
    assert row["state"] == "interrupted"  # its process is not there
    missing = ("test_accuracy", "test_low", "test_images", "parameters", "best_epoch")
    assert all(pd.isna(row[name]) for name in (*missing, "validation_accuracy", "weights_bytes"))


def test_figures_that_cannot_be_do_not_break_the_table(store):
    run = make_run(store, parameters=1.5, macs=10**30, test_accuracy=1.7)
    (row,) = table_of(store).to_dict("records")
    assert (row["id"], row["parameters"]) == (run.id, 2)
    assert pd.isna(row["macs"]) and row["test_high"] == 1


@pytest.mark.parametrize("dataset, published", [("MNIST", 10_000), ("QMNIST", 60_000)])
def test_the_number_of_test_images_comes_from_the_labels_kept(store, dataset, published):
    make_run(store, make_config("lenet5", dataset=dataset))
    assert table_of(store)["test_images"].tolist() == [published]
    make_labels(store, dataset, test=60)
    assert table_of(store)["test_images"].tolist() == [60]


def test_no_run_is_an_empty_table(store):
    empty = table_of(store)
    assert list(empty.columns) == list(table.COLUMNS) and empty.empty
    assert table.best_networks(empty, 7) == []


def test_select(store):
    make_run(store, make_config("lenet5", seed=3))
    make_run(store, make_config("small"))
    make_run(store, make_config("lenet5", dataset="KMNIST"), state="paused")
    runs = table_of(store)
    assert len(table.select(runs)) == 3
    assert table.select(runs, "KMNIST")["state"].tolist() == ["paused"]
    assert table.select(runs, None, ["small"])["model"].tolist() == ["small"]
    assert table.select(runs, words="Seed 3  selu")["seed"].tolist() == [3]
    assert len(table.select(runs, words="reference")) == 3  # the name in commands
    assert table.select(runs, words="(").empty


def test_the_best_row_of_each_network(store):
    seeds(store, "lenet5", (0.97, 0.99))
    seeds(store, "small", (0.995,))
    running = make_run(store, make_config("medium"), state="running", accuracy=0.999)
    make_run(store, make_config("ultrasmall"), state="queued", epochs=0)
    best = table.best_networks(table_of(store), 7)
    runs = table_of(store).set_index("id")
    assert runs.loc[best, "model"].tolist() == ["small", "lenet5", "medium"]
    assert runs.loc[best[1], "seed"] == 2 and best[-1] == running.id  # finished runs first
    assert table.best_networks(table_of(store), 1) == best[:1]


def test_the_kind_of_a_run_is_the_recipe_that_it_follows_to_the_letter(store):
    for config in (make_config("medium", "improved", seed=4), make_config("medium", lr=0.02)):
        make_run(store, config)
    kinds = table_of(store).set_index("recipe")["kind"].to_dict()
    assert kinds == {"Our best recipe": "improved", "As published, learning rate 0.02": ""}


def test_labels_say_no_more_than_is_needed(store):
    seeds(store, "lenet5", (0.97, 0.98))
    make_run(store, make_config("lenet5", "tutorial"))
    make_run(store, make_config("small"))
    labels = set(table.labels_of(table_of(store)).values())
    assert labels == {
        "Small",
        "LeNet-5 · Tutorial",
        "LeNet-5 · As published · seed 1",
        "LeNet-5 · As published · seed 2",
    }
    make_run(store, make_config("small", dataset="KMNIST"))
    assert {"Small · MNIST", "Small · KMNIST"} < set(table.labels_of(table_of(store)).values())


def test_published_figures_need_a_known_size(store):
    make_run(store)
    known = table.known_figures(table_of(store))
    references = table.published(["MNIST", "KMNIST"], known)
    lenet5 = references[references["model"] == "lenet5"]
    assert set(lenet5["test_accuracy"].round(4)) == {0.9894, 0.98, 0.9416}
    assert set(lenet5["parameters"]) == {61_706}
    assert references["selection"].str.len().min() > 0
    assert table.published(["MNIST"], {}).empty
    small = references[references["model"] == "small"].iloc[0]
    assert (small["parameters"], small["selection"]) == (5_616, "best epoch on the test set")


def test_a_bundled_run_is_marked_and_has_the_networks_figures(store):
    run = make_run(store, make_config("small", epochs=3))
    write_bundle(store.bundle_path("MNIST"), [run], {})
    kept = read_bundle(store.bundle_path("MNIST")).runs[run.id]
    rows = table.runs_table(store, [run, kept]).set_index("bundled")
    assert rows.loc[True, "weights_bytes"] == stats_of("small", "MNIST")["weights_bytes"]
    assert rows.loc[False, "weights_bytes"] == run.summary.weights_bytes
    assert (rows["latency_ms"] == stats_of("small", "MNIST")["latency_ms"]).all()
    assert rows["blocks"].tolist() == [2, 2]


SMALL, RELU, TANH = (f"conv 8 5x5, {each}flatten, linear 10" for each in ("", "relu, ", "tanh, "))


def own_run(store, layers, label="", **changes):
    run = make_run(store, make_config(layers=layers, **changes))
    write_about(run, About(label=label))
    return run


def test_networks_of_ones_own_are_different_networks_with_names(store):
    for layers in (SMALL, "pool 2, flatten, linear 10"):
        own_run(store, layers)
    runs = table_of(store)
    assert set(runs["title"]) == {"Own 8C5-10", "Own P2-10"}
    assert len(table.best_networks(runs, 7)) == 2
    assert set(runs["recipe"]) == {"Quick"} and set(runs["kind"]) == {"quick"}
    assert len(table.select(runs, words="pool 2")) == 1  # the search knows the layers


def test_networks_with_the_same_short_name_are_told_apart_by_what_differs(store):
    for layers in (RELU, TANH):
        own_run(store, layers)
    make_run(store)
    assert set(table.labels_of(table_of(store)).values()) == {
        "Own 8C5-10 · relu",
        "Own 8C5-10 · tanh",
        "LeNet-5",
    }


def test_a_label_is_the_title_of_all_runs_of_the_network(store):
    for seed, label in ((1, ""), (2, "Ada's <b>*best*</b> www.evil.example")):
        own_run(store, RELU, label, seed=seed)
    own_run(store, TANH, "<>")  # nothing is left of it
    make_run(store, make_config("small"))
    titles = table_of(store).groupby("network")["title"].unique().map(list).to_dict()
    assert titles["small"] == ["Small"] and titles[TANH] == ["Own 8C5-10"]
    (title,) = titles[RELU]
    assert title.replace(JOINER, "") == "Ada's bbest/b www.evil.example" and JOINER in title
