"""Configs as links and commands, and the run that is nearest."""

import re
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.analysis.links import command_of, config_from_query, differences, nearest, query_of
from mnist_core.cli.main import make_parser
from mnist_core.cli.train import config_to_train
from mnist_core.config import ACTIVATIONS, OPTIMIZERS, SCHEDULES, RunConfig
from mnist_core.dataset_specs import dataset_names
from mnist_core.formatting import number
from mnist_core.models import make_config, model_names
from tests.stores import make_run

CONFIGS = st.builds(
    lambda model, lr, share, **fields: make_config(model, lr=lr, min_lr=share * lr, **fields),
    st.sampled_from(model_names()),
    dataset=st.sampled_from(dataset_names()),
    activation=st.sampled_from(ACTIVATIONS),
    optimizer=st.sampled_from(OPTIMIZERS),
    schedule=st.sampled_from(SCHEDULES),
    lr=st.floats(1e-6, 10),
    share=st.floats(0, 0.1),
    dropout=st.floats(0, 0.9),
    epochs=st.integers(1, 1000),
    seed=st.integers(0, 2**31 - 1),
)


@given(CONFIGS)
def test_a_link_reopens_the_run(config):
    again, complaints = config_from_query(query_of(config))
    assert again.id == config.id and complaints == []


@given(CONFIGS)
def test_the_command_trains_the_run(config):
    arguments = shlex.split(command_of(config).removeprefix("python -m mnist_core "))
    assert config_to_train(make_parser().parse_args(arguments), None)[0].id == config.id


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


def test_numbers_as_people_write_them():
    assert [number(v) for v in (0.1, 1.0, 1e-05, 3, "SGD", 0.1 + 0.2)] == [
        "0.1",
        "1",
        "1e-05",
        "3",
        "SGD",
        "0.30000000000000004",
    ]


def test_differences_leave_out_what_has_no_effect():
    one, other = RunConfig(optimizer="Adam"), RunConfig(optimizer="Adam", momentum=0.5, lr=0.1)
    assert differences(one, other) == {"lr": (0.01, 0.1)}


def test_the_nearest_run_differs_least(store):
    wanted = make_config("lenet5", lr=0.3)
    far = make_run(store, make_config("lenet5", lr=0.1, dropout=0.5, activation="ReLU"))
    near = make_run(store, make_config("lenet5", lr=0.1))
    other = make_run(store, make_config("lenet5", dataset="KMNIST", lr=0.3))
    assert nearest(wanted, [far, near, other]).id == near.id
    assert nearest(make_config("medium"), [far, near]) is None
    assert nearest(near.config, [near]) is None


def test_of_runs_that_differ_as_much_the_one_with_closer_numbers_is_nearest(store):
    made = [make_run(store, make_config("lenet5", lr=lr)) for lr in (0.001, 0.1, 1)]
    assert nearest(make_config("lenet5", lr=0.2), made).config.lr == 0.1
    assert nearest(make_config("lenet5", lr=0.002), made).config.lr == 0.001
