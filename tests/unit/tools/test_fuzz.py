"""The fuzz program: a few cases of each part, and that it sees what goes wrong."""

import pytest

from mnist_core.errors import LabError
from tests.tools.fuzz import fuzz, spread
from tests.tools.fuzzing.all_parts import PARTS
from tests.tools.fuzzing.attempt import attempt


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("part, cases", [("config-files", 5), ("run-folders", 5), ("archives", 5)])
def test_a_few_cases_of_a_part_are_no_more_than_sentences(tmp_path, part, cases):
    for seed in range(cases):
        (root := tmp_path / str(seed)).mkdir()
        assert attempt(PARTS[part].case, seed, root) == ""


def test_cases_run_in_processes_of_their_own():
    result = fuzz({"pictures": 5}, seed=1)
    assert result["cases"] == 5 and result["failed"] == [] and result["peak_mb"]["pictures"] > 0


def test_cases_are_spread_over_all_parts():
    counts = spread(1000)
    assert sum(counts.values()) == 1000 and counts.keys() == PARTS.keys()


def test_it_sees_what_goes_wrong(tmp_path, monkeypatch):
    def fine(chance, folder):
        (folder / "x").write_bytes(chance.randbytes(9))
        raise LabError("a sentence")

    def broken(chance, folder):
        raise KeyError("x")

    def outside(chance, folder):
        (folder.parent / "outside").write_bytes(b"mine")

    def endless(chance, folder):
        while True:
            pass

    found = []
    for number, part in enumerate((fine, broken, outside, endless)):
        if part is endless:
            monkeypatch.setattr("tests.tools.fuzzing.attempt.SECONDS", 0.2)
        (root := tmp_path / str(number)).mkdir()
        found.append(attempt(part, 1, root))
    assert found[0] == "" and "KeyError" in found[1]
    assert found[2:] == [
        "something outside the folder was written",
        "it took more than 0.2 s of computing",
    ]
