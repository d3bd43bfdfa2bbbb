"""What the command line prints for people."""

from mnist_core.cli.main import main
from mnist_core.cli.terminal import table


def test_numbers_are_to_the_right_and_a_missing_value_is_a_dash():
    rows = [{"name": "a", "images": 60_000}, {"name": "long", "images": None}]
    assert table(rows).split("\n") == ["name  images", "a     60,000", "long       –"]


def test_a_table_without_rows_says_so(store, capsys):
    assert table([]) == table([], ("name",)) == "none"
    assert main(["image-map"]) == 0 and capsys.readouterr().out == "none\n"
