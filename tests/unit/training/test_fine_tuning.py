"""Fine-tuning against steps written out by hand, and what it must leave as it is."""

import functools
import inspect
from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.torch import save
from torch import nn
from torch.nn import functional as F

from mnist_core.config import Execution
from mnist_core.data.transforms import scale_and_offset
from mnist_core.dataset_specs import dataset_spec
from mnist_core.engine.frozen import frozen
from mnist_core.evaluation.predict import load_model
from mnist_core.models import create_model, make_config
from mnist_core.training.fine_tuning import FineTuner, folds, left_out_answers
from mnist_core.training.trainer import epoch_seed
from mnist_core.tuning import Tuning
from tests.configs import random_images
from tests.stores import add_run

LAYERS = (
    "conv 6 5x5 stride 2 no bias, relu, batchnorm, pool 2, dropout 0.5, conv 8 3x3, prelu, "
    "flatten, linear 20 no bias, batchnorm, rrelu, linear 10"
)
NATIVE, TORCH = (Execution(engine=name, threads=1) for name in ("native", "torch"))
EPOCHS, RATE = 3, 0.01


@pytest.fixture
def parent(store):
    """A run whose batch normalisation has statistics that are not those of a fresh network."""
    run = add_run(store, "custom", layers=LAYERS, epochs=1)
    model = load_model(run)
    torch.manual_seed(5)
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
            nn.init.uniform_(layer.weight, 0.5, 1.5)
            nn.init.normal_(layer.bias, 0, 0.3)
    written = run.folder.write_weights(1, save(model.state_dict()))
    run.folder.write_summary(replace(run.summary, **written))
    return store.get(run.id)


def tuned(parent, part, drawings, mixed=2):
    tuning = Tuning(part, drawings, "0" * 16, EPOCHS, RATE, mixed)
    return parent.config.replace(tuning=str(tuning))


def images(count, seed):
    split = random_images("MNIST", count).train
    draw = torch.Generator().manual_seed(seed)
    return split.images[:, None], torch.randint(0, 10, (count,), generator=draw)


def steps_by_hand(config, drawings, mixed):
    """The pixels and labels of each step, as the module's docstring says."""
    (pixels, labels), (more, their_labels) = drawings, mixed
    for epoch in range(1, EPOCHS + 1):
        torch.manual_seed(epoch_seed(config.seed, epoch))
        order = torch.randperm(len(labels))
        for start in range(0, len(order), 8):
            chosen = order[start : start + 8]
            others = torch.randint(len(more), (config.tuned.mixed * len(chosen),))
            yield (
                torch.cat([pixels[chosen], more[others]]),
                torch.cat([labels[chosen], their_labels[others]]),
            )


def as_input(pixels):
    scale, offset = scale_and_offset(dataset_spec("MNIST"), "standard")
    return pixels.float() * scale + offset


class Adam:
    """D. P. Kingma, J. Ba: Adam. ICLR 2015; algorithm 1, in double precision."""

    def __init__(self, value):
        self.value, self.m, self.v, self.t = value.astype(float), 0.0, 0.0, 0

    def step(self, gradient, rate):
        self.t += 1
        self.m = 0.9 * self.m + 0.1 * gradient
        self.v = 0.999 * self.v + 0.001 * gradient**2
        m, v = self.m / (1 - 0.9**self.t), self.v / (1 - 0.999**self.t)
        self.value = self.value - rate * m / (np.sqrt(v) + 1e-8)


@pytest.mark.parametrize("execution", [NATIVE, TORCH], ids=["native", "torch"])
def test_the_last_layer_learns_as_by_hand_and_nothing_else_changes(parent, execution):
    config, drawings, mixed = tuned(parent, "last", 11), images(11, 1), images(40, 2)
    model = load_model(parent)
    before = {name: value.clone() for name, value in model.state_dict().items()}
    *_, (name, last) = model.named_children()
    weight, bias = (Adam(p.detach().numpy()) for p in (last.weight, last.bias))
    total = EPOCHS * 2
    for done, (pixels, labels) in enumerate(steps_by_hand(config, drawings, mixed)):
        with torch.no_grad():
            hidden = model[:-1](as_input(pixels)).double().numpy()
        logits = hidden @ weight.value.T + bias.value
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        wrong = (shares - np.eye(10)[labels]) / len(labels)
        weight.step(wrong.T @ hidden, RATE * (1 - done / total))
        bias.step(wrong.sum(axis=0), RATE * (1 - done / total))
    tuner = FineTuner(parent, config, execution, mixed)
    assert tuner.engine.name == execution.engine
    seen = list(tuner.epochs(drawings))
    assert [each.count for each in seen] == [33] * EPOCHS
    after = tuner.model.state_dict()
    for key, value in before.items():
        if not key.startswith(f"{name}."):
            assert torch.equal(after[key], value), key
    np.testing.assert_allclose(after[f"{name}.weight"].numpy(), weight.value, atol=1e-4)
    np.testing.assert_allclose(after[f"{name}.bias"].numpy(), bias.value, atol=1e-4)


