"""Accuracy over two fields: which runs belong."""

import pytest

from mnist_core.analysis.landscape import FIELDS, landscape
from mnist_core.models import make_config
from mnist_core.models.grid import AXES
from tests.stores import make_run

HERE = make_config("lenet5", "grid")


@pytest.fixture
def runs(store):
    make = [HERE.replace(lr=0.1), HERE.replace(batch_size=256), HERE.replace(lr=0.03)]
    runs = [make_run(store, config, accuracy=0.9 + i / 100) for i, config in enumerate(make)]
    runs.append(make_run(store, HERE.replace(lr=1), state="diverged", epochs=0))
    others = [HERE.replace(dropout=0.5), HERE.replace(epochs=2), make_config("lenet5")]
    return runs + [make_run(store, config, accuracy=0.99) for config in others]


def test_the_cells_are_the_sliders_values_and_those_of_runs(runs):
    land = landscape(HERE, runs, "lr", "batch_size")
    assert land.xs == tuple(sorted({*AXES["lr"], 0.03})) and land.ys == AXES["batch_size"]
    trained = {point: cell.accuracy for point, cell in land.cells.items() if cell.run}
    assert trained == {(0.1, 64): 0.9, (0.01, 256): 0.91, (0.03, 64): 0.92, (1.0, 64): None}
    assert land.best.config == HERE.replace(lr=0.03)
    assert land.best_of_row(256).config == HERE.replace(batch_size=256)
    assert land.best_of_row(64) is land.best and land.best_of_row(32) is None


def test_a_cells_config_differs_in_the_two_fields_only(runs):
    land = landscape(HERE, runs, "activation", "dropout")
    assert land.xs == AXES["activation"]
    for (activation, dropout), cell in land.cells.items():
        assert cell.config == HERE.replace(activation=activation, dropout=dropout)
    assert land.cells["ReLU", 0.5].accuracy == 0.99


@pytest.mark.parametrize("field", FIELDS)
def test_every_field_can_be_an_axis(field, runs):
    other = next(name for name in FIELDS if name != field)
    land = landscape(HERE, runs, field, other)
    assert (getattr(HERE, field), getattr(HERE, other)) in land.cells


def test_settings_that_make_no_config_have_no_cell(runs):
    plateau = HERE.replace(schedule="plateau", min_lr=0.01)
    land = landscape(plateau, runs, "lr", "batch_size")
    assert min(lr for lr, _ in land.cells) == 0.01
