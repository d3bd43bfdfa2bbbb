"""Training: the loop against a plain one, schedules, resuming bit for bit, divergence."""

import functools
import io
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F

from mnist_core.config import OPTIMIZERS, SCHEDULES, Execution
from mnist_core.data import transforms
from mnist_core.data.datasets import Split
from mnist_core.errors import InputError
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.predict import logits_of
from mnist_core.models import create_model, make_config
from mnist_core.training.batches import batch_sizes
from mnist_core.training.results import Diverged
from mnist_core.training.trainer import Trainer, epoch_seed, train, weights_to_bytes
from tests.stores import quick_config

ONE = Execution(threads=1, device="cpu", engine="torch", echo_every=2)
NATIVE = ONE.replace(engine="native")
CLOSE = {"rtol": 1e-4, "atol": 1e-4}  # sums in another order, over seven steps


@pytest.fixture(params=[ONE, NATIVE], ids=["torch", "native"])
def one(request):
    """One thread, with each engine."""
    return request.param


config = functools.partial(quick_config, epochs=3)


def finish(trainer):
    return list(train(trainer)), weights_to_bytes(trainer.model)


@pytest.mark.parametrize(
    "model, batch_size, sizes",
    [
        ("fast", 200, [201]),
        ("fast", 50, [50, 50, 50, 51]),
        ("fast", 67, [67, 67, 67]),
        ("fast", 64, [64, 64, 64, 9]),
        ("fast", 10_000, [201]),
        ("lenet5", 50, [50, 50, 50, 50, 1]),  # nothing is normalised over the batch
        ("medium", 50, [50, 50, 50, 50, 1]),  # over the places of a map, too
    ],
)
def test_a_last_image_that_cannot_be_alone_joins_the_batch_before_it(model, batch_size, sizes):
    assert batch_sizes(make_config(model, batch_size=batch_size), 201) == sizes


def test_a_last_image_that_joined_is_trained_on(data, one):
    trainer, steps = Trainer(make_config("fast", batch_size=199), data, one), []
    trainer.run_epoch(steps.append)
    assert [step.step for step in steps] == [trainer.steps] == [1]


def test_too_few_images_for_the_network_are_a_sentence(data):
    one_image = replace(data, train=Split(data.train.images[:1], data.train.labels[:1]))
    with pytest.raises(InputError, match="MNIST has 1 training images here; fast takes at least 2"):
        Trainer(make_config("fast"), one_image, ONE)
    Trainer(quick_config(), one_image, ONE).run_epoch()


def test_learns_and_reports_every_figure(data, one):
    results, _ = finish(Trainer(config(epochs=8), data, one))
    first, last = results[0], results[-1]
    assert [r.epoch for r in results] == list(range(1, 9))
    assert last.train_loss < first.train_loss and last.validation_accuracy > 0.9
    assert last.validation_top5 >= last.validation_accuracy
    assert all(r.seconds > 0 and r.images_per_second > 0 and r.lr == 0.05 for r in results)


def test_the_first_epoch_is_what_a_plain_loop_does(data, one):
    """The oracle: the same draws, spelled out with torch's own optimiser and nothing else."""
    settings = config(optimizer="SGD", weight_decay=5e-4, epochs=1)
    trainer = Trainer(settings, data, one)
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
        torch.testing.assert_close(ours, theirs, **({} if one is ONE else CLOSE))


def test_the_best_epoch_is_the_first_with_the_highest_validation_accuracy(data):
    trainer = Trainer(config(epochs=6), data, ONE)
    results, _ = finish(trainer)
    highest = max(r.validation_accuracy for r in results)
    assert trainer.best == next(r for r in results if r.validation_accuracy == highest)


