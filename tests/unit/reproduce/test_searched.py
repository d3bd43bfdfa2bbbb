"""The best setting of a study becomes its network's recipe."""

import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.models import make_config
from mnist_core.models.searched import EPOCHS, searched, winners
from mnist_core.models.zoo import zoo_rows
from mnist_core.paths import PROJECT
from mnist_core.reproduce.searched import at_length, keep_winner
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.store import RunStore
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import StudyTable, TrialRow, read_table, table_names, write_table

SPACE = {"model": "lenet5", "dataset": "FashionMNIST", "epochs": 5, "lr": "0.001..1:log"}
SPACE |= {"optimizer": "SGD,Adam", "schedule": "step,cosine"}
BEST = {"optimizer": "Adam", "schedule": "step", "lr": 0.002}


def test_the_winner_of_a_study_is_a_recipe_of_its_network(store, tmp_path):
    path = tmp_path / "searched.json"
    assert searched("lenet5", path) == ()
    other = {"optimizer": "SGD", "schedule": "cosine", "lr": 0.1}
    rows = [TrialRow(0, "done", other, 0.88, 5), TrialRow(1, "done", BEST, 0.89, 5)]
    plan = Plan(read_space(SPACE, "grid"))
    write_table(store, StudyTable("clothes", plan, rows, 3))
    with pytest.raises(LabError, match="not done"):
        keep_winner(store, "clothes", path)
    with pytest.raises(NotFound, match="clothes"):
        keep_winner(store, "shoes", path)
    write_table(store, StudyTable("clothes", plan, rows, 2))
    kept = keep_winner(store, "clothes", path)
    (recipe,) = searched("lenet5", path)
    assert winners(path) == {"lenet5": kept} and kept["dataset"] == "FashionMNIST"
    assert "2 settings tried on FashionMNIST with 5 epochs" in recipe.title
    made = make_config("lenet5", dataset="FashionMNIST", **recipe.fields)
    assert made == at_length(plan.configs(BEST)[0])
    assert (made.epochs, made.step_size, made.lr) == (EPOCHS, EPOCHS // 5, 0.002)


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "searched.json"
    path.write_text('{"lenet5": {"study": "x"}}')
    with pytest.raises(LabError, match="make it anew"):
        winners(path)


def test_a_study_that_ships_is_whole():
    store = RunStore(PROJECT / "checkpoints")
    for name in table_names(store):
        table = read_table(store, name)
        assert table.is_complete and table.importance and table.winner["test_accuracy"]
        runs = read_bundle(store.sweep_path(name)).runs
        assert {table.config(row).id for row in table.done} <= set(runs)
        assert all(runs[table.config(row).id].history for row in table.done[:10])


def test_the_recipes_that_ship_are_those_of_the_studies_that_ship():
    store = RunStore(PROJECT / "checkpoints")
    for model, winner in winners().items():
        table = read_table(store, winner["study"])
        best = at_length(table.config(table.best))
        (row,) = [row for row in zoo_rows() if (row.model, row.recipe) == (model, "searched")]
        assert row.configs()[0] == best and len(row.configs()) == 5
