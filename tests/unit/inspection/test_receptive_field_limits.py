"""What the receptive field refuses to answer, and what it leaves alone while it does."""

import copy
import sys
import threading

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_core.errors import InputError, LabError
from mnist_core.inspection.receptive_field import UnsupportedOperation, trace_fields
from tests.unit.inspection.random_networks import Function, lenet5


def unknown(x):
    return x


torch.fx.wrap("unknown")


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (nn.Sequential(nn.GroupNorm(1, 1)), "GroupNorm"),
        (nn.Sequential(nn.ConvTranspose2d(1, 1, 2)), "ConvTranspose2d"),
        (nn.Sequential(nn.Conv2d(1, 1, 3, padding=1, padding_mode="reflect")), "Conv2d"),
        (nn.Sequential(nn.BatchNorm2d(1, track_running_stats=False)), "BatchNorm2d"),
        (nn.Sequential(nn.Softmax(dim=-1)), "Softmax"),
        (nn.Sequential(nn.Upsample(scale_factor=2, mode="bilinear")), "Upsample"),
        (nn.Sequential(nn.MaxPool2d(2, return_indices=True)), "MaxPool2d"),
        (nn.Sequential(nn.Linear(28, 10)), "Linear"),
        (Function(lambda x: F.interpolate(x, scale_factor=1.5)), "interpolate"),
        (Function(lambda x: F.pad(x, (1, 1, 1, 1), mode="reflect")), "pad"),
        (Function(lambda x: F.pad(x, (-28, 0))), "pad"),
        (Function(lambda x: x[:, :, ::2]), "getitem"),
        (Function(lambda x: x.transpose(2, 3)), "transpose"),
        (Function(lambda x: x.reshape(1, 1, 14, 56)), "reshape"),
        (Function(lambda x: x.view(1, 1, 7, 4, 28)), "view"),
        (Function(lambda x: x.mean(2)), "mean"),
        (Function(lambda x: torch.mean(x, axis=3)), "mean"),
        (Function(lambda x: torch.cat([x, x], 2)), "cat"),
        (Function(lambda x: x @ x), "matmul"),
        (Function(lambda x: F.conv2d(x, x)), "conv2d"),
        (Function(lambda x: x.chunk(2, 3)[0]), "chunk"),
        (Function(lambda x: unknown(x)), "unknown"),
    ],
)
def test_an_operation_it_does_not_know_is_an_error(model, names):
    with pytest.raises(UnsupportedOperation) as caught:
        trace_fields(model)
    message = str(caught.value)
    assert names in message and "field_rules.py" in message and "\n" not in message


def test_a_network_that_cannot_be_traced_is_an_error():
    with pytest.raises(UnsupportedOperation, match="Function cannot be traced") as caught:
        trace_fields(Function(lambda x: x if x.sum() > 0 else -x))
    assert isinstance(caught.value, (LabError, ValueError)) and "\n" not in str(caught.value)


def test_a_network_that_cannot_take_the_image_is_an_error():
    with pytest.raises(InputError, match="cannot take an image of 3×8×8") as caught:
        trace_fields(lenet5(), 8, channels=3)
    assert "\n" not in str(caught.value)


def test_the_model_and_the_random_numbers_stay_as_they_are():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), Function(F.dropout), nn.ReLU())
    model.train()
    model[1].eval()
    before, modes = copy.deepcopy(model.state_dict()), [m.training for m in model.modules()]
    state = torch.get_rng_state()
    trace_fields(model)
    assert [m.training for m in model.modules()] == modes
    assert torch.equal(torch.get_rng_state(), state)
    after = model.state_dict()
    assert all(torch.equal(after[name], before[name]) for name in before)


@pytest.fixture
def often_switching():
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    yield
    sys.setswitchinterval(interval)


def test_networks_run_and_are_traced_in_other_threads_meanwhile(often_switching):
    """torch.fx patches nn.Module for the whole process while it traces."""
    model, errors, done = lenet5(nn.Conv2d(16, 4, 1)), [], threading.Event()
    image = torch.rand(1, 1, 28, 28)
    expected = model(image)

    def run():
        try:
            while not done.is_set():
                assert torch.equal(model(image), expected)
                if threading.current_thread().name == "tracer":
                    trace_fields(model)
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, name=name) for name in ("tracer", "runner")]
    for thread in threads:
        thread.start()
    for _ in range(10):
        trace_fields(model)
    done.set()
    for thread in threads:
        thread.join()
    assert not errors and type(model(image)) is torch.Tensor
