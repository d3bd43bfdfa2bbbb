"""The fuzz program: a few cases of each part, and that it sees what goes wrong."""

import pytest

from mnist_core.errors import LabError
from tests.tools.fuzz import attempt, fuzz
from tests.tools.fuzzing.part import PARTS


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_few_cases_of_each_part_are_no_more_than_sentences():
    parts = [name for name in PARTS if name != "configs"]  # see tests/unit/training/test_any_config
    result = fuzz(parts, cases=5, seed=1)
    assert result["cases"] == 5 * len(parts) and result["failed"] == []


def test_it_sees_what_goes_wrong(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.tools.fuzz.SECONDS", 1)

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
        (root := tmp_path / str(number)).mkdir()
        found.append(attempt(part, 1, root))
    assert found[0] == "" and "KeyError" in found[1]
    assert found[2:] == ["something outside the folder was written", "it took more than 1 s"]
