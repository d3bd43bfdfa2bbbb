"""The best setting of a study becomes its network's recipe."""

import pytest

from mnist_core.errors import LabError, NotFound
from mnist_core.jobs.pool import Made
from mnist_core.models import make_config
from mnist_core.models.frontier import size_of_study
from mnist_core.models.searched import EPOCHS, searched, winners
from mnist_core.models.zoo import zoo_rows
from mnist_core.paths import PROJECT
from mnist_core.reproduce import making
from mnist_core.reproduce.searched import at_length, keep_winner
from mnist_core.runs.bundle import read_bundle
from mnist_core.runs.states import RunState
from mnist_core.runs.store import RunStore
from mnist_core.runs.summary import Summary
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import read_space
from mnist_core.sweeps.table import StudyTable, TrialRow, read_table, table_names, write_table

SPACE = {"model": "lenet5", "dataset": "FashionMNIST", "epochs": 5, "lr": "0.001..1:log"}
SPACE |= {"optimizer": "SGD,Adam", "schedule": "step,cosine"}
BEST = {"optimizer": "Adam", "schedule": "step", "lr": 0.002}


def study(store, rows, wanted, **fields):
    plan = Plan(read_space(SPACE | fields, "grid"))
    write_table(store, StudyTable("clothes", plan, rows, wanted))
    return plan


def trained(store, config, accuracies):
    """Runs of the config, a seed for each validation accuracy; None diverged."""
    for seed, accuracy in enumerate(accuracies, start=1):
        state = RunState.DIVERGED if accuracy is None else RunState.DONE
        store.create(config.replace(seed=seed), Summary(state, validation_accuracy=accuracy))


def test_the_recipes_run_is_that_with_the_first_seed_whatever_the_studys(store, tmp_path):
    plan = study(store, [TrialRow(0, "done", BEST, 0.88, 5)], 1, seed=7)
    config = plan.configs(BEST)[0]
    assert config.seed == 7
    for each in (config, at_length(config)):
        trained(store, each, [0.88] * 5)
    kept = keep_winner(store, "clothes", tmp_path / "searched.json")
    assert kept["best"] == at_length(config).replace(seed=1).id
    assert store.find_folder(at_length(config).replace(seed=1))


def test_a_studys_best_setting_that_holds_for_all_seeds_is_a_recipe(store, tmp_path):
    """The best one's second seed diverges at once, the next one's third in the long run."""
    path = tmp_path / "searched.json"
    assert searched("lenet5", path) == ()
    settings = [BEST | {"lr": lr} for lr in (0.5, 0.01, 0.002, 0.004)]
    rows = [TrialRow(n, "done", each, 0.9 - n / 100, 5) for n, each in enumerate(settings)]
    plan = study(store, rows, 5)
    with pytest.raises(LabError, match="not done"):
        keep_winner(store, "clothes", path)
    with pytest.raises(NotFound, match="clothes"):
        keep_winner(store, "shoes", path)
    study(store, rows, 4)
    trials = [plan.configs(values)[0] for values in settings]
    for config, accuracies in zip(trials, ([0.9, None], [0.89] * 5, [0.88] * 5), strict=False):
        trained(store, config, accuracies)
    for config, accuracies in zip(trials, ([0.99] * 5, [0.9, 0.9, None], [0.91] * 5), strict=False):
        trained(store, at_length(config), accuracies)
    kept = keep_winner(store, "clothes", path)
    (recipe,) = searched("lenet5", path)
    assert winners(path) == {"lenet5": kept} and kept["dataset"] == "FashionMNIST"
    assert kept["passed_over"] == [trials[0].id, trials[1].id]
    assert "4 settings tried on FashionMNIST for 5 epochs" in recipe.title
    made = make_config("lenet5", dataset="FashionMNIST", **recipe.fields)
    assert made == at_length(trials[2]) and made.id == kept["best"]
    assert (made.epochs, made.step_size, made.lr) == (EPOCHS, EPOCHS // 5, 0.002)


def test_what_is_missing_is_trained_until_a_seed_diverges(store, tmp_path, monkeypatch):
    rows = [TrialRow(n, "done", BEST | {"lr": 0.002 + n / 1000}, 0.88, 5) for n in range(2)]
    first, second = (study(store, rows, 2).configs(row.values)[0] for row in rows)
    for config in (first, second):
        store.create(config, Summary(RunState.DONE, validation_accuracy=0.88))
    asked = []

    def train(store, configs, at_once, train_one, parents):
        for config in configs:
            asked.append(config)
            fails = config == first.replace(seed=3)
            summary = Summary(
                RunState.DIVERGED if fails else RunState.DONE, validation_accuracy=0.91
            )
            yield Made(store.create(config, summary), 1, 1, 0.0)

    monkeypatch.setattr(making, "train_all", train)
    told = []
    for _ in range(2):  # the second time, all is there
        kept = keep_winner(store, "clothes", tmp_path / "searched.json", on_made=told.append)
        assert kept["fields"]["lr"] == 0.003
    assert asked == [
        *(first.replace(seed=seed) for seed in (2, 3)),
        *(second.replace(seed=seed) for seed in (2, 3, 4, 5)),
        *(at_length(second).replace(seed=seed) for seed in (1, 2, 3, 4, 5)),
    ]
    assert [made.run.id for made in told] == [config.id for config in asked]


def test_a_study_whose_best_all_diverge_gives_no_recipe(store, tmp_path):
    plan = study(store, [TrialRow(0, "done", BEST, 0.88, 5)], 1)
    trained(store, plan.configs(BEST)[0], [0.88, None])
    with pytest.raises(LabError, match="diverge"):
        keep_winner(store, "clothes", tmp_path / "searched.json")
    assert not (tmp_path / "searched.json").exists()


def test_a_damaged_file_is_one_sentence(tmp_path):
    path = tmp_path / "searched.json"
    path.write_text('{"lenet5": {"study": "x"}}')
    with pytest.raises(LabError, match="make it anew"):
        winners(path)


def test_a_study_that_ships_is_whole():
    store = RunStore(PROJECT / "checkpoints")
    for name in filter(lambda name: not size_of_study(name), table_names(store)):
        table = read_table(store, name)
        assert table.is_complete and table.importance and table.winner["test_accuracy"]
        runs = read_bundle(store.sweep_path(name)).runs
        assert {table.config(row).id for row in table.done} <= set(runs)
        assert all(runs[table.config(row).id].history for row in table.done[:10])


def test_the_recipes_that_ship_are_those_of_the_studies_that_ship():
    store = RunStore(PROJECT / "checkpoints")
    for model, winner in winners().items():
        table = read_table(store, winner["study"])
        ids = [table.config(row).id for row in table.done]
        place = len(winner["passed_over"])
        assert winner["passed_over"] == ids[:place]
        assert winner["best"] == at_length(table.config(table.done[place])).id
        (row,) = [row for row in zoo_rows() if (row.model, row.recipe) == (model, "searched")]
        assert row.configs()[0].id == winner["best"] and len(row.configs()) == 5
