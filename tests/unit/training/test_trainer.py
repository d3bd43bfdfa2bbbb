"""Training: the loop against a plain one, schedules, resuming bit for bit, divergence."""

import io
import math

import pytest
import torch
from torch.nn import functional as F

from mnist_core.config import OPTIMIZERS, SCHEDULES, Execution
from mnist_core.data import datasets, transforms
from mnist_core.data.augment import random_move, rotate_and_shift
from mnist_core.errors import InputError
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.predict import logits_of
from mnist_core.models import create_model, make_config
from mnist_core.training.optim import load_optimizer_state, make_optimizer
from mnist_core.training.results import Diverged
from mnist_core.training.setup import choose_device, choose_threads
from mnist_core.training.trainer import Trainer, epoch_seed, train, weights_to_bytes

ONE = Execution(threads=1, device="cpu", echo_every=2)


@pytest.fixture(scope="module")
def data(small_data):
    return datasets.load("MNIST", small_data)


def config(**changes):
    quick = {"epochs": 3, "batch_size": 32, "lr": 0.05}
    return make_config("lenet5", **{**quick, **changes})


def finish(trainer):
    return list(train(trainer)), weights_to_bytes(trainer.model)


def test_learns_and_reports_every_figure(data):
    results, _ = finish(Trainer(config(epochs=8), data, ONE))
    first, last = results[0], results[-1]
    assert [r.epoch for r in results] == list(range(1, 9))
    assert last.train_loss < first.train_loss and last.validation_accuracy > 0.9
    assert last.validation_top5 >= last.validation_accuracy
    assert all(r.seconds > 0 and r.images_per_second > 0 and r.lr == 0.05 for r in results)


def test_the_first_epoch_is_what_a_plain_loop_does(data):
    """The oracle: the same draws, spelled out with torch's own optimiser and nothing else."""
    settings = config(optimizer="SGD", weight_decay=5e-4, epochs=1)
    trainer = Trainer(settings, data, ONE)
    result = trainer.run_epoch()
    torch.manual_seed(settings.seed)
    model = create_model("lenet5", "SELU")
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9, weight_decay=5e-4)
    images = transforms.to_input(data.train.images, settings)
    torch.manual_seed(epoch_seed(settings.seed, 1))
    losses = []
    for index in torch.randperm(len(images)).split(32):
        loss = F.cross_entropy(model(images[index]), data.train.labels[index])
        losses.append(float(loss.detach()) * len(index))
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert result.train_loss == pytest.approx(sum(losses) / len(images), rel=1e-5)
    for ours, theirs in zip(trainer.model.parameters(), model.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs)


def test_the_best_epoch_is_the_first_with_the_highest_validation_accuracy(data):
    trainer = Trainer(config(epochs=6), data, ONE)
    results, _ = finish(trainer)
    highest = max(r.validation_accuracy for r in results)
    assert trainer.best == next(r for r in results if r.validation_accuracy == highest)


