"""The frontier: its sizes and seeds, how it is made, its table, and that what ships is as told."""

import numpy as np
import pytest
import torch

from mnist_core.cli.main import main
from mnist_core.data.transforms import resize
from mnist_core.errors import InputError, LabError
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.predict import load_model, logits_of
from mnist_core.inspection.profiling import figures
from mnist_core.jobs import pool
from mnist_core.jobs.pool import Made
from mnist_core.models import create_model, make_config, recipe_of, registry
from mnist_core.models import frontier as frontier_networks
from mnist_core.models.frontier_rows import PUBLISHED, FrontierRow, frontier_ids, frontier_rows
from mnist_core.models.registry import ModelSpec, Recipe
from mnist_core.models.zoo import shipped_ids
from mnist_core.reproduce import frontier, frontier_table, making
from mnist_core.reproduce.frontier import make_frontier, wanted_configs
from mnist_core.reproduce.frontier_looks import looks, measured_looks, shifted, shifted_accuracy
from mnist_core.reproduce.frontier_table import frontier_markdown, frontier_results
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import StudyTable, TrialRow, read_table, write_table
from tests.stores import FIGURES, make_run
from tests.unit.reproduce.test_shipped import PROJECT, SHIPPED

BEGIN = "<!-- frontier: made by `python -m mnist_core reproduce table --only frontier` -->"
END = "<!-- end of frontier -->"
ROWS = frontier_rows()
LAYERS = "conv 4 3x3 no bias, batchnorm, activation, pool 4, flatten, dropout, linear classes"
SHIPPING = [row for row in ROWS if SHIPPED.find_folder(row.configs()[0])]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.model} {row.dataset}")
def test_a_network_keeps_to_its_size_and_has_enough_seeds(row):
    assert figures(create_model(row.model), 28)["parameters"] <= row.limit
    assert len(row.seeds) == (10 if row.limit <= 8_000 else 5)
    assert {recipe_of(config) for config in row.configs()} == {row.recipe}


def test_its_runs_are_the_labs_own():
    assert frontier_ids() <= shipped_ids()
    assert len(frontier_ids()) == sum(len(row.seeds) for row in ROWS)


def test_a_network_that_is_not_in_it_is_refused(small_frontier):
    with pytest.raises(InputError, match="lenet5 was given; allowed is one of frontier-700"):
        wanted_configs(["lenet5"])
    assert [config.seed for config in wanted_configs(["frontier-700"], 1)] == [1]


def test_the_winner_of_a_study_becomes_the_network_of_its_size(store, tmp_path, monkeypatch):
    monkeypatch.setattr(frontier_networks, "PATH", tmp_path / "frontier.json")
    space = {"model": "custom", "lr": "0.01,0.02", "epochs": "3", "zoom": "0.1"}
    space |= {"layers": "conv 3 3x3, relu, pool 2, flatten, linear 10"}
    rows = [TrialRow(0, "done", {"lr": 0.01}, 0.9, 3), TrialRow(1, "done", {"lr": 0.02}, 0.91, 3)]
    for name in ("frontier-1k", "frontier-1k-layers"):
        write_table(store, StudyTable(name, Plan(read_space(space)), rows, 2))
        assert main(["reproduce", "searched", "--only", name]) == 0
    kept = frontier_networks.winners(tmp_path / "frontier.json")["frontier-1k"]
    assert kept["studies"] == ["frontier-1k", "frontier-1k-layers"] and kept["trials"] == 4
    assert kept["layers"] == "conv 3 3x3, activation, pool 2, flatten, dropout, linear classes"
    wanted = {"lr": 0.02, "zoom": 0.1, "epochs": 60, "dropout": 0.0, "activation": "ReLU"}
    assert wanted.items() <= kept["fields"].items() and "layers" not in kept["fields"]
    assert frontier_networks.size_of_study("lenet5-frontier-1k") is None


def test_a_damaged_file_of_networks_is_one_sentence(tmp_path):
    (tmp_path / "frontier.json").write_text('{"frontier-1k": {"layers": "conv 3 3x3"}}')
    with pytest.raises(LabError, match="make it anew"):
        frontier_networks.winners(tmp_path / "frontier.json")
    assert frontier_networks.winners(tmp_path / "none.json") == {}


@pytest.fixture
def small_frontier(monkeypatch):
    """One row of two seeds, quick to train, made in this process."""
    build = frontier_networks._builder(LAYERS, "A small one.")
    recipes = (Recipe("frontier", "any", {"activation": "ReLU"}),)
    spec = ModelSpec("frontier-700", "Frontier 700", "a test", recipes, build)
    monkeypatch.setitem(registry.MODELS, "frontier-700", spec)

    class Row(FrontierRow):
        seeds = (1, 2)

        def configs(self):
            short = {"epochs": 2, "batch_size": 32, "lr": 0.02}
            return [make_config(self.model, seed=seed, **short) for seed in self.seeds]

    def one_after_another(store, configs, at_once, train_one, parents):
        for count, config in enumerate(configs, start=1):
            yield Made(train_one(store, config), count, len(configs), 0.0)

    for module in (frontier, frontier_table):
        monkeypatch.setattr(module, "frontier_rows", lambda: [Row(700, "frontier-700")])
    monkeypatch.setattr(making, "train_all", one_after_another)
    monkeypatch.setattr("mnist_core.reproduce.zoo.LEARNS", 0.0)  # of a few steps nothing is asked
    pool.loaded.cache_clear()
    yield
    pool.loaded.cache_clear()


