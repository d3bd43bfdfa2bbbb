"""The space of a sweep: how it is given, what is refused, and which fields matter when."""

import pytest

from mnist_core.errors import InputError
from mnist_core.sweeps.plan import Plan
from mnist_core.sweeps.space import Options, Range, read_space, read_space_file


def test_short_forms_and_toml_give_the_same_space(tmp_path):
    short = {
        "lr": "1e-4..1:log",
        "batch_size": "32,64",
        "activation": "any",
        "dropout": "0..0.5:step=0.25",
        "epochs": "2",
    }
    file = tmp_path / "space.toml"
    file.write_text(
        'lr = {low = 1e-4, high = 1, log = true}\nbatch_size = [32, 64]\nactivation = "any"\n'
        "dropout = {low = 0, high = 0.5, step = 0.25}\nepochs = 2\n"
    )
    space = read_space(short)
    assert space == read_space(read_space_file(file)) == read_space(space.to_json())
    assert space.fixed == {"epochs": 2}
    assert space.dimensions["lr"] == Range(1e-4, 1.0, log=True)
    assert space.dimensions["batch_size"] == Options((32, 64))
    assert space.dimensions["dropout"].values() == (0, 0.25, 0.5)
    assert len(space.dimensions["activation"].values()) == 7


@pytest.mark.parametrize(
    "field, given",
    [
        ("lr", "1..0.1"),
        ("lr", "fast"),
        ("lr", "1e-4..1:logg"),
        ("lr", []),
        ("lr", {"low": 1e-3}),
        ("dropout", "0..0.5:log"),
        ("dropout", "0..0.5:step=1"),
        ("dropout", "any"),
        ("batch_size", "1..10:step=0.5"),
        ("activation", "0..1"),
        ("input_size", "28..32"),
        ("seed", "1,2"),
        ("colour", "red"),
    ],
)
def test_a_bad_space_is_one_sentence_that_names_the_field(field, given):
    with pytest.raises(InputError) as error:
        read_space({"optimizer": "any", field: given})
    assert str(error.value).startswith(f"{field}: ") and "\n" not in str(error.value)


def test_a_field_matters_only_where_the_config_uses_it():
    space = read_space({"optimizer": "any", "momentum": "0..0.9", "schedule": "any"})
    assert space.matters("momentum", {"optimizer": "SGD"})
    assert not space.matters("momentum", {"optimizer": "Adam"})
    assert [name for name, _ in space.ordered()][-1] == "momentum"
    assert space.config({"optimizer": "Adam", "schedule": "step"}).optimizer == "Adam"


def test_a_plan_says_what_does_not_go_together():
    lr = read_space({"lr": "0.1..1"})
    for wrong in [
        {"sampler": "grid"},
        {"sampler": "best"},
        {"pruner": "wilcoxon"},
        {"minimise": "macs"},
    ]:
        with pytest.raises(InputError):
            Plan(lr, **wrong)
    with pytest.raises(InputError, match="nothing varies"):
        Plan(read_space({"lr": "0.1"}))
    grid = Plan(read_space({"lr": "0.1,1", "batch_size": "32..96:step=32"}), "grid")
    assert grid.grid_size() == 6
    assert Plan.from_json(grid.to_json()) == grid
    assert grid.default_name() == Plan.from_json(grid.to_json()).default_name()
