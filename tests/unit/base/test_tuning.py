"""How a fine-tuned run was made, as text in its config."""

import pytest

from mnist_core.config import RunConfig
from mnist_core.errors import InputError
from mnist_core.models import make_config, recipe_of
from mnist_core.tuning import Tuning

TEXT = "last layer, 37 drawings 0123456789abcdef, 30 epochs, learning rate 0.002, 3 images each"


def test_the_text_is_read_as_it_was_written():
    found = Tuning.parse(TEXT)
    assert found == Tuning("last", 37, "0123456789abcdef", 30, 0.002, 3)
    for tuning in (found, Tuning("all", 2000, "f" * 16, 1, 1e-6, 1), Tuning.parse(TEXT)):
        assert Tuning.parse(str(tuning)) == tuning
    assert str(found) == TEXT


@pytest.mark.parametrize(
    "old, new",
    [
        ("last layer", "first layer"),
        ("37", "9"),
        ("37", "2001"),
        ("30 epochs", "0 epochs"),
        ("0.002", "1"),
        ("0.002", "0-1"),
        ("3 images", "21 images"),
        ("abcdef", "ABCDEF"),
    ],
)
def test_what_cannot_be_is_refused(old, new):
    with pytest.raises(InputError, match="tuning: .* allowed is nothing, or what the command"):
        make_config("lenet5", tuning=TEXT.replace(old, new))


def test_it_is_part_of_the_id_and_all_else_keeps_its_own():
    plain = make_config("lenet5", "improved", seed=3)
    tuned = plain.replace(tuning=TEXT)
    assert len({plain.id, tuned.id, plain.replace(tuning=TEXT.replace("37", "38")).id}) == 3
    assert plain.replace(tuning="").id == plain.id and "tuning" not in plain.used()
    assert tuned.parent == plain == plain.parent and tuned.own_epochs == 30
    assert plain.own_epochs == plain.epochs and recipe_of(tuned) is None
    assert RunConfig.from_dict(tuned.to_dict()) == tuned
    assert "tuning" not in RunConfig.option_names() and "lr" in RunConfig.option_names()
