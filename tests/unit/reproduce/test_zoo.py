"""The zoo: which runs it has, how they are made, and when a run is given up."""

import json
import os
import subprocess
import sys

import pytest

from mnist_core.errors import InputError, LabError
from mnist_core.jobs import pool
from mnist_core.jobs.pool import Made
from mnist_core.models import make_config, model_spec, recipe_of
from mnist_core.models.frontier_rows import frontier_rows
from mnist_core.models.stats import shipped_stats
from mnist_core.models.zoo import SEEDS, Row, zoo_rows
from mnist_core.reproduce import making, zoo
from mnist_core.reproduce.zoo import MustLearn, make_zoo, wanted_configs
from mnist_core.training.results import Diverged
from tests.stores import FIGURES, make_run


@pytest.fixture
def small_zoo(monkeypatch):
    """A zoo of one network, quick to train, made in this process."""
    short = {"epochs": 1, "batch_size": 32, "lr": 0.05}
    make = lambda *args, **changes: make_config(*args, **{**short, **changes})  # noqa: E731
    rows = [Row("lenet5", "MNIST", "tutorial", (1, 2)), Row("lenet5", "MNIST", "tutorial", (1,), 2)]
    monkeypatch.setattr("mnist_core.models.zoo.make_config", make)
    monkeypatch.setattr(zoo, "zoo_rows", lambda: rows)
    monkeypatch.setattr(zoo, "rate_pair", tuple)
    monkeypatch.setattr(making, "train_all", one_after_another)
    monkeypatch.setattr(zoo, "LEARNS", 0.0)  # of seven steps nothing is asked
    monkeypatch.setattr(zoo, "keeps_snapshots", lambda config: config.seed == config.epochs == 1)
    pool.loaded.cache_clear()
    zoo._parents.cache_clear()
    yield
    pool.loaded.cache_clear()
    zoo._parents.cache_clear()


def one_after_another(store, configs, at_once, train_one, parents):
    assert parents == zoo._parents()  # Ctrl-C pauses them, too
    for count, config in enumerate(configs, start=1):
        yield Made(train_one(store, config), count, len(configs), 0.0)


def test_every_network_is_in_it_by_its_references_recipe_first():
    rows = zoo_rows()
    firsts = {name: model_spec(name).recipes[0].name for name in SEEDS}
    on_mnist = [r for r in rows if r.dataset == "MNIST" and r.recipe == firsts[r.model]]
    assert [r.model for r in on_mnist] == list(SEEDS)
    frontier = {row.model for row in frontier_rows()}
    assert set(SEEDS) == set(shipped_stats().networks) - frontier
    for row in on_mnist:
        small = FIGURES.get(row.model, (0,))[0] < 100_000
        assert row.seeds == ((1, 2, 3) if small else (1,))
        assert row.recipe == ("fast" if row.model == "fast" else "reference")  # ours has none


def test_a_better_recipe_changes_the_training_and_not_the_network():
    kept = ("activation", "input_size", "fit", "scaling")
    for row in zoo_rows():
        if row.recipe == "improved":
            ours, theirs = (make_config(row.model, name) for name in ("improved", "reference"))
            assert all(getattr(ours, name) == getattr(theirs, name) for name in kept)
            assert ours.group != theirs.group


def test_small_networks_have_an_interval_on_every_data_set():
    seeds = {
        (row.model, row.dataset): len(row.seeds) for row in zoo_rows() if row.recipe == "improved"
    }
    for dataset in ("MNIST", "FashionMNIST", "KMNIST"):
        assert [seeds[name, dataset] for name in ("ultrasmall", "small", "medium")] == [3, 3, 3]
        assert seeds["lenet5", dataset] == 5


def test_no_run_is_in_it_twice_and_only_qmnist_waits_for_its_files():
    configs = [config for row in zoo_rows() for config in row.configs()]
    assert len(configs) == len(set(configs))
    wanted = wanted_configs()
    assert set(configs) - set(wanted) == {c for c in configs if c.dataset == "QMNIST"}


