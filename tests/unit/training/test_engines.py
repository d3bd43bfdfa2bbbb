"""Which engine trains a network, what is told of it, and that threads do not change its results."""

import pytest
import torch
from torch import nn

from mnist_core.config import Execution
from mnist_core.errors import InputError
from mnist_core.models import create_model_for
from mnist_core.training.engines import check_engine, choose_engine
from mnist_core.training.trainer import Trainer, train, weights_to_bytes
from tests.stores import quick_config

CPU = Execution(threads=1, device="cpu")


class Branched(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(32 * 32, 10)

    def forward(self, x):
        return self.layer(x.flatten(1)) + 1


@pytest.mark.parametrize("asked, chosen", [("auto", "native"), ("native", "native")])
def test_a_chain_is_trained_natively(asked, chosen):
    config = quick_config()
    engine, note = choose_engine(create_model_for(config), config, CPU.replace(engine=asked))
    assert (engine.name, note) == (chosen, "")


def test_a_network_that_is_no_chain_is_trained_by_torch():
    engine, note = choose_engine(Branched(), quick_config(), CPU)
    assert (engine.name, note) == ("torch", "")
    with pytest.raises(InputError, match=r"'native' was given; allowed .* Branched is no chain"):
        choose_engine(Branched(), quick_config(), CPU.replace(engine="native"))


def test_without_a_compiler_torch_trains_and_says_so(no_compiler):
    config = quick_config()
    engine, note = choose_engine(create_model_for(config), config, CPU)
    assert engine.name == "torch"
    assert note.startswith("No C compiler was found") and note.endswith("which takes longer.")
    with pytest.raises(InputError, match="^engine: 'native' was given; .* No C compiler"):
        check_engine(config, CPU.replace(engine="native"))


def test_threads_do_not_change_what_is_trained_natively(data):
    config = quick_config(epochs=1, batch_size=100, dropout=0.3, activation="RReLU", rotation=5)
    results = set()
    for threads in (1, 2, 3):
        trainer = Trainer(config, data, Execution(device="cpu", threads=threads, engine="native"))
        (epoch,) = train(trainer)
        results.add((weights_to_bytes(trainer.model), epoch.train_loss, epoch.validation_loss))
    assert len(results) == 1


@pytest.mark.parametrize("engine", ["torch", "native"])
def test_chance_differs_from_step_to_step_and_from_epoch_to_epoch(engine, data):
    """With a constant image and no learning, all that is left to differ is what dropout drops."""
    config = quick_config(batch_size=80, dropout=0.5, lr=1e-6, epochs=2)
    trainer = Trainer(config, data, CPU.replace(engine=engine, echo_every=1))
    trainer.train = (torch.full_like(trainer.train[0], 100), torch.zeros_like(trainer.train[1]))
    losses = []
    for _ in train(trainer):
        losses += [loss for _, _, loss in trainer.step_losses]
    assert len(set(losses)) == len(losses) == 6
