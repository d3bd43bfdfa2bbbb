"""Histories as rows for a chart of curves."""

import pytest

from mnist_core.analysis.curves import batch_losses, curve_rows, spread_over_seeds
from tests.stores import made_up_history


def test_a_row_for_each_seed_and_epoch_with_the_time_so_far():
    histories = [made_up_history(4, 0.9), made_up_history(3, 0.8)]
    rows = curve_rows("a", "A", histories, best_epoch=3)
    assert [(row["seed_place"], row["epoch"]) for row in rows] == [
        *((1, epoch) for epoch in (1, 2, 3, 4)),
        *((2, epoch) for epoch in (1, 2, 3)),
    ]
    assert {(row["id"], row["network"]) for row in rows} == {("a", "A")}
    assert [row["elapsed"] for row in rows[3:5]] == [14.0, 3.5]
    assert [row["validation_loss"] for row in rows[:4]] == [
        row["validation_loss"] for row in histories[0]
    ]
    assert [place for place, row in enumerate(rows) if row["best"]] == [2]  # of the first seed
    assert curve_rows("a", "A", [[]]) == []


def test_the_spread_is_over_the_epochs_that_two_seeds_reached():
    histories = [made_up_history(4, 0.9), made_up_history(2, 0.8), made_up_history(3, 0.7)]
    rows = spread_over_seeds(histories)
    assert [(row["epoch"], row["seeds"]) for row in rows] == [(1, 3), (2, 3), (3, 3)]
    two = [histories[0][2]["validation_accuracy"], histories[2][2]["validation_accuracy"]]
    assert rows[2]["validation_accuracy"] == pytest.approx(sum(two) / 2)
    deviation = abs(two[0] - two[1]) / 2**0.5
    assert rows[2]["validation_accuracy_deviation"] == pytest.approx(deviation)
    assert spread_over_seeds(histories[:1]) == []


def test_batches_lie_within_their_epoch():
    kept = [{"epoch": 1, "step": 100, "loss": 2.0}, {"epoch": 1, "step": 200, "loss": 1.5}]
    assert batch_losses(kept) == [{"epoch": 0.5, "loss": 2.0}, {"epoch": 1.0, "loss": 1.5}]
    assert batch_losses([]) == []


def test_the_epoch_in_progress_replaces_what_an_earlier_process_left_of_it():
    kept = [{"epoch": 1, "step": 200, "loss": 2.0}, {"epoch": 2, "step": 50, "loss": 9.0}]
    progress = {"epoch": 2, "steps": 200, "losses": [[100, 1.0]]}
    assert batch_losses(kept, progress) == [
        {"epoch": 1.0, "loss": 2.0},
        {"epoch": 1.5, "loss": 1.0},
    ]
