"""A pause within an epoch: the same bits come out, from either engine, and damage is refused."""

import io

import pytest
import torch

from mnist_core.config import SCHEDULES, Execution
from mnist_core.models import make_config
from mnist_core.training.trainer import Trainer, train, weights_to_bytes

ONE = Execution(threads=1, device="cpu", engine="torch", echo_every=2)
NATIVE = ONE.replace(engine="native")
STEPS = 7  # in an epoch of the small data set, with batches of 32
FIGURES = ("epoch", "train_loss", "train_accuracy", "train_top5", "validation_loss", "lr")


class Pause(Exception):
    pass


@pytest.fixture(params=[ONE, NATIVE], ids=["torch", "native"])
def one(request):
    """One thread, with each engine."""
    return request.param


def config(**changes):
    """All that draws, and batch normalisation."""
    fields = {"epochs": 3, "batch_size": 32, "lr": 0.02, "dropout": 0.3, "activation": "RReLU"}
    fields |= {"rotation": 5, "shift": 1, "label_smoothing": 0.1}
    return make_config("fast", **(fields | changes))


def pause_after(step_in_all):
    def on_step(step):
        if (step.epoch - 1) * step.steps + step.step == step_in_all:
            raise Pause

    return on_step


def moved(trainer):
    """Another process's trainer, with what this one keeps; it has drawn from the generators."""
    buffer = io.BytesIO()
    torch.save(trainer.state(), buffer)
    other = Trainer(trainer.config, DATA["data"], trainer.execution)
    torch.rand(17)
    other.load_state(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    assert other.steps_done == trainer.steps_done
    return other


DATA = {}


@pytest.fixture(autouse=True)
def the_data(data):
    DATA["data"] = data


def trained(settings, execution, pauses=()):
    """The results, the losses of single steps and the weights of a run with these pauses."""
    trainer = Trainer(settings, DATA["data"], execution)
    results, losses = [], []
    for pause in (*pauses, None):
        try:
            for result in train(trainer, pause_after(pause)):
                results.append(tuple(getattr(result, name) for name in FIGURES))
                losses += trainer.step_losses
        except Pause:
            assert trainer.steps_done == pause
            trainer = moved(trainer)
    return results, losses, weights_to_bytes(trainer.model)


@pytest.mark.filterwarnings("ignore:Detected call of `lr_scheduler.step")  # after the last step
@pytest.mark.parametrize(
    "schedule, one", [*((name, ONE) for name in SCHEDULES), ("step", NATIVE), ("one-cycle", NATIVE)]
)
def test_a_pause_after_any_step_changes_no_bit(schedule, one):
    settings = config(schedule=schedule, step_size=1, patience=0, gamma=0.5)
    whole = trained(settings, one)
    assert [result[0] for result in whole[0]] == [1, 2, 3]
    for pauses in ((1, STEPS + 3, STEPS + 5), (STEPS, 3 * STEPS)):
        assert trained(settings, one, pauses) == whole


@pytest.mark.parametrize("optimizer", ["Adam", "RMSprop", "Adadelta"])
def test_a_pause_changes_no_bit_with_any_optimiser(optimizer, one):
    settings = config(optimizer=optimizer, lr=0.01, epochs=1)
    assert trained(settings, one, (4,)) == trained(settings, one)


def test_the_same_trainer_goes_on_after_a_pause(data, one):
    whole = trained(config(epochs=1), one)
    trainer = Trainer(config(epochs=1), data, one)
    with pytest.raises(Pause):
        trainer.run_epoch(pause_after(3))
    trainer.run_epoch()
    assert weights_to_bytes(trainer.model) == whole[2] and trainer.partial is None


def test_the_time_before_a_pause_counts(data, one):
    trainer = Trainer(config(epochs=1), data, one)
    with pytest.raises(Pause):
        trainer.run_epoch(pause_after(3))
    state = trainer.state()
    state["partial"]["seconds"] = 100.0
    trainer.load_state(state)
    speeds = []
    result = trainer.run_epoch(lambda step: speeds.append(step.images_per_second))
    assert result.seconds > 100 and result.images_per_second < 2 and speeds[0] < 2


@pytest.mark.parametrize(
    "name, value",
    [
        ("step", 0),
        ("step", STEPS + 1),
        ("step", 2),
        ("step", True),
        ("logits", torch.zeros(3 * 32, 9)),
        ("logits", torch.zeros(3 * 32, 10, dtype=torch.float64)),
        ("losses", [[1, 5, 0.1]]),
        ("losses", [[2, 2, 0.1]]),
        ("losses", [[1, 2, float("nan")]]),
        ("lr", float("inf")),
        ("seconds", -1.0),
        ("random", []),
        ("random", [torch.zeros(5056, dtype=torch.uint8)]),
        ("random", [torch.zeros(3, dtype=torch.uint8)]),
    ],
)
def test_a_forged_state_is_refused(data, name, value):
    trainer = Trainer(config(epochs=1), data, ONE)
    with pytest.raises(Pause):
        trainer.run_epoch(pause_after(3))
    state = trainer.state()
    trainer.load_state(state)  # as it is, it is fine
    state["partial"][name] = value
    with pytest.raises((ValueError, TypeError, RuntimeError, IndexError)):
        Trainer(config(epochs=1), data, ONE).load_state(state)


def test_no_epoch_is_in_progress_after_the_last(data):
    trainer = Trainer(config(epochs=1), data, ONE)
    with pytest.raises(Pause):
        trainer.run_epoch(pause_after(3))
    with pytest.raises((ValueError, TypeError)):
        trainer.load_state(trainer.state() | {"epoch": 1})
