"""What the command line prints for people."""

from mnist_core.cli.main import main
from mnist_core.cli.terminal import ProgressLine, table
from tests.configs import fine_tuned


def test_numbers_are_to_the_right_and_a_missing_value_is_a_dash():
    rows = [{"name": "a", "images": 60_000}, {"name": "long", "images": None}]
    assert table(rows).split("\n") == ["name  images", "a     60,000", "long       –"]


def test_a_table_without_rows_says_so(store, capsys):
    assert table([]) == table([], ("name",)) == "none"
    assert main(["image-map"]) == 0 and capsys.readouterr().out == "none\n"


def test_a_fine_tuned_run_counts_its_parts_and_no_epochs(capsys):
    at = {"phase": "training", "epoch": 3, "epochs": 11, "step": 1, "steps": 4, "losses": []}
    for config, words in ((fine_tuned(), "part 3/11"), (fine_tuned().parent, "epoch 3/11")):
        line = ProgressLine(config)
        line.live = True
        line.show(at | {"images_per_second": 9.0, "seconds_left": 5.0})
        assert words in capsys.readouterr().err
