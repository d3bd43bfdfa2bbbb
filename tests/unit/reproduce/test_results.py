"""The results table: what it says of runs that are there, missing, or did not learn."""

import pytest

from mnist_core.models import make_config
from mnist_core.models.zoo import zoo_rows
from mnist_core.reproduce.results import COLUMNS, markdown, results
from tests.stores import make_run
from tests.unit.reproduce.test_shipped import PROJECT, SHIPPED

# The README's table stands between these two lines.
BEGIN = "<!-- results: made by `python -m mnist_core reproduce table` -->"
END = "<!-- end of results -->"


def entry(store, model, dataset="MNIST", recipe="reference"):
    wanted = (model, dataset, recipe)
    rows = [r for r in results(store) if (r["model"], r["dataset"], r["recipe"]) == wanted]
    assert len(rows) == 1
    return rows[0]


def train(store, model, seeds, accuracies, **more):
    for seed, accuracy in zip(seeds, accuracies, strict=True):
        make_run(store, make_config(model, seed=seed, **more), accuracy=accuracy)


def test_mean_and_deviation_over_the_seeds_beside_what_was_published(store):
    train(store, "medium", (1, 2, 3), (0.99, 0.992, 0.994))
    row = entry(store, "medium")
    assert row["validation"] == pytest.approx(0.992)
    assert row["validation_deviation"] == pytest.approx(0.002)
    assert row["test"] == pytest.approx(0.990)  # make_run's is .002 below
    assert (row["seeds"], row["status"]) == (3, "")
    assert row["published"] == pytest.approx(0.9944)
    assert row["selection"] == "best epoch on the test set"
    assert (row["parameters"], row["receptive_field"]) == (7_632, 32)
    line = next(x for x in markdown(results(store)).splitlines() if x.startswith("| Medium | MN"))
    assert "| 3 | 7,632 | 32 | 99.20 ± 0.20 | 99.00 ± 0.20 | 99.44 |" in line


def test_other_runs_of_the_same_network_are_no_part_of_it(store):
    train(store, "medium", (1,), (0.99,))
    train(store, "medium", (7,), (0.5,))
    train(store, "medium", (1,), (0.4,), lr=0.02)
    row = entry(store, "medium")
    assert row["seeds"] == 1 and row["validation"] == pytest.approx(0.99)
    assert row["validation_deviation"] is None
    assert row["status"].startswith("2 of 3 not trained yet; `python -m mnist_core reproduce zoo")


def test_a_better_recipe_stands_beside_the_same_published_figure(store):
    make_run(store, make_config("medium", "improved"), accuracy=0.995)
    row = entry(store, "medium", recipe="improved")
    assert (row["published"], row["seeds"]) == (pytest.approx(0.9944), 1)


def test_runs_that_failed_are_counted_and_not_averaged(store):
    train(store, "mynetv2", (1,), (0.98,))
    lost = {"state": "diverged", "validation_accuracy": 0.11}
    make_run(store, make_config("mynetv2", seed=2), **lost)
    make_run(store, make_config("mynetv2", seed=3), **(lost | {"validation_accuracy": 0.9}))
    row = entry(store, "mynetv2")
    assert row["validation"] == pytest.approx(0.98) and row["seeds"] == 3
    assert row["status"] == "1 of 3 does not learn; 1 of 3 diverges"
    make_run(store, make_config("myvggnet"), **lost)
    assert entry(store, "myvggnet")["status"] == "does not learn"
    assert "| – | does not learn | 99.27 |" in markdown(results(store))


def test_qmnist_says_what_measures_it(store):
    row = entry(store, "lenet5", "QMNIST")
    assert row["test"] is None and row["published"] == pytest.approx(0.9888)
    assert row["status"].startswith("not measured: no images at hand; `python -m mnist_core train")
    make_run(store, make_config("lenet5", dataset="QMNIST"), accuracy=0.99)
    assert entry(store, "lenet5", "QMNIST")["status"] == ""


def test_an_empty_store_has_every_row(store):
    rows = results(store)
    assert len(rows) == len(zoo_rows()) and all(row["test"] is None for row in rows)
    lines = markdown(rows).splitlines()
    assert {line.count("|") for line in lines[: len(rows) + 2]} == {len(COLUMNS) + 1}


def test_the_targets_are_met_by_the_runs_that_ship():
    """Test accuracy at the best validation epoch, mean over seeds, in per cent."""
    best = {}
    for row in results(SHIPPED):
        key = (row["model"], row["dataset"])
        best[key] = max(best.get(key, 0), 100 * (row["test"] or 0))
    targets = {"lenet5-1998": 98.9, "lenet5": 99.1, "lenet": 99.1, "myfullconvnet": 98.9}
    targets |= {"mynetv1": 99.35, "mynetv2": 99.1, "myvggnet": 99.45}
    targets |= {"medium": 99.45, "small": 99.30, "ultrasmall": 99.10}
    wanted = {(model, "MNIST"): target for model, target in targets.items()}
    wanted |= {("lenet5", "FashionMNIST"): 90.8, ("lenet5", "KMNIST"): 95.5}
    assert {key: best[key] for key, target in wanted.items() if best[key] < target} == {}


def test_the_table_in_the_readme_is_the_commands_output():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1, "python -m mnist_core reproduce table"
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == markdown(results(SHIPPED)), "python -m mnist_core reproduce table"