def test_a_choice_of_networks_and_seeds():
    chosen = wanted_configs(["Small", "medium"], seeds=1)
    assert {(c.model, c.seed) for c in chosen} == {("small", 1), ("medium", 1)}
    assert len(chosen) == 2 * 3 + 2 + 2
    with pytest.raises(InputError, match="model: 'foo' was given; allowed is one of "):
        wanted_configs(["foo"])


def test_missing_runs_are_made_and_packed_and_the_rest_is_left(lab, small_zoo):
    heard = []
    runs = make_zoo(lab, 1, heard.append)
    assert [run.state for run in runs] == ["done"] * 3
    assert [made.done for made in heard] == [1, 2, 3]
    first, _, longer = runs
    assert longer.summary.parent == first.id and len(longer.history) == 2
    assert longer.history[0]["train_loss"] == first.history[0]["train_loss"]
    assert all(run.logits_file.name == "logits.packed.gz" for run in runs)
    assert [run.summary.snapshots for run in runs] == [True, False, True]
    assert [snapshot.step for snapshot in first.snapshots()] == [0, 1, 3, 7]
    assert make_zoo(lab, 1, heard.append) == runs and len(heard) == 3


def test_one_run_of_each_small_network_keeps_snapshots():
    chosen = [c for row in zoo_rows() for c in row.configs() if zoo.keeps_snapshots(c)]
    small = [name for name in SEEDS if shipped_stats().networks[name]["parameters"] < 1e5]
    assert [c.model for c in chosen] == small
    assert {(c.dataset, c.seed) for c in chosen} == {("MNIST", 1)}
    assert recipe_of(chosen[small.index("lenet5")]) == "improved"


def test_a_second_maker_is_told(lab, small_zoo):
    with pool.alone(lab, "zoo"), pytest.raises(LabError, match="is making the zoo in"):
        make_zoo(lab, 1)


def epoch(number, accuracy):
    return {"phase": "epoch", "epoch": number, "validation_accuracy": accuracy}


def test_a_run_at_chance_after_two_epochs_ends(store):
    config = make_config("lenet5")
    must = MustLearn(store, config)
    must({"phase": "training"})
    must(epoch(1, 0.11))
    with pytest.raises(Diverged, match="after 2 epochs the validation accuracy is 11.0%, below 20"):
        must(epoch(2, 0.1))


def test_a_run_that_learned_once_goes_on_also_when_resumed(store):
    config = make_config("lenet5")
    must = MustLearn(store, config)
    must(epoch(1, 0.11))
    must(epoch(2, 0.21))
    must(epoch(3, 0.1))
    make_run(store, config, state="interrupted", accuracy=0.9)
    MustLearn(store, config)(epoch(4, 0.1))


def test_it_is_shown_as_diverged_with_the_reason(lab, small_zoo, monkeypatch):
    monkeypatch.setattr(zoo, "LEARNS", 1.1)
    run = zoo.train_and_pack(lab, make_config("lenet5", epochs=4, batch_size=64))
    assert run.state == "diverged" and run.summary.epochs_done == 2
    assert run.summary.note.startswith("Does not learn: after 2 epochs")
    assert not run.has_weights and run.summary.test_accuracy is None


def test_the_command_needs_nothing_to_say_what_is_there(lab, small_data):
    """All is there: the command trains nothing, and prints one JSON value."""
    for config in wanted_configs(["lenet5-1998"], seeds=1):
        make_run(lab, config)
    command = [sys.executable, "-m", "mnist_core", "reproduce", "zoo", "--json"]
    command += ["--only", "lenet5-1998", "--seeds", "1"]
    env = os.environ | {"MNIST_CHECKPOINTS": str(lab.root), "MNIST_DATA": str(small_data)}
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0 and done.stderr == ""
    ids = [config.id for config in wanted_configs(["lenet5-1998"], seeds=1)]
    assert json.loads(done.stdout) == {"runs": len(ids), "done": len(ids), "ids": ids}
