"""What happens without a compiler, with a broken one, and with a network that does not fit."""

import pytest
import torch
from torch import nn

from mnist_core.engine import compiler
from mnist_core.engine.compiler import EngineUnavailable
from mnist_core.engine.network import NativeNetwork
from mnist_core.engine.source import supports

SHAPE = (1, 6, 6)


def small():
    return nn.Sequential(nn.Flatten(), nn.Linear(36, 2))


def test_without_a_compiler_the_engine_is_unavailable(no_compiler, tmp_path):
    with pytest.raises(EngineUnavailable, match=r"^No C compiler was found .*\.$"):
        NativeNetwork(small(), SHAPE, 4, cache=tmp_path)


@pytest.mark.parametrize("command", ["/no/such/compiler", "false"])
def test_a_broken_compiler_makes_it_unavailable(monkeypatch, tmp_path, command):
    monkeypatch.setenv("CC", command)
    with pytest.raises(EngineUnavailable, match=r"^The C compiler .*\.$"):
        NativeNetwork(small(), SHAPE, 4, cache=tmp_path)


def test_source_that_does_not_compile_names_the_error(tmp_path):
    with pytest.raises(EngineUnavailable, match="error"):
        compiler.load("int f(void) { return x; }", compiler.find_compiler(), tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_library_is_made_once(monkeypatch, tmp_path):
    NativeNetwork(small(), SHAPE, 4, cache=tmp_path)
    found = compiler.find_compiler()
    monkeypatch.setattr(compiler, "_compile", None)
    NativeNetwork(small(), SHAPE, 4, cache=tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    monkeypatch.undo()
    (library,) = tmp_path.iterdir()
    library.unlink()  # in place, it would change under the networks that are open
    library.write_bytes(b"damaged")
    NativeNetwork(small(), SHAPE, 4, cache=tmp_path)
    assert found.lanes in (4, 8, 16) and found.registers in (16, 32)


def test_rates_of_dropout_need_no_other_library(build, library_cache):
    def count(rate):
        layers = nn.Flatten(), nn.Dropout(rate), nn.Linear(36, 7)
        build(nn.Sequential(*layers), SHAPE, 4)
        return len(list(library_cache.iterdir()))

    assert count(0.2) == count(0.3) == count(0.0) - 1


def test_a_cache_that_cannot_be_written_makes_it_unavailable(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(EngineUnavailable, match=r"could not be used .*\.$"):
        NativeNetwork(small(), SHAPE, 4, cache=tmp_path / "file")


class Branched(nn.Module):
    def forward(self, x):
        return x + x


@pytest.mark.parametrize(
    "model,reason",
    [
        (Branched(), "no chain"),
        (nn.Sequential(Branched(), nn.Flatten(), nn.Linear(36, 2)), "Branched"),
        (nn.Sequential(nn.Conv2d(1, 2, 3, dilation=2), nn.Flatten()), "dilation"),
        (nn.Sequential(nn.Conv2d(1, 2, 3, padding_mode="reflect"), nn.Flatten()), "zeros"),
        (nn.Sequential(nn.Conv2d(1, 2, 7), nn.Flatten()), "too small"),
        (nn.Sequential(nn.Conv2d(1, 2, 3)), "logits"),
        (nn.Sequential(nn.Flatten()), "no parameters"),
        (nn.Sequential(nn.Flatten(), nn.Linear(30, 2)), "30 channels"),
        (nn.Sequential(nn.Flatten(), nn.Linear(36, 2).double()), "float32"),
        (nn.Sequential(nn.Flatten(), nn.Linear(36, 2), nn.ELU(-1.0)), "alpha"),
    ],
)
def test_what_the_engine_cannot_take_is_named(model, reason):
    assert reason in supports(model, SHAPE)
    with pytest.raises(EngineUnavailable, match="cannot take this network"):
        NativeNetwork(model, SHAPE, 4)


def test_a_batch_that_takes_too_much_memory_is_refused(tmp_path):
    model = nn.Sequential(nn.Conv2d(1, 64, 3), nn.BatchNorm2d(64), nn.Flatten(), nn.LazyLinear(2))
    model(torch.zeros(2, 1, 28, 28))
    with pytest.raises(EngineUnavailable, match=r"would take \d+\.\d GiB for 10000 images\.$"):
        NativeNetwork(model, (1, 28, 28), 10_000, cache=tmp_path)
    assert not list(tmp_path.iterdir())


def test_a_shared_layer_is_declined():
    linear = nn.Linear(36, 36)
    assert "twice" in supports(nn.Sequential(nn.Flatten(), linear, linear), SHAPE)


def test_supports_changes_nothing():
    model = small()
    assert supports(model, SHAPE) is None
    assert model.training and torch.isfinite(model(torch.zeros(1, *SHAPE))).all()
