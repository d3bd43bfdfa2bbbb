"""Configs as URLs, and back."""

import re

import pytest
from hypothesis import given

from mnist_core.analysis.url import config_from_query, query_of
from mnist_core.models import make_config
from tests.configs import CONFIGS


@given(CONFIGS)
def test_a_link_reopens_the_run(config):
    again, complaints = config_from_query(query_of(config))
    assert again.id == config.id
    assert complaints == []


def test_a_link_names_the_recipe_the_sliders_and_what_differs():
    sliders = {"lr": "0.041", "batch_size": "128", "activation": "ReLU", "dropout": "0.1"}
    whole = {"dataset": "MNIST", "model": "medium", "recipe": "reference"} | sliders
    assert query_of(make_config("medium")) == whole
    assert query_of(make_config("medium", lr=0.1, seed=3)) == whole | {"lr": "0.1", "seed": "3"}


def test_without_a_recipe_a_link_starts_from_what_the_page_opens_with():
    assert config_from_query({"lr": "0.3"}) == (make_config("lenet5", "grid", lr=0.3), [])
    assert config_from_query({"model": "medium"}) == (make_config("medium"), [])
    reference = config_from_query({"model": "lenet5", "recipe": "reference"})
    assert reference == (make_config("lenet5"), [])


@pytest.mark.parametrize(
    "query, words, stays",
    [
        ({"lr": "abc"}, "lr: 'abc' was given; allowed is .*; showing 0.01", {"lr": 0.01}),
        ({"model": "x"}, "model: 'x' was given; .*; showing lenet5", {"model": "lenet5"}),
        ({"recipe": "x"}, "recipe: 'x' was given; .*; showing lenet5, grid", {"epochs": 3}),
        ({"model": "../etc"}, "model: .* was given", {"model": "lenet5"}),
        ({"dataset": "CIFAR"}, "dataset: 'CIFAR' was given; .*; showing MNIST", {}),
        ({"input_size": "28"}, "input_size: 28 was given; lenet5 takes images of 32", {}),
        ({"epochs": "1e400"}, "epochs: '1e400' was given", {"epochs": 3}),
        ({"seed": "<script>"}, "seed: '<script>' was given", {"seed": 1}),
    ],
)
def test_each_bad_part_of_a_link_is_one_sentence_and_the_rest_stays(query, words, stays):
    config, complaints = config_from_query({**query, "dropout": "0.25"})
    assert len(complaints) == 1 and "\n" not in complaints[0]
    assert re.match(words, complaints[0])
    assert config.dropout == 0.25
    assert all(getattr(config, name) == value for name, value in stays.items())


def test_strange_parameters_are_none_of_ours():
    assert config_from_query({"cmp_text": "x", "utm": "y"})[1] == []
