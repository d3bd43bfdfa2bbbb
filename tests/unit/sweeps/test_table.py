"""The table of a study's trials, which pages read in place of the study."""

import json
import os
import subprocess
import sys
import time

import numpy as np
import pytest
from optuna.trial import TrialState

from mnist_core.config import RunConfig
from mnist_core.errors import LabError
from mnist_core.jobs import spawn
from mnist_core.models import make_config
from mnist_core.sweeps import home
from mnist_core.sweeps.asking import estimated_seconds, options_of, space_around
from mnist_core.sweeps.collect import collect_curves
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.snapshot import table_of
from mnist_core.sweeps.space import Options, Range, read_space
from mnist_core.sweeps.surface import surface
from mnist_core.sweeps.table import StudyTable, TrialRow, read_table, table_names, table_path
from mnist_core.training.cost import Cost, save
from tests.unit.sweeps.studies import accuracy, study_in, worker

SPACE = {"lr": "1e-3..1:log", "optimizer": "SGD,Adam", "momentum": "0..0.9", "epochs": 3}


@pytest.fixture
def searched(store):
    study = study_in(store, trials=30, space=SPACE, pruner="median")
    worker(study, store).work()
    return study


def test_the_table_tells_of_every_trial(searched, store):
    collect_curves(searched, store)
    table = read_table(store, "lr")
    assert table_names(store) == ["lr"] and table.plan == searched.plan and table.is_complete
    assert len(table.rows) == 30 and table.count("done", "pruned") == 30
    assert table.count("pruned") > 0
    for row, trial in zip(table.rows, searched.trials(), strict=True):
        assert (row.number, set(row.values)) == (trial.number, set(trial.params))
        assert row.values["lr"] == float(f"{trial.params['lr']:.3g}")
        reached = 3 if trial.state == TrialState.COMPLETE else row.epochs
        assert row.accuracy == accuracy(table.config(row), reached)
        assert ("momentum" in row.values) == (row.values["optimizer"] == "SGD")
    best = max((row for row in table.rows if row.state == "done"), key=lambda row: row.accuracy)
    assert table.best == best
    assert table.config(best).id in {run.id for run in store.list()[0]}


def test_the_field_that_decides_is_the_important_one(store):
    """In the made-up training only the learning rate matters."""
    study = study_in(store, trials=60, space=SPACE, pruner="none")
    worker(study, store).work()
    importance = table_of(study).importance
    assert max(importance, key=importance.get) == "lr" and importance["lr"] > 0.5
    assert set(importance) == {"lr", "optimizer", "momentum"}


DAMAGES = [
    lambda found: found.update(format="mnist-lab study 99"),
    lambda found: found["plan"].update(sampler="best"),
    lambda found: found["trials"].append([1, "done"]),
    lambda found: found["trials"][0].__setitem__(1, "lost"),
    lambda found: found["trials"][0].__setitem__(3, "high"),
    lambda found: found["trials"][0].__setitem__(2, {"lr": "<b>"}),
    lambda found: found["trials"][0].__setitem__(2, {"seed": 1}),
    lambda found: found["trials"][0].__setitem__(2, {"optimizer": "RMSprop"}),  # not in the space
    lambda found: found["trials"][0].__setitem__(2, {"lr": 2.0}),
    lambda found: found["trials"][0].__setitem__(3, 1.5),
    lambda found: found["trials"][0].__setitem__(0, -1),
    lambda found: found["trials"][0].__setitem__(4, 0.5),
    lambda found: found["plan"].update(seeds="x"),
    lambda found: found.update(wanted=-1),
    lambda found: found.update(importance={"lr": float("nan")}),
    lambda found: found.update(importance={"lr": 10**400}),
    lambda found: found.pop("importance"),
]


def test_a_damaged_table_is_one_sentence(searched, store):
    collect_curves(searched, store)
    path = table_path(store, "lr")
    whole = path.read_text()
    for damage in DAMAGES:
        found = json.loads(whole)
        damage(found)
        path.write_text(json.dumps(found))
        with pytest.raises(LabError, match=r"lr\.json is damaged|none that this version") as error:
            read_table(store, "lr")
        assert "\n" not in str(error.value)


