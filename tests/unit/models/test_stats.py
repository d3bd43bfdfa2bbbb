"""The stored figures of the networks are those that can be measured."""

import pytest

from mnist_core.benchmarks import networks
from mnist_core.errors import LabError
from mnist_core.models import stats

BLOCKS = {"medium": 3, "small": 2, "ultrasmall": 2, "lenet5": 2, "lenet5-1998": 3}


@pytest.mark.parametrize("name", stats.shipped_stats().networks)
def test_what_is_stored_is_what_is_measured(name):
    row = stats.stats_of(name, "MNIST")
    assert {key: row[key] for key in stats.EXACT} == networks.exact(name)
    assert 0.01 < row["latency_ms"] < 1000 and stats.shipped_stats().machine
    assert row["blocks"] == BLOCKS.get(name, row["blocks"])


def test_a_damaged_file_says_how_to_make_it(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text('{"networks": [{"name": "lenet5"}]}')
    with pytest.raises(LabError, match="bench networks --json"):
        stats.shipped_stats(path)


def test_a_network_that_was_added_has_none():
    assert stats.stats_of("added-since", "MNIST") == {}


def test_latency_is_measured(monkeypatch):
    monkeypatch.setattr(networks, "REPEATS", 3)
    monkeypatch.setattr(networks, "ROUNDS", 2)
    found = networks.measure(["lenet5"])
    assert found["networks"][0]["latency_ms"] > 0 and "torch" in found["machine"]