def test_made_once_with_exact_weights_and_looks_of_the_first_seed(small_frontier, lab):
    made = []
    runs = make_frontier(lab, 1, made.append)
    assert [each.done for each in made] == [1, 2] and len(runs) == 2
    first, second = runs
    assert first.snapshots()[-1].epoch == 2 and first.logits_file.exists()
    assert looks(first) == measured_looks(first) and set(looks(first)) == {"1", "2"}
    assert not second.logits_file.exists() and not looks(second)
    assert [shifted(run) for run in runs] == [shifted_accuracy(run) for run in runs]
    assert all(run.has_weights and run.summary.cpu_seconds > 0 for run in runs)
    make_frontier(lab, 1, made.append)
    assert len(made) == 2  # finished runs are left as they are

    (row,) = frontier_results(lab)
    tests = [run.summary.test_accuracy for run in runs]
    assert row["test"] == pytest.approx(np.mean(tests)) and row["worst"] == min(tests)
    assert row["on_test"] == max(*tests, *looks(first).values()) and row["looks"] == 4
    assert row["shifted"] == pytest.approx(np.mean([shifted(run) for run in runs]))
    assert row["cpu_seconds"] == pytest.approx(sum(r.summary.cpu_seconds for r in runs))


def test_the_table_says_what_is_missing_and_who_published_what(small_frontier, store, monkeypatch):
    monkeypatch.setitem(FIGURES, "frontier-700", (694, 10_000, 3))
    text = frontier_markdown(frontier_results(store))
    assert "not trained yet; `python -m mnist_core reproduce frontier --only frontier-700`" in text
    make_run(store, frontier.wanted_configs()[0], accuracy=0.98, cpu_seconds=1234.5)
    text = frontier_markdown(frontier_results(store))
    assert "| 1 of 2 | 98.00 | 97.80 | 97.80 | 97.80 (highest of 1 look) | – | 1,234 | – |" in text
    assert text.count("\n| MNIST | ") == sum(point.dataset == "MNIST" for point in PUBLISHED)
    assert "| MNIST | 697 | 99.03 | the best on the test set of some 700 networks |" in text


def test_shifted_copies_are_moved_and_averaged(small_frontier, lab):
    """Against NumPy: roll within a frame of zeros, softmax, mean."""
    run = make_frontier(lab, 1)[0]
    test = pool.loaded(run.config.dataset).test
    images = np.pad(test.pixels(28, run.config.fit).numpy(), [(0, 0), (0, 0), (1, 1), (1, 1)])
    total = np.zeros((len(test), 10))
    for down, right in np.ndindex(3, 3):
        moved = np.roll(images, (down - 1, right - 1), (2, 3))[..., 1:-1, 1:-1]
        pixels = torch.from_numpy(np.ascontiguousarray(moved))
        logits = logits_of(load_model(run), pixels, run.config).double().numpy()
        total += np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    assert shifted(run) == pytest.approx((total.argmax(1) == test.labels.numpy()).mean())


@pytest.mark.parametrize("row", SHIPPING, ids=lambda row: f"{row.model} {row.dataset}")
def test_what_ships_is_whole_and_gives_its_figures_again(row, real_data):
    """Every seed's weights on all test images; the snapshots of the first seed, too."""
    test = real_data(row.dataset).test
    runs = [SHIPPED.get(config.id) for config in row.configs()]
    for run in runs:
        best = run.history[run.summary.best_epoch - 1]
        highest = max(epoch["validation_accuracy"] for epoch in run.history)
        assert best["validation_accuracy"] == run.summary.validation_accuracy == highest
        assert len(run.history) == run.config.epochs and run.summary.cpu_seconds > 0
        pixels = resize(test.images, run.config.input_size, run.config.fit)
        logits = logits_of(load_model(run), pixels, run.config).numpy()
        again = metrics(logits, test.labels.numpy()).accuracy
        # sums in another order than the engine's may turn an image on the edge
        assert again == pytest.approx(run.summary.test_accuracy, abs=1.01 / len(test))
        assert shifted(run) == pytest.approx(shifted_accuracy(run), abs=1.01 / len(test))
    first = runs[0]
    assert measured_looks(first) == pytest.approx(looks(first), abs=1.01 / len(test))
    assert first.snapshots()[-1].epoch == first.config.epochs and first.logits_file.exists()


@pytest.mark.parametrize("row", SHIPPING, ids=lambda row: f"{row.model} {row.dataset}")
def test_its_studies_ship(row):
    tables = [read_table(SHIPPED, name) for name in row.studies]
    assert tables and all(table and table.is_complete for table in tables)


def test_the_table_in_the_readme_is_the_commands_output():
    text = (PROJECT / "README.md").read_text(encoding="utf-8")
    assert text.count(BEGIN) == text.count(END) == 1
    shown = text.partition(BEGIN)[2].partition(END)[0]
    assert shown.strip() == frontier_markdown(frontier_results(SHIPPED))