@pytest.mark.parametrize("execution", [NATIVE, TORCH], ids=["native", "torch"])
def test_all_layers_learn_as_torch_would_and_batch_normalisation_stays(parent, execution):
    config, drawings, mixed = tuned(parent, "all", 11), images(11, 1), images(40, 2)
    expected = deepcopy(load_model(parent)).eval()
    norms = (nn.BatchNorm1d, nn.BatchNorm2d)
    fixed = {id(p) for m in expected.modules() if isinstance(m, norms) for p in m.parameters()}
    learning = [p for p in expected.parameters() if id(p) not in fixed]
    optimizer = torch.optim.Adam(learning, lr=RATE)
    for done, (pixels, labels) in enumerate(steps_by_hand(config, drawings, mixed)):
        optimizer.param_groups[0]["lr"] = RATE * (1 - done / (2 * EPOCHS))
        optimizer.zero_grad()
        F.cross_entropy(expected(as_input(pixels)), labels).backward()
        optimizer.step()
    tuner = FineTuner(parent, config, execution, mixed)
    assert tuner.engine.name == execution.engine
    for _ in tuner.epochs(drawings):
        pass
    start = load_model(parent).state_dict()
    for key, value in tuner.model.state_dict().items():
        torch.testing.assert_close(value, expected.state_dict()[key], atol=1e-4, rtol=1e-3)
        layer = key.rpartition(".")[0]
        if isinstance(tuner.model.get_submodule(layer), norms):
            assert torch.equal(value, start[key])
        else:
            assert not torch.equal(value, start[key])
    pixels = images(20, 3)[0]
    with torch.no_grad():
        logits = expected(as_input(pixels))
    np.testing.assert_allclose(tuner.read(pixels), logits.numpy(), atol=1e-3)


def test_it_begins_from_the_same_place_each_time(parent):
    config, drawings, mixed = tuned(parent, "all", 11), images(11, 1), images(40, 2)
    tuner = FineTuner(parent, config, TORCH, mixed)
    found = []
    for part in (drawings, (drawings[0][3:], drawings[1][3:]), drawings):
        for _ in tuner.epochs(part):
            pass
        found.append(tuner.weights())
    assert found[0] == found[2] != found[1]


def test_without_images_to_mix_in_it_learns_from_the_drawings_alone(parent):
    drawings = images(11, 1)
    tuner = FineTuner(parent, tuned(parent, "last", 11, mixed=0), TORCH)
    seen = list(tuner.epochs(drawings))
    assert [each.count for each in seen] == [11] * EPOCHS
    assert seen[-1].loss < seen[0].loss


@pytest.mark.parametrize("name", ["lenet5", "medium", "fast", "myfullconvnet"])
def test_the_frozen_network_computes_the_same(name):
    torch.manual_seed(1)
    model = create_model(name, activation="RReLU", dropout=0.3).eval()
    for layer in model.modules():
        if isinstance(layer, nn.BatchNorm1d | nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.3)
            layer.running_var.uniform_(0.5, 2)
    side = make_config(name).input_size
    pixels = torch.rand(3, 1, side, side)
    with torch.no_grad():
        expected = model(pixels)
        torch.testing.assert_close(frozen(model).train()(pixels), expected, atol=1e-4, rtol=1e-4)


def test_each_class_is_spread_evenly_over_the_parts():
    random = np.random.default_rng(1)
    labels = random.integers(0, 10, 137)
    all_differ = [f"{number}" for number in random.permutation(137)]
    parts = folds(labels, all_differ, seed=1)
    assert set(parts) == set(range(10)) and np.ptp(np.bincount(parts)) <= 1
    for label in range(10):
        counts = np.bincount(parts[labels == label], minlength=10)
        assert np.ptp(counts) <= 1
    assert not np.array_equal(parts, folds(labels, all_differ, seed=2))
    assert sorted(folds(np.zeros(7, int), all_differ[:7], 1)) == list(range(7))


def test_equal_images_are_left_out_together():
    random = np.random.default_rng(3)
    which, labels = random.integers(0, 30, 60), random.integers(0, 10, 60)
    parts = folds(labels, [f"{number}" for number in which], seed=1)
    assert len(set(zip(which, parts, strict=True))) == len(set(which))
    assert set(parts) == set(range(10))


def test_it_takes_no_step_that_loads_the_compiler_of_torch(parent, monkeypatch):
    """What torch wraps around a step loads torch._dynamo."""
    plain = inspect.unwrap(torch.optim.Adam.step)

    @functools.wraps(plain)
    def wrapped(*_):
        raise AssertionError("this is the wrapped step")

    wrapped.hooked = True
    monkeypatch.setattr(torch.optim.Adam, "step", wrapped)
    tuner = FineTuner(parent, tuned(parent, "last", 11, mixed=0), TORCH)
    assert len(list(tuner.epochs(images(11, 1)))) == EPOCHS


def test_what_is_left_out_is_read_by_a_network_that_has_not_learned_it(parent):
    """A drawing whose label nobody could guess is read rightly only by who has learned it."""
    config = tuned(parent, "last", 12, mixed=0)
    drawings, parts = images(12, 4), np.arange(12) % 3
    tuner = FineTuner(parent, config, TORCH)
    answers = left_out_answers(tuner, drawings, parts, lambda: None)
    for part in range(3):
        out = torch.tensor(parts == part)
        for _ in tuner.epochs((drawings[0][~out], drawings[1][~out])):
            pass
        alone = tuner.read(drawings[0]).argmax(axis=1)
        assert np.array_equal(answers[parts == part], alone[parts == part])
