"""Runs with and without moved images are paired, the fairest pair first."""

from mnist_core.analysis.augmented import pairs, with_moves
from tests.stores import add_run


def found(store, dataset="MNIST"):
    return [(p.still.id, p.moved.id, p.differing) for p in pairs(store.list()[0], dataset)]


def test_a_pair_is_one_run_without_and_one_with_both(store):
    still = add_run(store, "lenet5", accuracy=0.98)
    add_run(store, "lenet5", accuracy=0.99, rotation=5.0)  # turned only: neither
    assert found(store) == []
    moved = add_run(store, "lenet5", recipe="improved", accuracy=0.991)
    add_run(store, "lenet5", recipe="improved", accuracy=0.97, seed=9)
    (pair,) = found(store)
    assert pair[:2] == (still.id, moved.id)
    assert "optimizer" in pair[2] and not {"rotation", "shift", "seed"} & set(pair[2])
    assert found(store, "KMNIST") == []


def test_runs_that_differ_in_nothing_else_come_before_better_ones(store):
    still = add_run(store, "lenet5", accuracy=0.95, seed=4)
    add_run(store, "lenet5", accuracy=0.98, lr=0.05)
    add_run(store, "lenet5", recipe="improved", accuracy=0.994)
    moves = with_moves(still.config)
    assert (moves.rotation, moves.shift, moves.lr) == (10.0, 2.0, still.config.lr)
    twin = add_run(store, "lenet5", accuracy=0.97, seed=5, rotation=10.0, shift=2.0)
    assert found(store) == [(still.id, twin.id, [])]


def test_unfinished_runs_and_networks_with_one_kind_have_no_pair(store):
    add_run(store, "small", recipe="improved", accuracy=0.99)
    add_run(store, "lenet5", accuracy=0.98)
    add_run(store, "lenet5", recipe="improved", state="stopped", accuracy=0.99)
    assert found(store) == []
