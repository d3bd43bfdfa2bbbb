"""What is said of a run's curves."""

import pytest

from mnist_core.analysis.diagnosis import diagnose
from mnist_core.models import make_config
from mnist_core.runs.folder import HISTORY
from tests.stores import make_run


def rows(train_loss, train_accuracy, validation_loss, validation_accuracy):
    """A history from four lists, one value an epoch."""
    return [
        dict.fromkeys(HISTORY, 0.0)
        | {"epoch": epoch, "train_loss": a, "train_accuracy": b}
        | {"validation_loss": c, "validation_accuracy": d}
        for epoch, (a, b, c, d) in enumerate(
            zip(train_loss, train_accuracy, validation_loss, validation_accuracy, strict=True), 1
        )
    ]


def finished(store, history, **changes):
    run = make_run(store, make_config("lenet5", "grid", epochs=len(history), **changes))
    run.folder.write_history(history, [])
    return store.get(run.id)


STEADY = rows([0.3, 0.2, 0.19], [0.9, 0.94, 0.945], [0.3, 0.2, 0.19], [0.9, 0.94, 0.941])
OVERFIT = rows([0.1, 0.03, 0.001], [0.97, 0.99, 1.0], [0.06, 0.05, 0.07], [0.98, 0.985, 0.985])
CHANCE = rows([2.31, 2.31, 2.32], [0.1, 0.1, 0.1], [2.3, 2.3, 2.3], [0.11, 0.1, 0.11])
SLOW = rows([2.303, 2.295, 2.28], [0.1, 0.12, 0.13], [2.3, 2.29, 2.28], [0.11, 0.12, 0.13])
LEARNING = rows([0.9, 0.5, 0.3], [0.7, 0.8, 0.9], [0.9, 0.5, 0.3], [0.7, 0.8, 0.9])


@pytest.mark.parametrize(
    "history, settings, kind, changes",
    [
        (OVERFIT, {}, "overfit", {"dropout": 0.25}),
        (OVERFIT, {"dropout": 0.5}, "overfit", {"rotation": 10.0, "shift": 2.0}),
        (CHANCE, {"lr": 0.2}, "stuck", {"lr": 0.02}),
        (SLOW, {"lr": 0.001}, "stuck", {"lr": 0.01}),
        (LEARNING, {}, "unfinished", {}),
    ],
)
def test_each_trouble_has_its_name_and_a_setting_to_try(store, history, settings, kind, changes):
    found = diagnose(finished(store, history, **settings))
    assert (found.kind, dict(found.changes)) == (kind, changes)
    assert found.sentence.endswith(".") and "\n" not in found.sentence


def test_the_sentence_says_where_overfitting_begins(store):
    assert "from epoch 2 on" in diagnose(finished(store, OVERFIT)).sentence


def test_a_diverged_run_should_take_smaller_steps(store):
    for lr, smaller in ((1, 0.1), (0.02, 0.002), (0.06, 0.005), (0.006, 0.0006)):
        run = make_run(store, make_config("lenet5", lr=lr), state="diverged", epochs=0)
        assert diagnose(run).changes == {"lr": smaller}
    assert diagnose(run).advice == "try learning rate 0.0006"


def test_nothing_is_said_of_a_run_without_trouble_or_without_an_end(store):
    assert diagnose(finished(store, STEADY)) is None
    assert diagnose(make_run(store, make_config("medium"), state="paused")) is None
    assert diagnose(finished(store, STEADY[:1], seed=5)) is None


def test_one_epoch_at_chance_is_enough_to_say_so(store):
    assert diagnose(finished(store, CHANCE[:1])).kind == "stuck"
