"""Every config that the checks let through trains: with any network and any number of images."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from mnist_core.config import Execution
from mnist_core.training.results import Diverged
from mnist_core.training.trainer import Trainer
from tests.configs import CONFIGS, random_images

TORCH = Execution(threads=1, device="cpu", engine="torch")


@settings(max_examples=60)
@given(CONFIGS, st.integers(2, 13))
def test_any_config_trains_to_its_end_or_diverges(config, images):
    config = config.replace(epochs=1 + config.epochs % 2)
    trainer = Trainer(config, random_images(config.dataset, images), TORCH)
    with suppress(Diverged):
        for epoch in range(config.epochs):
            assert trainer.run_epoch().epoch == epoch + 1
        assert trainer.optimizer.param_groups[0]["lr"] >= 0