@pytest.mark.parametrize(
    "schedule, optimizer, one",
    [*((s, o, ONE) for s in SCHEDULES for o in OPTIMIZERS)]
    + [(s, o, NATIVE) for s, o in zip(SCHEDULES, OPTIMIZERS, strict=True)],
)
def test_resumed_is_bit_for_bit_uninterrupted(schedule, optimizer, one, data):
    settings = config(schedule=schedule, optimizer=optimizer, lr=0.01, step_size=1, gamma=0.5)
    settings = settings.replace(patience=0, dropout=0.3, activation="RReLU", rotation=5, shift=1)
    whole, weights = finish(Trainer(settings, data, one))
    first = Trainer(settings, data, one)
    first.run_epoch()
    buffer = io.BytesIO()
    torch.save(first.state(), buffer)
    second = Trainer(settings, data, one)
    second.load_state(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    torch.rand(17)  # what else the process drew in between must not matter
    rest, resumed = finish(second)
    assert resumed == weights
    assert [r.train_loss for r in rest] == [r.train_loss for r in whole[1:]]
    assert [r.lr for r in rest] == [r.lr for r in whole[1:]]


def test_an_interrupted_epoch_is_trained_again(data, one):
    class Stop(Exception):
        pass

    def stop(step):
        if step.epoch == 2 and step.step == 3:
            raise Stop

    settings = config()
    broken = Trainer(settings, data, one)
    with pytest.raises(Stop):
        list(train(broken, stop))
    assert broken.epoch == 1
    _, weights = finish(Trainer(settings, data, one))
    again = Trainer(settings, data, one)
    again.run_epoch()
    state = again.state()
    resumed = Trainer(settings, data, one)
    resumed.load_state(state)
    assert finish(resumed)[1] == weights


@pytest.mark.parametrize("schedule", ["constant", "step", "plateau"])
def test_extended_is_bit_for_bit_a_longer_run(schedule, data, one):
    short = config(epochs=2, schedule=schedule, patience=0, step_size=1, gamma=0.5)
    longer = short.replace(epochs=4)
    _, weights = finish(Trainer(longer, data, one))
    trainer = Trainer(short, data, one)
    finish(trainer)
    extended = Trainer(longer, data, one)
    extended.load_state(trainer.state())
    assert finish(extended)[1] == weights


def test_a_loss_that_is_no_longer_finite_names_epoch_and_learning_rate(data, one):
    trainer = Trainer(config(lr=10, epochs=9), data, one)
    with pytest.raises(Diverged, match=r"no longer finite in epoch \d at learning rate 10;"):
        list(train(trainer))


def test_reports_the_loss_every_n_steps(data, one):
    steps = []
    trainer = Trainer(config(epochs=1), data, one)
    list(train(trainer, steps.append))
    assert [s.step for s in steps] == list(range(1, 8))
    assert [s.step for s in steps if s.loss is not None] == [2, 4, 6, 7]
    assert trainer.step_losses == [(1, s.step, s.loss) for s in steps if s.loss is not None]


def test_label_smoothing_raises_the_loss_it_trains_on(data, one):
    plain = Trainer(config(epochs=1, lr=1e-6), data, one).run_epoch()
    smooth = Trainer(config(epochs=1, lr=1e-6, label_smoothing=0.5), data, one).run_epoch()
    assert smooth.train_loss != plain.train_loss
    assert smooth.validation_loss == pytest.approx(plain.validation_loss, rel=1e-3)


def test_every_epoch_and_seed_draws_its_own_order():
    """Seeds that differ above 32 bits only would give every epoch the same order."""

    def order(seed, epoch):
        torch.manual_seed(epoch_seed(seed, epoch))
        return tuple(torch.randperm(1000).tolist())

    assert len({order(seed, epoch) for seed in (0, 1, 2) for epoch in range(1, 51)}) == 150


def test_epochs_of_one_run_see_different_batches(data, one):
    """The same weights would have the same loss on the same batches; here every step differs."""
    trainer = Trainer(config(lr=1e-6, optimizer="SGD", momentum=0, epochs=2), data, one)
    losses = []
    for _ in train(trainer):
        losses.append([loss for _, _, loss in trainer.step_losses])
    assert all(abs(a - b) > 1e-4 for a, b in zip(*losses, strict=True))


def test_seed_and_threads_decide_the_weights(data, one):
    assert finish(Trainer(config(), data, one))[1] == finish(Trainer(config(), data, one))[1]
    other = finish(Trainer(config(seed=2), data, one))[1]
    assert other != finish(Trainer(config(), data, one))[1]


def test_training_figures_are_of_the_logits_that_were_trained_on(data, one):
    """At a learning rate that changes nothing, they are those of the network as it stood."""
    trainer = Trainer(config(lr=1e-6, epochs=1), data, one)
    pixels, labels = trainer.train
    start = logits_of(trainer.model, pixels, trainer.config).numpy()
    result, expected = trainer.run_epoch(), metrics(start, labels.numpy())
    assert result.train_loss == pytest.approx(expected.loss, rel=1e-3)
    assert result.train_accuracy == pytest.approx(expected.accuracy, abs=0.02)
    assert result.train_top5 == pytest.approx(expected.top5, abs=0.02)
