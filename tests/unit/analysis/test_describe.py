"""Configs in words and as commands, what sets them apart, and the run that is nearest."""

import dataclasses
import shlex

import pytest
from hypothesis import given

from mnist_core.analysis.describe import (
    changes_in_words,
    command_of,
    describe,
    differences,
    differing_settings,
    full_name,
    nearest_run,
)
from mnist_core.cli.main import make_parser
from mnist_core.cli.train import config_to_train
from mnist_core.config import RunConfig
from mnist_core.models import make_config
from tests.configs import CONFIGS, fine_tuned
from tests.stores import make_run


@given(CONFIGS)
def test_the_command_trains_the_run(config):
    arguments = shlex.split(command_of(config).removeprefix("python -m mnist_core "))
    wanted, parent = config_to_train(make_parser().parse_args(arguments), None)
    assert wanted.id == config.id
    assert parent is None


def test_the_command_fine_tunes_with_the_same_rate():
    options = shlex.split(command_of(fine_tuned(lr=0.00123456789)))
    assert float(options[options.index("--lr") + 1]) == 0.00123456789


@pytest.mark.parametrize(
    "config, words",
    [
        (make_config("lenet5", seed=7, dataset="KMNIST"), "As published"),
        (make_config("lenet5", "tutorial"), "Tutorial"),
        (make_config("lenet5", lr=0.05, epochs=2), "As published, learning rate 0.05, epochs 2"),
        (make_config("lenet5", "tutorial", epochs=9), "Tutorial, epochs 9"),
        (dataclasses.replace(make_config("lenet5"), model="no-longer-there"), "custom settings"),
    ],
)
def test_a_config_in_words_is_its_nearest_recipe_and_what_differs(config, words):
    assert describe(config) == words


def test_a_full_name_has_network_data_set_and_seed():
    config = make_config("lenet5", seed=7, dataset="KMNIST", lr=0.05)
    assert full_name(config) == "LeNet-5 · KMNIST · As published · learning rate 0.05 · seed 7"


def test_differences_leave_out_what_has_no_effect():
    one, other = RunConfig(optimizer="Adam"), RunConfig(optimizer="Adam", momentum=0.5, lr=0.1)
    assert differences([one, other]) == {"lr": (0.01, 0.1)}


def test_settings_that_differ_are_in_words_and_without_the_seed():
    found = differing_settings(
        [make_config("lenet5", seed=1, lr=0.05), make_config("lenet5", seed=2, optimizer="Adam")]
    )
    assert found == {
        "optimiser": ["SGD", "Adam"],
        "learning rate": ["0.05", "0.01"],
        "momentum": ["0.9", None],
    }
    assert differing_settings([make_config("lenet5"), make_config("lenet5", seed=9)]) == {}


def test_changes_in_words_are_those_of_the_other_config_and_at_most_three():
    here = make_config("lenet5")
    assert changes_in_words(here, here.replace(lr=0.1, seed=3)) == "learning rate 0.1, seed 3"
    there = here.replace(lr=0.1, dropout=0.5, epochs=3, seed=3)
    assert changes_in_words(here, there) == "dropout 0.5, learning rate 0.1, epochs 3 …"


def test_the_nearest_run_differs_least(store):
    wanted = make_config("lenet5", lr=0.3)
    far = make_run(store, make_config("lenet5", lr=0.1, dropout=0.5, activation="ReLU"))
    near = make_run(store, make_config("lenet5", lr=0.1))
    other = make_run(store, make_config("lenet5", dataset="KMNIST", lr=0.3))
    assert nearest_run(wanted, [far, near, other]).id == near.id
    assert nearest_run(make_config("medium"), [far, near]) is None
    assert nearest_run(near.config, [near]) is None


def test_of_runs_that_differ_as_much_the_one_with_closer_numbers_is_nearest(store):
    made = [make_run(store, make_config("lenet5", lr=lr)) for lr in (0.001, 0.1, 1)]
    assert nearest_run(make_config("lenet5", lr=0.2), made).config.lr == 0.1
    assert nearest_run(make_config("lenet5", lr=0.002), made).config.lr == 0.001
