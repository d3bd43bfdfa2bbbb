"""The stored figures of the networks are those that can be measured."""

import pytest
from torch import nn

from mnist_core.benchmarks import networks
from mnist_core.errors import LabError
from mnist_core.models import create_model, stats

BLOCKS = {"medium": 3, "small": 2, "ultrasmall": 2, "lenet5": 2, "lenet5-1998": 3}


@pytest.mark.parametrize("name", stats.shipped_stats().networks)
def test_what_is_stored_is_what_is_measured(name):
    row = stats.stats_of(name, "MNIST")
    assert {key: row[key] for key in stats.EXACT} == networks.exact(name)
    assert 0.01 < row["latency_ms"] < 1000 and stats.shipped_stats().machine
    assert row["blocks"] == BLOCKS.get(name, row["blocks"])
    modules = create_model(name).modules()
    assert row["convolutions"] == sum(isinstance(module, nn.Conv2d) for module in modules)


def test_a_damaged_file_says_how_to_make_it(tmp_path):
    path = tmp_path / "figures.json"
    path.write_text('{"networks": [{"name": "lenet5"}]}')
    with pytest.raises(LabError, match="bench networks --json"):
        stats.shipped_stats(path)


def test_a_network_that_was_added_has_none():
    assert stats.stats_of("added-since", "MNIST") == {} and stats.gloss({}) == ""


def test_a_network_is_glossed_with_what_is_known_of_it():
    assert stats.gloss(stats.stats_of("mynetv2", "MNIST")) == "5 convolutions, 75k parameters"
    assert stats.gloss({"convolutions": 1}) == "1 convolution"


def test_latency_is_measured(monkeypatch):
    monkeypatch.setattr(networks, "REPEATS", 3)
    monkeypatch.setattr(networks, "ROUNDS", 2)
    found = networks.measure(["lenet5"])
    assert found["networks"][0]["latency_ms"] > 0 and "torch" in found["machine"]
