"""The measured peak of a core, and a network's share of it."""

from torch import nn

from mnist_core.benchmarks.peak import measured_peak, step_operations


def test_a_core_does_a_hundred_million_operations_a_second_and_more(tmp_path, monkeypatch):
    monkeypatch.setenv("CFLAGS", "-O0")
    assert measured_peak(10, cache=tmp_path) > 1e8


def test_the_operations_of_a_step_are_counted():
    model = nn.Sequential(nn.Conv2d(1, 6, 5), nn.ReLU(), nn.Flatten(), nn.Linear(6 * 16, 10))
    # forward and weights' gradient of the first, and the input's gradient of the second as well
    assert step_operations(model, (1, 8, 8)) == 2 * (2 * 6 * 25 * 16 + 3 * 960)
