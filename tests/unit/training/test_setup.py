"""What torch is set to: device and threads."""

import pytest
import torch

from mnist_core.errors import InputError
from mnist_core.models import make_config
from mnist_core.training.setup import choose_device
from mnist_core.training.threads import choose_threads
from tests.stores import quick_config


def test_small_steps_get_one_thread_and_large_ones_the_machine(monkeypatch):
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    sizes = {size: choose_threads(0, quick_config(batch_size=size)) for size in (64, 256)}
    assert sizes == {64: 1, 256: 2}
    assert choose_threads(0, make_config("medium")) == 2 and choose_threads(0) == 2
    assert choose_threads(3, quick_config(batch_size=64)) == 3


def test_a_missing_device_is_an_input_error(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    assert choose_device("auto") == "cpu"
    with pytest.raises(InputError, match="device: 'cuda' was given, which this machine lacks"):
        choose_device("cuda")
