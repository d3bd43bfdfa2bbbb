"""Averaged weights against a plain loop; what is validated, kept and resumed."""

import io
import itertools

import pytest
import torch
from safetensors.torch import load as from_bytes

from mnist_core.config import Execution
from mnist_core.evaluation.metrics import metrics
from mnist_core.evaluation.predict import logits_of
from mnist_core.models import make_config
from mnist_core.training.snapshots import SnapshotRecorder, half_weights
from mnist_core.training.trainer import Trainer, train, weights_to_bytes

ONE = Execution(threads=1, device="cpu", engine="torch", echo_every=2)


@pytest.fixture(params=["torch", "native"])
def one(request):
    """One thread, with each engine."""
    return ONE.replace(engine=request.param)


def config(**changes):
    """A network with batch normalisation, whose statistics are averaged, too."""
    fields = {"epochs": 2, "batch_size": 32, "lr": 0.02, "ema": 0.7}
    return make_config("fast", **(fields | changes))


def kept(trainer):
    return from_bytes(trainer.weights())


def test_the_average_is_that_of_the_weights_after_each_step(data, one):
    """The oracle: double precision, from copies of every step's weights."""
    trainer, seen = Trainer(config(epochs=1), data, one), []

    def copy(_):
        state = trainer.model.state_dict()
        seen.append({k: v.double().clone() for k, v in state.items() if v.is_floating_point()})

    copy(None)
    trainer.run_epoch(copy)
    expected = seen[0]
    for step, weights in enumerate(seen[1:]):
        keep = min(0.7, (1 + step) / (10 + step))
        expected = {k: keep * expected[k] + (1 - keep) * weights[k] for k in weights}
    found = kept(trainer)
    for name, value in expected.items():
        torch.testing.assert_close(found[name].double(), value, rtol=1e-4, atol=1e-6)
        assert not torch.equal(found[name], seen[-1][name].float())


def test_the_average_is_what_is_validated(data, one):
    trainer = Trainer(config(), data, one)
    result = trainer.run_epoch()
    pixels, labels = trainer.validation[0], data.validation.labels.numpy()
    with trainer.averaged():
        averaged = metrics(logits_of(trainer.model, pixels, trainer.config).numpy(), labels)
    last = metrics(logits_of(trainer.model, pixels, trainer.config).numpy(), labels)
    assert result.validation_loss == pytest.approx(averaged.loss, rel=1e-3)
    assert abs(last.loss - averaged.loss) > 0.01 * averaged.loss


def test_averaging_leaves_the_training_as_it_is(data, one):
    plain, averaged = (Trainer(config(ema=ema), data, one) for ema in (0.0, 0.99))
    losses = [[result.train_loss for result in train(trainer)] for trainer in (plain, averaged)]
    assert losses[0] == losses[1]
    assert weights_to_bytes(plain.model) == weights_to_bytes(averaged.model)
    assert plain.weights() == weights_to_bytes(plain.model) != averaged.weights()


def test_resumed_is_bit_for_bit_uninterrupted(data, one):
    moves = {"elastic": 1.0, "zoom": 0.1, "shear": 10, "flip": 0.5, "cutout": 8, "shift": 1}
    settings = config(schedule="cosine", warmup=1.3, epochs=3, **moves)
    whole = Trainer(settings, data, one)
    results = list(train(whole))
    first = Trainer(settings, data, one)
    first.run_epoch()
    buffer = io.BytesIO()
    torch.save(first.state(), buffer)
    second = Trainer(settings, data, one)
    second.load_state(torch.load(io.BytesIO(buffer.getvalue()), weights_only=True))
    torch.rand(17)
    rest = list(train(second))
    assert second.weights() == whole.weights()
    assert weights_to_bytes(second.model) == weights_to_bytes(whole.model)
    assert [r.validation_loss for r in rest] == [r.validation_loss for r in results[1:]]


@pytest.mark.parametrize("damage", ["updates", "names", "shape", "kind", "none"])
def test_a_forged_average_is_refused(damage, data):
    trainer = Trainer(config(), data, ONE)
    trainer.run_epoch()
    state = trainer.state()
    trainer.load_state(state)  # as it is, it is fine
    values = dict(state["average"]["values"])
    name = next(iter(values))
    forged = {
        "updates": {"values": values, "updates": 1},
        "names": {**state["average"], "values": {name: values[name]}},
        "shape": {**state["average"], "values": {**values, name: torch.zeros(1)}},
        "kind": {**state["average"], "values": {**values, name: values[name].double()}},
        "none": None,
    }
    with pytest.raises((ValueError, TypeError, KeyError)):
        Trainer(config(), data, ONE).load_state({**state, "average": forged[damage]})


def test_snapshots_are_of_the_average(data, store):
    from tests.stores import make_run

    trainer = Trainer(config(), data, ONE)
    recorder = SnapshotRecorder(make_run(store), trainer)
    trainer.run_epoch(recorder.on_step)
    last = recorder.kept[trainer.steps_done].weights
    with trainer.averaged():
        expected = half_weights(trainer.model)
    assert all((last[name] == expected[name]).all() for name in expected)


def test_the_learning_rate_warms_up_evenly(data):
    """Plain SGD's first steps from the same start are as long as their share of the rate."""
    rate = {"optimizer": "SGD", "momentum": 0, "lr": 1e-4, "schedule": "constant", "ema": 0}

    def moves(**more):
        trainer, places = Trainer(config(**rate, **more, epochs=1), data, ONE), []

        def note(_=None):
            places.append(trainer.model[-1].weight.detach().double().clone())

        note()
        trainer.run_epoch(note)
        return [float((b - a).norm()) for a, b in itertools.pairwise(places)]

    plain, warm = moves(), moves(warmup=4 / 7)  # four of seven steps
    shares = [w / p for w, p in zip(warm, plain, strict=True)]
    assert shares == pytest.approx([0.2, 0.4, 0.6, 0.8, 1, 1, 1], rel=0.05)


def test_a_schedule_goes_on_as_if_there_were_no_warm_up(data):
    plain, warm = (
        Trainer(config(schedule="cosine", warmup=w, epochs=4), data, ONE) for w in (0, 1.5)
    )
    rates = [[result.lr for result in train(trainer)] for trainer in (plain, warm)]
    assert rates[1][2:] == rates[0][2:]
    assert rates[1][0] == pytest.approx(rates[0][0] / 11)  # ten of its steps warm up
    assert make_config("fast", warmup=3).id == make_config("fast").id  # one-cycle warms up itself
