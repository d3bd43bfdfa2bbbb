"""The cost of training, measured once."""

from mnist_core.jobs import cost_job
from mnist_core.models import make_config
from mnist_core.training import cost, measure

CONFIG = make_config("lenet5", "grid", batch_size=100)


def test_a_measured_cost_is_plausible_and_saved(store, monkeypatch):
    monkeypatch.setattr(measure, "SECONDS", 0.2)
    monkeypatch.setattr(cost_job.os, "nice", lambda by: 0)
    found = cost_job.measure_once(store, CONFIG)
    assert 0 < found.per_image < 0.01 and 0 <= found.per_step < 0.5
    assert cost.HANDOVER < found.standby_start < found.start_up
    assert 0 < found.per_validation_image < found.per_image * 10
    assert cost.load(store, CONFIG) == found
    assert cost_job.measure_once(store, CONFIG) == found  # at once: it is known
