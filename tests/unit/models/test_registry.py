"""Recipes and titles of registered networks."""

import dataclasses

import pytest

from mnist_core.errors import InputError
from mnist_core.models import make_config, model_title, nearest_recipe, recipe_of

UNKNOWN = dataclasses.replace(make_config("lenet5"), model="no-such-network")


def test_the_nearest_recipe_is_the_one_with_the_fewest_other_fields():
    assert nearest_recipe(make_config("lenet5", dataset="KMNIST")) == ("reference", {})
    assert nearest_recipe(make_config("lenet5", "grid", seed=3)) == ("grid", {"seed": 3})
    changes = {"lr": 0.3, "dropout": 0.5}
    assert nearest_recipe(make_config("lenet5", "tutorial", **changes)) == ("tutorial", changes)
    with pytest.raises(InputError, match="no-such-network"):
        nearest_recipe(UNKNOWN)


def test_a_recipe_is_followed_for_any_data_set_and_seed_and_with_no_other_change():
    assert recipe_of(make_config("lenet5", "grid", dataset="KMNIST", seed=3)) == "grid"
    assert recipe_of(make_config("lenet5", "grid", epochs=4)) is None
    assert recipe_of(UNKNOWN) is None


def test_a_title_is_what_people_call_the_network():
    assert model_title("lenet5") == "LeNet-5"
    assert model_title("no-such-network") == "no-such-network"
