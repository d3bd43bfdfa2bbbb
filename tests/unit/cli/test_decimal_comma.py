"""A comma in a number: what is wrong is said in one line, whichever way it comes in."""

import pytest

from mnist_core.cli.main import main
from mnist_core.errors import InputError
from mnist_core.rules import Number, check_value


@pytest.mark.parametrize(
    ("content", "said"),
    (
        ('{"lr": 0,01}', "write numbers with a decimal point, not a comma"),
        ('{"lr": "0,01"}', "lr: '0,01' was given; allowed is a number from 1e-06 to 10, with a"),
        ('{"lr" 0.01}', "Expecting ':' delimiter"),
    ),
)
def test_a_config_with_a_comma_in_a_number(tmp_path, store, capsys, content, said):
    path = tmp_path / "config.json"
    path.write_text(content)
    assert main(["train", "--config", str(path)]) == 2
    error = capsys.readouterr().err
    assert said in error and error.count("\n") == 1


@pytest.mark.parametrize("value", ("1", "1,5", "x", "1,5,2"))
def test_only_a_number_with_a_comma_is_told_of_the_point(value):
    with pytest.raises(InputError) as caught:
        check_value("lr", value, Number(2, 3))
    assert ("decimal point" in str(caught.value)) == (value == "1,5")
