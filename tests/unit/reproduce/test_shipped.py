"""The runs that ship: whole, small, consistent with what their summaries say, without images.

Each run's weights are compared with its stored logits on some test images, and the accuracy of a
few runs is computed again from their weights on all test images. With EVERY_RUN=1 in the
environment that is done for every run (some minutes).
"""

import os
import random
from pathlib import Path

import numpy as np
import pytest

from mnist_core.data.transforms import resize
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.predict import load_model, logits_of
from mnist_core.inspection.over_time import stored_map
from mnist_core.models import recipe_of
from mnist_core.models.grid import DATASETS, grid_configs
from mnist_core.models.zoo import rate_pair, zoo_rows
from mnist_core.reproduce.packing import LARGE, TOLERATED, WITHOUT_WEIGHTS, in_fewer_bits
from mnist_core.reproduce.zoo import NOT_AT_HAND, keeps_snapshots
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.logits import STEP
from mnist_core.runs.snapshots import SNAPSHOTS
from mnist_core.runs.store import RunStore

PROJECT = Path(__file__).parents[3]
SHIPPED = RunStore(PROJECT / "checkpoints")
ZOO = [c for row in zoo_rows() if row.dataset not in NOT_AT_HAND for c in row.configs()]
RUNS = [run for config in ZOO if (run := SHIPPED.find_folder(config)) and run.state == "done"]
WITH_WEIGHTS = [run for run in RUNS if run.has_weights]
SOME = 2  # runs whose accuracy is computed again here
QUICK = 500_000  # multiply-accumulates an image: those of the runs that are drawn from
IMAGES = 100  # of each run, on which its weights and its logits are compared


@pytest.fixture
def images_of(real_data):
    """name -> the data set's test images and labels, read once for all tests here."""

    def load(name):
        if name not in READ:
            READ[name] = real_data(name).test
        return READ[name]

    return load


READ = {}


def test_the_whole_zoo_ships():
    assert [config.id for config in ZOO if not SHIPPED.find_folder(config)] == []
    assert SHIPPED.list()[1] == []
    given_up = {
        (c.model, c.dataset, recipe_of(c)) for c in ZOO if SHIPPED.get(c.id).state != "done"
    }
    assert given_up == {("myvggnet", "KMNIST", "reference")}


def test_what_ships_is_small():
    files = [f for run in RUNS for f in run.path.iterdir()]
    files += [file for name in ("grid", "labels") for file in (SHIPPED.root / name).glob("*")]
    assert sum(file.stat().st_size for file in files) < 80e6
    assert sum(file.stat().st_size for file in files if file.name == SNAPSHOTS) < 12e6
    for run in WITH_WEIGHTS:
        size = (run.path / run.summary.weights).stat().st_size
        assert size == run.summary.weights_bytes
        assert size <= LARGE or in_fewer_bits(run)


@pytest.mark.parametrize("run", RUNS, ids=lambda run: run.id)
def test_its_files_agree(run):
    summary = run.summary
    best = run.history[summary.best_epoch - 1]
    assert best["validation_accuracy"] == summary.validation_accuracy
    assert summary.validation_accuracy == max(r["validation_accuracy"] for r in run.history)
    assert len(run.history) == summary.epochs_done == run.config.epochs
    assert summary.device and summary.versions["torch"]
    if run in WITH_WEIGHTS:
        run.weights()  # checks the checksum
    assert summary.engine and kept_logits(run)
    assert not keeps_snapshots(run.config) or run.snapshots()[-1].epoch == run.config.epochs


def kept_logits(run):
    return run.logits_file.exists()


def test_one_run_of_each_small_network_ships_with_snapshots():
    kept = [config for config in ZOO if keeps_snapshots(config)]
    assert len(kept) == 9
    for config in kept:
        last = SHIPPED.get(config.id).snapshots()[-1]
        assert last.epoch == config.epochs


def test_the_pair_of_learning_rates_ships_with_snapshots_and_points():
    runs = [SHIPPED.find_folder(config) for config in rate_pair()]
    for run in runs:
        kept = stored_map(run, [snapshot.step for snapshot in run.snapshots()])
        assert kept.steps[-1] == run.snapshots()[-1].step
        bundled = read_bundle(SHIPPED.bundle_path("MNIST")).runs[run.id]
        assert [row["validation_accuracy"] for row in run.history] == [
            row["validation_accuracy"] for row in bundled.history
        ]
    good, large = runs
    assert good.summary.test_accuracy > 0.98 and large.summary.test_accuracy < 0.12


def test_every_run_has_logits_and_almost_every_one_has_weights():
    assert [run.id for run in RUNS if not kept_logits(run)] == []
    without = [run for run in RUNS if not run.has_weights]
    assert {(run.config.model, recipe_of(run.config)) for run in without} == set(WITHOUT_WEIGHTS)


@pytest.mark.parametrize("run", [run for run in RUNS if kept_logits(run)], ids=lambda run: run.id)
def test_its_kept_logits_give_its_accuracy_and_come_from_its_weights(run, images_of):
    logits, labels = run.logits(), SHIPPED.labels(run)
    for part in ("validation", "test"):
        figures = metrics(logits[part], labels[part])
        assert figures.accuracy == pytest.approx(getattr(run.summary, f"{part}_accuracy"), abs=1e-9)
    if run not in WITH_WEIGHTS:
        return
    chosen = np.random.default_rng(1998).choice(len(labels["test"]), IMAGES, replace=False)
    images = images_of(run.config.dataset).images[chosen]
    pixels = resize(images, run.config.input_size, run.config.fit)
    computed = logits_of(load_model(run), pixels, run.config).numpy()
    kept = logits["test"][chosen].astype(np.float32)
    scale = np.abs(kept).max()
    assert np.abs(computed - kept).max() < STEP + (0.01 if in_fewer_bits(run) else 0.001) * scale


def drawn():
    if os.environ.get("EVERY_RUN"):
        return WITH_WEIGHTS
    quick = [run for run in WITH_WEIGHTS if run.summary.macs <= QUICK]
    return random.Random(1998).sample(quick, min(SOME, len(quick)))


def test_the_grid_that_ships_is_small_and_agrees_with_itself():
    files = sorted((SHIPPED.root / "grid").glob("*.parquet"))
    assert sum(file.stat().st_size for file in files) < 8e6
    wanted = {config.id for name in DATASETS for config in grid_configs(name)}
    for run in (run for file in files for run in read_bundle(file).runs.values()):
        summary, history = run.summary, run.history
        assert run.id in wanted and (summary.device, summary.threads) == ("cpu", 1)
        assert len(history) == summary.epochs_done and not summary.data_note
        if history:
            best = history[int(summary.best_epoch or 0) - 1]
            assert best["validation_accuracy"] == summary.validation_accuracy
            assert run.first_kernels().shape == (6, 5, 5)
        if summary.test_accuracy is not None:
            wrong, labels = run.mistakes(), SHIPPED.labels(run)["test"]
            assert len(wrong.index) == round((1 - summary.test_accuracy) * len(labels))
            assert (labels[wrong.index] != wrong.answer).all()


def test_weights_give_the_test_accuracy_again(images_of):
    for run in drawn():
        test = images_of(run.config.dataset)
        pixels = resize(test.images, run.config.input_size, run.config.fit)
        logits = logits_of(load_model(run), pixels, run.config).numpy()
        turned = metrics(logits, test.labels.numpy()).accuracy - run.summary.test_accuracy
        assert abs(round(turned * len(test))) <= (TOLERATED if in_fewer_bits(run) else 0), run.id
