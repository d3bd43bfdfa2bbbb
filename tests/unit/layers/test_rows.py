"""Layers as rows of fields, and their short names."""

import random

import pytest

from mnist_core.layers.kinds import ACTIVATIONS, LayersError
from mnist_core.layers.rows import (
    KINDS,
    as_kind,
    fields_of,
    kind_of,
    layer_of,
    place_for,
    value_of,
    with_value,
)
from mnist_core.layers.short_name import LONGEST, short_name
from mnist_core.layers.text import Words, parse
from tests.unit.layers.random_layers import random_text

WORDS = Words()


def test_each_field_of_random_layers_gives_the_layer_again():
    rng = random.Random(19)
    for _ in range(100):
        for part in random_text(rng).split(", "):
            layer = layer_of(part, WORDS)
            assert kind_of(layer) in KINDS
            for field in fields_of(layer):
                assert with_value(layer, field, value_of(layer, field)) == layer


def test_a_new_row_of_each_kind_is_a_layer_of_that_kind():
    assert [kind_of(as_kind(None, kind)) for kind in KINDS] == list(KINDS)


@pytest.mark.parametrize(
    "part, changes, text",
    [
        ("conv 8 5x5", {"channels": 16, "kernel": 3}, "conv 16 3x3"),
        ("conv 8 5x5", {"stride": 2, "padding": 1, "bias": False}, "stride 2 padding 1 no bias"),
        ("conv 8 5x5", {"kernel": "3×1"}, "conv 8 3x1"),
        ("pool 2", {"kernel": 3}, "pool 3"),  # it goes on to step by its window
        ("pool 2 stride 1", {"kernel": 3}, "pool 3 stride 1"),
        ("average pool 2", {"stride": 1, "padding": 1}, "average pool 2 stride 1 padding 1"),
        ("relu", {"name": "selu"}, "selu"),
        ("dropout 0.25", {"rate": 0.5}, "dropout 0.5"),
        ("linear 10", {"outputs": 32, "bias": False}, "linear 32 no bias"),
    ],
)
def test_fields_change_the_text(part, changes, text):
    layer = layer_of(part, WORDS)
    for field in fields_of(layer):
        if field.name in changes:
            layer = with_value(layer, field, changes[field.name])
    assert str(layer).endswith(text) and parse(str(layer)) == (layer,)


def test_what_is_no_size_is_a_sentence():
    layer = layer_of("conv 8 3x1", WORDS)
    kernel = fields_of(layer)[1]
    assert value_of(layer, kernel) == "3x1"
    with pytest.raises(LayersError, match="kernel: 'big' was given; allowed is a whole number"):
        with_value(layer, kernel, "big")
    assert layer_of("convv 8", WORDS) is None and layer_of("dropout", WORDS) is None


def test_another_kind_of_pooling_keeps_the_window_and_any_other_kind_starts_anew():
    pool = layer_of("pool 3 stride 1", WORDS)
    assert str(as_kind(pool, "Average pooling")) == "average pool 3 stride 1"
    assert str(as_kind(pool, "Linear")) == KINDS["Linear"]
    assert {str(as_kind(None, "Activation"))} < set(ACTIVATIONS)


@pytest.mark.parametrize(
    "text, kind, place",
    [
        ("conv 8, flatten, linear 10", "Max pooling", 1),
        ("conv 8, global average, flatten, linear 10", "Convolution", 1),
        ("conv 8, flatten, linear 10", "Linear", 2),
        ("conv 8, linear 10", "Flatten", 1),
        ("convv", "Dropout", 0),
    ],
)
def test_a_new_layer_stands_where_it_can_work(text, kind, place):
    layers = [layer_of(part, WORDS) for part in text.split(", ")]
    assert place_for(as_kind(None, kind), layers) == place


@pytest.mark.parametrize(
    "text, name",
    [
        ("conv 8 5x5, relu, pool 2, conv 16 5x5, selu, flatten, linear 10", "8C5-P2-16C5-10"),
        ("conv 4 3x1 stride 2, average pool 2 stride 1, global average", "4C3x1/2-A2/1-G"),
        ("flatten, dropout 0.5, linear 32, linear 10", "32-10"),
    ],
)
def test_the_short_name_is_the_usual_notation(text, name):
    assert short_name(text) == name


def test_a_long_name_keeps_its_ends():
    name = short_name(", ".join(["conv 128 3x3, pool 2 stride 1"] * 9 + ["flatten, linear 10"]))
    assert name.startswith("128C3-P2/1-128C3") and name.endswith("-…-10") and len(name) <= LONGEST