def test_options_of_a_space_give_the_same_space():
    config = make_config("lenet5", "grid", dataset="KMNIST", shift=2.0, seed=3)
    dimensions = {
        "lr": Range(1e-5, 0.5, log=True),
        "dropout": Range(0.0, 0.5, step=0.05),
        "batch_size": Options((32, 1024)),
        "optimizer": Options(("Adam",)),
    }
    space = space_around(config, dimensions)
    given = options_of(space)
    pairs = dict(zip(given[::2], given[1::2], strict=True))
    fields = {name[2:].replace("-", "_"): value for name, value in pairs.items()}
    recipe = fields.pop("recipe")
    assert read_space(fields, recipe) == space
    found = space.config({"lr": 0.01, "dropout": 0.0, "batch_size": 32})
    assert found == config.replace(lr=0.01, batch_size=32, optimizer="Adam")
    assert isinstance(found, RunConfig)


def test_the_estimated_time_is_that_of_all_trials_and_the_winner(store, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    config = make_config("lenet5", "grid")
    space = space_around(config, {"lr": Range(0.01, 0.1)})
    assert estimated_seconds(store, space, 15) is None
    save(store, config, Cost(1e-4, 1e-3, 1e-4, 5.0))
    one = Cost(1e-4, 1e-3, 1e-4, 5.0).run(config)
    assert estimated_seconds(store, space, 15) == pytest.approx(one * 20 / 2)


def test_the_front_of_two_objectives_has_what_no_trial_beats_in_both():
    plan = Plan(read_space(SPACE, "grid"), pruner="none", minimise="parameters")
    found = [(0.9, 50), (0.95, 100), (0.94, 200), (0.95, 300), (0.97, 300), (0.8, 60)]
    rows = [TrialRow(n, "done", {}, a, 3, None, s) for n, (a, s) in enumerate(found)]
    assert [row.number for row in StudyTable("two", plan, rows).front] == [0, 1, 4]


def test_a_surface_follows_the_trials_and_says_nothing_far_from_them():
    places = np.linspace(0, 1, 6)
    points = np.array([[x, y] for x in places for y in places if x < 0.5])
    found = surface(points, points[:, 1], np.array([0.2, 1.0]), np.array([0.1, 0.9]))
    assert found.shape == (2, 2) and np.isnan(found[:, 1]).all()
    assert found[0, 0] < 0.35 and found[1, 0] > 0.65


def test_studies_elsewhere_are_brought_home_now_and_then(store, monkeypatch):
    asked = []
    monkeypatch.setattr(spawn, "start", lambda store, command, log: asked.append(command))
    home.bring_home(store)
    assert asked == []  # there is no storage
    study_in(store)
    home.bring_home(store)
    home.bring_home(store)
    assert asked == [["sweep-collect"]]
    mark = store.root / ".sweeps" / "collected"
    os.utime(mark, (time.time() + 100, time.time() + 100))
    home.bring_home(store)  # the journal has not changed since
    monkeypatch.setenv("MNIST_STUDIES", "postgresql+psycopg://me:secret@db/studies")
    home.bring_home(store)
    assert len(asked) == 2
    said = "python -m mnist_core sweep-collect: storage: postgresql+psycopg://db is away.\n"
    home.log_path(store).write_text("Loading …\n" + said)
    assert home.why_not(store) == "storage: postgresql+psycopg://db is away."


def test_reading_a_table_loads_no_optuna(searched, store):
    collect_curves(searched, store)
    code = (
        "import sys; from mnist_core.runs.store import RunStore; "
        "from mnist_core.sweeps import asking, table; import mnist_core.charts.study; "
        "assert table.read_table(RunStore(), 'lr').best; "
        "sys.exit(bool({'optuna', 'torch', 'pandas'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
