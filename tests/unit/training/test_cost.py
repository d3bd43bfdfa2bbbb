"""What training costs on this machine: saved, loaded, and turned into seconds."""

import json

import pytest

from mnist_core.models import make_config
from mnist_core.training import cost
from mnist_core.training.cost import Cost

CONFIG = make_config("lenet5", "grid", batch_size=100)
KNOWN = Cost(1e-4, 2e-3, per_validation_image=1e-5, start_up=4.0, standby_start=0.5)


def test_a_run_costs_its_start_its_epochs_and_its_final_predictions():
    assert KNOWN.epoch(CONFIG) == pytest.approx(50_000 * 1e-4 + 500 * 2e-3 + 10_000 * 1e-5)
    rest = 3 * (KNOWN.epoch(CONFIG) + cost.SAVING) + 0.2
    assert KNOWN.run(CONFIG) == pytest.approx(4.0 + rest)
    assert KNOWN.run(CONFIG, standby=True) == pytest.approx(0.5 + rest)


def test_a_saved_cost_applies_to_configs_of_its_kind(store, monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    assert cost.load(store, CONFIG) is None
    cost.save(store, CONFIG, KNOWN)
    assert cost.load(store, CONFIG) == KNOWN
    assert cost.load(store, CONFIG.replace(batch_size=500, lr=1, epochs=9)) == KNOWN
    for changed in (
        {"activation": "RReLU"},
        {"rotation": 5},
        {"elastic": 1},
        {"ema": 0.9},
        {"batch_size": 7},
    ):
        assert cost.load(store, CONFIG.replace(**changed)) is None
    assert cost.load_similar(store, CONFIG.replace(activation="RReLU")) == KNOWN
    assert cost.load_similar(store, CONFIG.replace(model="lenet5-1998")) is None
    cost.save(store, CONFIG.replace(rotation=5), KNOWN)
    assert cost.load(store, CONFIG) == KNOWN


def test_of_networks_that_people_build_the_newest_figures_are_kept(store, monkeypatch):
    monkeypatch.setattr(cost, "MOST_KINDS", 3)
    configs = [make_config(layers=f"conv {n} 3x3, flatten, linear 10") for n in range(1, 6)]
    for config in (*configs[:4], configs[1], configs[4]):
        cost.save(store, config, KNOWN)
    known = [cost.load(store, config) is not None for config in configs]
    assert known == [False, True, False, True, True]


def test_a_cost_measured_on_another_machine_does_not_apply(store, monkeypatch):
    cost.save(store, CONFIG, KNOWN)
    monkeypatch.setattr(cost, "machine", lambda: "another")
    assert cost.load(store, CONFIG) is None


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"M": 3}', '{"M": {"K": {}}}', "BAD"])
def test_a_damaged_file_counts_as_no_measurement(store, content):
    bad = {cost.kind(CONFIG): {**vars(KNOWN), "per_image": -1}}
    content = json.dumps({cost.machine(): bad}) if content == "BAD" else content
    content = content.replace('"M"', f'"{cost.machine()}"')
    content = content.replace('"K"', f'"{cost.kind(CONFIG)}"')
    store.root.mkdir()
    (store.root / ".speed.json").write_text(content)
    assert cost.load(store, CONFIG) is None


def test_machines_that_share_a_store_keep_each_their_own_figures(store, monkeypatch):
    config, costs = CONFIG, [cost.Cost(float(n), 1, 1, 1) for n in (1, 2)]
    for name, measured in zip("ab", costs, strict=True):
        monkeypatch.setattr(cost, "machine", lambda name=name: name)
        cost.save(store, config, measured)
    assert cost.load(store, config) == costs[1]
    monkeypatch.setattr(cost, "machine", lambda: "a")
    assert cost.load(store, config) == costs[0]
