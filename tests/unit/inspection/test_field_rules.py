"""What single operations do to receptive fields, and which of them are refused."""

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from mnist_core.inspection.receptive_field import trace_fields
from mnist_core.inspection.stages import UnsupportedOperation
from tests.unit.inspection.random_networks import Function

KERNEL = torch.ones(1, 1, 3, 3)


@pytest.mark.parametrize(
    ("function", "layer"),
    [
        (lambda x: F.relu(x), nn.ReLU()),
        (lambda x: x.relu(), nn.ReLU()),
        (lambda x: F.leaky_relu(torch.tanh(1 - x / 2)), nn.Identity()),
        (lambda x: F.dropout(x, 0.5), nn.Dropout()),
        (lambda x: F.log_softmax(x, dim=1), nn.LogSoftmax(1)),
        (lambda x: F.local_response_norm(x, 2), nn.LocalResponseNorm(2)),
        (lambda x: x.mean(1, keepdim=True), nn.Identity()),
        (lambda x: F.conv2d(x, KERNEL, None, 2, 1), nn.Conv2d(1, 1, 3, 2, 1)),
        (lambda x: F.conv2d(x, KERNEL, padding="same", dilation=2), nn.Conv2d(1, 1, 5, padding=2)),
        (lambda x: F.max_pool2d(x, 3, 2, padding=1), nn.MaxPool2d(3, 2, 1)),
        (lambda x: F.max_pool2d(x, 2, dilation=2), nn.MaxPool2d(2, dilation=2)),
        (lambda x: torch.max_pool2d(x, 3), nn.MaxPool2d(3)),
        (lambda x: F.avg_pool2d(x, (2, 3)), nn.AvgPool2d((2, 3))),
        (lambda x: F.adaptive_avg_pool2d(x, (4, 3)), nn.AdaptiveAvgPool2d((4, 3))),
        (lambda x: F.adaptive_max_pool2d(x, (4, 3)), nn.AdaptiveMaxPool2d((4, 3))),
        (lambda x: F.pad(x, (1, 2, 3, 0)), nn.ZeroPad2d((1, 2, 3, 0))),
        (lambda x: F.pad(x, (1, 2)), nn.ZeroPad2d((1, 2, 0, 0))),
        (lambda x: F.interpolate(x, scale_factor=2), nn.Upsample(scale_factor=2)),
        (lambda x: x.flatten(1), nn.Flatten()),
        (lambda x: torch.flatten(x, 1), nn.Flatten()),
        (lambda x: x.view(x.size(0), -1), nn.Flatten()),
        (lambda x: x.reshape(x.shape[0], -1), nn.Flatten()),
        (lambda x: x.mean((2, 3)), nn.AdaptiveAvgPool2d(1)),
        (lambda x: torch.mean(x, dim=[-1, -2], keepdim=True), nn.AdaptiveAvgPool2d(1)),
        (lambda x: x.amax((2, 3)), nn.AdaptiveMaxPool2d(1)),
        (lambda x: F.avg_pool2d(x, x.size()[2:]), nn.AdaptiveAvgPool2d(1)),
        (lambda x: F.adaptive_avg_pool2d(x, 1).squeeze(-1).squeeze(-1), nn.AdaptiveAvgPool2d(1)),
        (lambda x: torch.cat([x, F.avg_pool2d(x, 3, 1, 1)], axis=1), nn.AvgPool2d(3, 1, 1)),
    ],
)
def test_functions_act_as_their_layers(function, layer):
    conv = nn.Conv2d(1, 1, 3, padding=1)
    found = list(trace_fields(Function(function, conv), 13).values())[-1]
    expected = list(trace_fields(nn.Sequential(conv, layer), 13).values())[-1]
    assert (found.size, found.jump, found.start) == (expected.size, expected.jump, expected.start)
    assert found.whole == expected.whole
    rows, cols = expected.shape[1:] if len(expected.shape) == 3 else (1, 1)
    for unit in ((0, 0), (rows // 2, cols // 2), (rows - 1, cols - 1)):
        assert found.box(*unit) == expected.box(*unit)


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
