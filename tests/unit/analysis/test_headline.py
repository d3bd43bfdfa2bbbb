"""The sentence about a data set: what it claims holds for every network that it speaks of."""

import pytest

from mnist_core.analysis import table
from mnist_core.analysis.aggregate import averaged_over_seeds
from mnist_core.analysis.headline import MARGIN, RepeatedRuns, headline
from mnist_core.models import make_config
from tests.stores import make_run


def seeds(store, model, accuracies, recipe="improved", **changes):
    for seed, accuracy in enumerate(accuracies, start=1):
        config = make_config(model, recipe, seed=seed, **changes)
        make_run(store, config, accuracy=accuracy, test_accuracy=accuracy)


def said(store):
    runs = table.runs_table(store, store.list()[0])
    return headline(averaged_over_seeds(runs), RepeatedRuns(runs))


def models(found):
    return found.kind, found.row["model"], found.other["model"]


def test_a_small_network_matches_the_largest(store):
    seeds(store, "medium", (0.9953, 0.9955, 0.9957))
    seeds(store, "lenet5", (0.9945, 0.9947, 0.9949))
    seeds(store, "mynetv1", (0.9956,))
    found = said(store)
    assert models(found) == (
        "matches",
        "medium",
        "mynetv1",
    )
    assert found.times == pytest.approx(9_172_350 / 7_632)
    assert found.difference.low > -MARGIN and found.difference.high > 0 and found.better


def test_a_network_that_may_be_further_behind_than_the_margin_does_not_match(store):
    """Scattered runs: no clear difference, but nothing that shows that there is none."""
    seeds(store, "medium", (0.990, 0.995, 0.9985))
    seeds(store, "mynetv1", (0.992, 0.996, 0.998))
    found = said(store)
    assert models(found) == (
        "highest",
        "mynetv1",
        "medium",
    )


def test_one_better_network_in_between_ends_the_claim(store):
    seeds(store, "medium", (0.9900, 0.9901, 0.9902))
    seeds(store, "lenet5", (0.9950, 0.9951, 0.9952))
    seeds(store, "mynetv1", (0.9900, 0.9901, 0.9902))
    found = said(store)
    assert models(found) == (
        "matches",
        "lenet5",
        "mynetv1",
    )
    assert found.difference.low > 0


def test_without_repeated_runs_nothing_matches(store):
    for model, accuracy in (("medium", 0.9955), ("mynetv1", 0.9955), ("small", 0.99)):
        seeds(store, model, (accuracy,))
    assert said(store).kind == "highest" and said(store).difference is None


def test_few_networks(store):
    make_run(store, make_config("small"), state="paused")
    assert said(store) is None
    seeds(store, "lenet5", (0.99,))
    assert (said(store).kind, said(store).row["model"]) == ("only", "lenet5")
    seeds(store, "medium", (0.995,))
    assert (said(store).kind, said(store).other) == ("highest", None)  # the smallest is the best


def test_noise_is_that_of_the_same_recipes_where_they_were_repeated(store):
    seeds(store, "medium", (0.990, 0.991), "reference")
    seeds(store, "lenet5", (0.995, 0.9951))
    runs = table.runs_table(store, store.list()[0])
    repeated = RepeatedRuns(runs)
    rows = {row["model"]: row for row in averaged_over_seeds(runs).to_dict("records")}
    own = repeated.noise(rows["lenet5"]).deviation
    assert own == pytest.approx(0.0001 / 2**0.5)
    assert repeated.noise(rows["medium"], rows["lenet5"]).freedom == 2
    assert repeated.noise({"kind": "never repeated"}).freedom == 2