@pytest.mark.parametrize("schedule", SCHEDULES)
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_resumed_is_bit_for_bit_uninterrupted(schedule, optimizer, data):
    settings = config(schedule=schedule, optimizer=optimizer, lr=0.01, step_size=1, gamma=0.5)
    settings = settings.replace(patience=0, dropout=0.3, activation="RReLU", rotation=5, shift=1)
    whole, weights = finish(Trainer(settings, data, ONE))
    first = Trainer(settings, data, ONE)
    first.run_epoch()
    buffer = io.BytesIO()
    torch.save(first.state(), buffer)
    second = Trainer(settings, data, ONE)
    second.load_state(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    torch.rand(17)  # what else the process drew in between must not matter
    rest, resumed = finish(second)
    assert resumed == weights
    assert [r.train_loss for r in rest] == [r.train_loss for r in whole[1:]]
    assert [r.lr for r in rest] == [r.lr for r in whole[1:]]


def test_an_interrupted_epoch_is_trained_again(data):
    class Stop(Exception):
        pass

    def stop(step):
        if step.epoch == 2 and step.step == 3:
            raise Stop

    settings = config()
    broken = Trainer(settings, data, ONE)
    with pytest.raises(Stop):
        list(train(broken, stop))
    assert broken.epoch == 1
    _, weights = finish(Trainer(settings, data, ONE))
    again = Trainer(settings, data, ONE)
    again.run_epoch()
    state = again.state()
    resumed = Trainer(settings, data, ONE)
    resumed.load_state(state)
    assert finish(resumed)[1] == weights


@pytest.mark.parametrize("schedule", ["constant", "step", "plateau"])
def test_extended_is_bit_for_bit_a_longer_run(schedule, data):
    short = config(epochs=2, schedule=schedule, patience=0, step_size=1, gamma=0.5)
    longer = short.replace(epochs=4)
    _, weights = finish(Trainer(longer, data, ONE))
    trainer = Trainer(short, data, ONE)
    finish(trainer)
    extended = Trainer(longer, data, ONE)
    extended.load_state(trainer.state())
    assert finish(extended)[1] == weights


EXPECTED_RATES = {
    "constant": lambda epoch: 0.1,
    "step": lambda epoch: 0.1 * 0.5 ** (epoch // 2),
    "cosine": lambda epoch: 0.01 + 0.09 * (1 + math.cos(math.pi * epoch / 4)) / 2,
}


@pytest.mark.parametrize("schedule", EXPECTED_RATES)
def test_learning_rates_follow_their_formula(schedule, data):
    settings = config(schedule=schedule, lr=0.1, epochs=4, step_size=2, gamma=0.5, min_lr=0.01)
    results, _ = finish(Trainer(settings, data, ONE))
    expected = [EXPECTED_RATES[schedule](epoch) for epoch in range(4)]
    assert [r.lr for r in results] == pytest.approx(expected)


def test_one_cycle_rises_and_falls_within_the_run(data):
    trainer = Trainer(config(schedule="one-cycle", lr=0.1, epochs=2), data, ONE)
    rates = []
    list(train(trainer, lambda step: rates.append(trainer.optimizer.param_groups[0]["lr"])))
    top = rates.index(max(rates))
    assert max(rates) == pytest.approx(0.1, rel=0.05) and 0 < top < len(rates) / 2
    assert rates[-2] < 0.001  # of the last step; the last entry is what would follow


def test_plateau_watches_validation_accuracy(data):
    trainer = Trainer(config(schedule="plateau", patience=1, gamma=0.1), data, ONE)
    rate = lambda: trainer.optimizer.param_groups[0]["lr"]  # noqa: E731
    for accuracy, expected in [(0.5, 0.05), (0.6, 0.05), (0.6, 0.05), (0.55, 0.005)]:
        trainer.schedule.after_epoch(accuracy)
        assert rate() == pytest.approx(expected)


def test_a_loss_that_is_no_longer_finite_names_epoch_and_learning_rate(data):
    trainer = Trainer(config(lr=10, epochs=9), data, ONE)
    with pytest.raises(Diverged, match=r"no longer finite in epoch \d at learning rate 10;"):
        list(train(trainer))


def test_reports_the_loss_every_n_steps(data):
    steps = []
    trainer = Trainer(config(epochs=1), data, ONE)
    list(train(trainer, steps.append))
    assert [s.step for s in steps] == list(range(1, 8))
    assert [s.step for s in steps if s.loss is not None] == [2, 4, 6, 7]
    assert trainer.step_losses == [(1, s.step, s.loss) for s in steps if s.loss is not None]


def test_label_smoothing_raises_the_loss_it_trains_on(data):
    plain = Trainer(config(epochs=1, lr=1e-6), data, ONE).run_epoch()
    smooth = Trainer(config(epochs=1, lr=1e-6, label_smoothing=0.5), data, ONE).run_epoch()
    assert smooth.train_loss != plain.train_loss
    assert smooth.validation_loss == pytest.approx(plain.validation_loss, rel=1e-3)


def test_every_epoch_and_seed_draws_its_own_order():
    """Seeds that differ above 32 bits only would give every epoch the same order."""

    def order(seed, epoch):
        torch.manual_seed(epoch_seed(seed, epoch))
        return tuple(torch.randperm(1000).tolist())

    assert len({order(seed, epoch) for seed in (0, 1, 2) for epoch in range(1, 51)}) == 150


def test_epochs_of_one_run_see_different_batches(data):
    """The same weights would have the same loss on the same batches; here every step differs."""
    trainer = Trainer(config(lr=1e-6, optimizer="SGD", momentum=0, epochs=2), data, ONE)
    losses = []
    for _ in train(trainer):
        losses.append([loss for _, _, loss in trainer.step_losses])
    assert all(abs(a - b) > 1e-4 for a, b in zip(*losses, strict=True))


def test_small_steps_get_one_thread_and_large_ones_the_machine(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    sizes = {size: choose_threads(0, config(batch_size=size)) for size in (64, 256)}
    assert sizes == {64: 1, 256: 2}
    assert choose_threads(0, make_config("medium")) == 2 and choose_threads(0) == 2
    assert choose_threads(3, config(batch_size=64)) == 3


def test_seed_and_threads_decide_the_weights(data):
    assert finish(Trainer(config(), data, ONE))[1] == finish(Trainer(config(), data, ONE))[1]
    other = finish(Trainer(config(seed=2), data, ONE))[1]
    assert other != finish(Trainer(config(), data, ONE))[1]


def test_a_device_that_is_not_there_is_one_sentence(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(InputError, match="device: 'cuda' was given, which this machine lacks"):
        choose_device("cuda")


def test_training_figures_are_of_the_logits_that_were_trained_on(data):
    """At a learning rate that changes nothing, they are those of the network as it stood."""
    trainer = Trainer(config(lr=1e-6, epochs=1), data, ONE)
    pixels, labels = trainer.train
    start = logits_of(trainer.model, pixels, trainer.config).numpy()
    result, expected = trainer.run_epoch(), metrics(start, labels.numpy())
    assert result.train_loss == pytest.approx(expected.loss, rel=1e-3)
    assert result.train_accuracy == pytest.approx(expected.accuracy, abs=0.02)
    assert result.train_top5 == pytest.approx(expected.top5, abs=0.02)


def test_metrics_agree_with_torch():
    logits = torch.randn(50, 10, generator=torch.Generator().manual_seed(3))
    labels = torch.arange(50) % 10
    ours = metrics(logits.numpy(), labels.numpy())
    assert ours.loss == pytest.approx(float(F.cross_entropy(logits, labels)))
    assert ours.accuracy == pytest.approx(float((logits.argmax(1) == labels).float().mean()))


def test_logits_in_batches_are_logits_at_once(data):
    model = create_model("medium")
    pixels = data.test.images[:, None]
    settings = make_config("medium")
    in_parts = logits_of(model, pixels, settings, batch_size=7)
    torch.testing.assert_close(in_parts, logits_of(model, pixels, settings))
    assert model.training  # as it was before


def test_rotation_and_shift_against_exact_moves():
    generator = torch.Generator().manual_seed(0)
    batch = torch.rand(2, 1, 28, 28, generator=generator) * 255
    zero = torch.zeros(2)
    quarter = rotate_and_shift(batch, torch.full((2,), 90.0), zero, zero)
    torch.testing.assert_close(quarter, batch.rot90(1, (2, 3)), atol=0.02, rtol=1e-3)
    moved = rotate_and_shift(batch, zero, torch.tensor([3.0, 0.0]), torch.tensor([0.0, -2.0]))
    torch.testing.assert_close(moved[0, :, :, 3:], batch[0, :, :, :-3], atol=0.02, rtol=1e-3)
    torch.testing.assert_close(moved[1, :, :-2], batch[1, :, 2:], atol=0.02, rtol=1e-3)
    assert moved[0, :, :, :2].abs().max() < 1e-3  # black comes in


def test_random_moves_stay_within_their_bounds():
    dot = torch.zeros(64, 1, 28, 28)
    dot[:, 0, 14, 14] = 255
    torch.manual_seed(0)
    moved = random_move(dot, rotation=0, shift=3)
    rows = (moved.sum((1, 3)) * torch.arange(28)).sum(1) / 255
    assert rows.min() >= 10.9 and rows.max() <= 17.1 and rows.std() > 1
    assert random_move(dot, 0, 0) is dot


@pytest.mark.parametrize("name", ["SGD", "Adam", "RMSprop", "Adadelta"])
def test_an_optimisers_state_is_laid_out_as_its_parameters_are(name):
    """torch's fused kernels go through memory: momentum saved in another layout would land on
    other weights, and a view of one number would be written beyond its end."""
    config = make_config("medium", optimizer=name, lr=0.01)
    model = create_model("medium").to(memory_format=torch.channels_last)
    optimizer = make_optimizer(config, model, "cpu")
    for parameter in model.parameters():
        parameter.grad = torch.randn_like(parameter)
    optimizer.step()
    state = optimizer.state_dict()
    for entry in state["state"].values():
        for key in set(entry) - {"step"}:
            entry[key] = entry[key].contiguous()
    first = state["state"][0]
    key = next(key for key in first if key != "step")
    first[key] = torch.ones(1, 1, 1, 1).expand(first[key].shape)
    again = make_optimizer(config, model, "cpu")
    load_optimizer_state(again, state)
    for number, parameter in enumerate(model.parameters()):
        for key, value in again.state[parameter].items():
            if key != "step":
                assert value.stride() == parameter.stride()
                assert torch.equal(value, state["state"][number][key])
    again.step()
