"""RunConfig: checks at the edge, canonical values, and ids that hash the experiment only."""

import json
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mnist_core.config import ACTIVATIONS, Execution, RunConfig
from mnist_core.errors import InputError

BAD = {
    "dataset": ["CIFAR", "", 3, None],
    "model": ["../x", "a b", "", 7],
    "activation": ["Swish", None],
    "dropout": [-0.1, 0.95, "x", "nan", True],
    "lr": [0, -1, 11, "inf", "1e", float("nan"), None],
    "epochs": [0, 1001, 1.5, "two", "1e99", True],
    "batch_size": [0, 10_001, "64.5"],
    "seed": [-1, 2**31, "x"],
    "input_size": [30, 0],
    "fit": ["stretch"],
    "momentum": [1, -0.5],
    "rotation": [181, "left"],
}


@pytest.mark.parametrize("name, value", [(n, v) for n, values in BAD.items() for v in values])
def test_bad_value_names_field_value_and_what_is_allowed(name, value):
    with pytest.raises(InputError) as error:
        RunConfig(**{name: value})
    text = str(error.value)
    assert text.startswith(f"{name}: {value!r} was given; allowed is ")
    assert "\n" not in text


def test_unknown_field_lists_the_known_ones():
    with pytest.raises(InputError, match="learning_rate: no such field; there are dataset, model"):
        RunConfig.from_dict({"learning_rate": 1})
    with pytest.raises(InputError):
        RunConfig.from_dict([1, 2])


def test_text_number_and_case_mean_the_same_run():
    config = RunConfig(lr=1, epochs=3, activation="SELU")
    assert RunConfig(lr="1.0", epochs="3", activation="selu").id == config.id
    assert RunConfig(lr=1.0, epochs=3.0, activation="SELU") == config


def test_survives_json():
    config = RunConfig(lr=0.1 + 0.2, dropout=0.25, seed=7)
    assert RunConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config


def test_id_has_the_form_of_the_contract():
    config = RunConfig(dataset="FashionMNIST", model="lenet5")
    prefix, _, digest = config.id.rpartition("-")
    assert prefix == "fashionmnist-lenet5"
    assert len(digest) == 10 and int(digest, 16) >= 0


def test_ids_of_older_runs_never_change():
    # Written down once: a change here orphans every run that people have.
    assert RunConfig().id == "mnist-lenet5-ec19217d69"


def test_group_is_the_id_without_the_seed():
    one, two = RunConfig(seed=1), RunConfig(seed=2)
    assert one.id != two.id
    assert one.group == two.group != RunConfig(lr=0.02).group


@pytest.mark.parametrize(
    "fields, ignored",
    [
        ({"optimizer": "Adam"}, {"momentum": 0.5}),
        ({"schedule": "constant"}, {"gamma": 0.5, "patience": 3, "step_size": 2, "min_lr": 0.1}),
        ({"schedule": "cosine"}, {"gamma": 0.5}),
        ({"input_size": 28}, {"fit": "resize"}),
    ],
)
def test_a_control_that_has_no_effect_makes_no_new_run(fields, ignored):
    assert RunConfig(**fields, **ignored).id == RunConfig(**fields).id


def test_execution_is_no_part_of_the_experiment():
    assert set(Execution.names()).isdisjoint(RunConfig.names())
    with pytest.raises(InputError, match="threads: -1 was given"):
        Execution(threads=-1)
    with pytest.raises(InputError, match="snapshots: 'yes' was given; allowed is true or false"):
        Execution(snapshots="yes")


@given(
    lr=st.floats(1e-6, 10),
    epochs=st.integers(1, 1000),
    activation=st.sampled_from(ACTIVATIONS),
    dropout=st.floats(0, 0.9),
)
def test_every_allowed_value_is_taken_and_hashed(lr, epochs, activation, dropout):
    config = RunConfig(lr=lr, epochs=epochs, activation=activation, dropout=dropout)
    assert RunConfig.from_dict(config.to_dict()).id == config.id


LIGHT = ("config", "models", "runs.store", "jobs.launcher", "charts.training", "cli.main")


def test_what_every_process_loads_is_light():
    """In one process: what one module has loaded stays for the others to be caught with."""
    code = (
        "import importlib, sys\n"
        f"for name in {LIGHT}:\n"
        "    importlib.import_module(f'mnist_core.{name}')\n"
        "    heavy = {'torch', 'optuna'} & {*sys.modules}\n"
        "    assert not heavy, (name, heavy)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
