"""A network described stage by stage, and drawn."""

import json

import pytest
import torch
from torch import nn

from mnist_core.inspection.architecture import convolution_blocks, describe, dot
from mnist_core.inspection.profiling import figures
from mnist_core.inspection.receptive_field import last_convolution_field, trace_fields
from mnist_core.models import create_model, make_config, model_names
from tests.unit.inspection.random_networks import Concat, Function, Sum

RESIDUAL = Sum(nn.Identity(), nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU()))
BRANCHES = Concat(nn.Conv2d(1, 2, 3, padding=1), nn.Conv2d(1, 3, 5, padding=2))


@pytest.mark.parametrize("name", model_names())
def test_the_stages_add_up_to_the_network(name):
    model, size = create_model(name), make_config(name).input_size
    stages, whole = describe(model, size), figures(model, size)
    assert sum(stage["parameters"] for stage in stages) == whole["parameters"]
    assert sum(stage["macs"] for stage in stages) == whole["macs"]
    convolutions = [s for s in stages if s["kind"] == "Conv2d" and not s["whole"]]
    assert max(convolutions[-1]["field"]) == last_convolution_field(model, size)
    before = ["input", *(stage["name"] for stage in stages)]
    assert [stage["inputs"] for stage in stages] == [[name] for name in before[:-1]]  # a chain
    json.dumps(stages, allow_nan=False)


@pytest.mark.parametrize("block", [RESIDUAL, BRANCHES])
def test_edges_are_the_boxes(block):
    fields = trace_fields(nn.Sequential(nn.Conv2d(1, 1, 3, 2, 1), block, nn.MaxPool2d(2)), 20)
    for field in fields.values():
        rows, columns = field.edges()
        for row, (top, bottom) in enumerate(rows):
            for column, (left, right) in enumerate(columns):
                assert field.box(row, column) == (top, left, bottom, right)


def test_branches_are_drawn():
    stages = describe(nn.Sequential(RESIDUAL, nn.Flatten(), nn.Linear(64, 3)), 8)
    inputs = {stage["name"]: stage["inputs"] for stage in stages}
    assert inputs["add"] == ["0.paths.0", "0.paths.1.1"] and inputs["1"] == ["add"]
    assert inputs["0.paths.0"] == inputs["0.paths.1.0"] == ["input"]
    drawn = dot(stages, 'a "name"', 8)
    assert '"0.paths.1.1" -> "add"' in drawn and drawn.count(" -> ") == 7
    assert 'tooltip="a \\"name\\""' in drawn
    joined = describe(BRANCHES, 8)
    assert joined[-1]["inputs"] == ["paths.0", "paths.1"] and joined[-1]["field"] == (5, 5)


def test_a_network_that_cannot_be_walked_is_a_chain_without_fields():
    model = nn.Sequential(nn.Conv2d(1, 2, 3), Function(lambda x: torch.fft.fft(x).real))
    stages = describe(model, 8)
    assert stages[0]["name"] == "0" and stages[0]["field"] is None
    assert stages[0]["parameters"] == 20 and convolution_blocks(stages) == 0
    assert '"input" -> "0"' in dot(stages, "x", 8)
